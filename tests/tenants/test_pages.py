"""Who may open a page, whose it is, and the way in and out."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from tenants.models import Membership, Role, Tenant
from tenants.pages import Here, admin_page, staff_page, whereabouts
from tests.factories import UserFactory, member

HOME = "/"


def signed_in(user: object) -> Client:
    """A browser in which a person has signed in."""
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def named_on(answer: object) -> str:
    """The campground that a page is of."""
    return str(answer.context["here"].tenant.slug)  # type: ignore[attr-defined]


class TestAStaffPage:
    def test_asks_a_stranger_to_sign_in_and_brings_them_back(self, seeblick: Tenant) -> None:
        answer = Client().get("/kasse/transaktionen?methode=CASH")

        assert answer.status_code == 302
        assert answer["Location"] == "/anmelden?next=/kasse/transaktionen%3Fmethode%3DCASH"

    def test_that_asks_for_a_part_of_itself_is_loaded_anew(self, seeblick: Tenant) -> None:
        answer = Client().get("/kasse/transaktionen", headers={"HX-Request": "true"})

        assert answer.status_code == 401
        assert answer["HX-Refresh"] == "true"
        assert answer.content == b""

    def test_opens_for_everyone_who_works_there(self, seeblick: Tenant, waldrand: Tenant) -> None:
        for role in Role:
            answer = signed_in(member(seeblick, role)).get(HOME)

            assert (answer.status_code, named_on(answer)) == (200, "seeblick")

    def test_is_kept_by_no_cache(self, seeblick: Tenant) -> None:
        assert "no-store" in signed_in(member(seeblick)).get(HOME)["Cache-Control"]

    def test_tells_people_without_a_campground(self, seeblick: Tenant) -> None:
        answer = signed_in(UserFactory.create()).get(HOME)

        assert answer.status_code == 403
        assert b'action="/abmelden"' in answer.content

    def test_tells_people_whose_campground_is_switched_off(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        Tenant.objects.filter(pk=seeblick.pk).update(is_active=False)

        assert signed_in(person).get(HOME).status_code == 403

    def test_is_not_there_on_a_neighbours_host(self, seeblick: Tenant, waldrand: Tenant) -> None:
        browser = signed_in(member(seeblick))

        assert browser.get(HOME, headers={"host": "seeblick.campone.example"}).status_code == 200
        assert browser.get(HOME, headers={"host": "waldrand.campone.example"}).status_code == 404

    def test_runs_on_the_campgrounds_clock(self, rf: RequestFactory, seeblick: Tenant) -> None:
        Tenant.objects.filter(pk=seeblick.pk).update(zone="Atlantic/Azores")
        clocks: list[str] = []

        @staff_page
        def page(request: HttpRequest, here: Here) -> HttpResponse:
            clocks.append(timezone.get_current_timezone_name())
            return HttpResponse()

        page(request_of(rf, member(seeblick)))

        assert clocks == ["Atlantic/Azores"]
        assert timezone.get_current_timezone_name() == "UTC"


class TestAnAdminPage:
    @pytest.mark.parametrize(("role", "status"), [(Role.STAFF, 403), (Role.TENANT_ADMIN, 200)])
    def test_opens_for_admins_alone(self, rf: RequestFactory, seeblick: Tenant, role: Role, status: int) -> None:
        @admin_page
        def page(request: HttpRequest, here: Here) -> HttpResponse:
            return HttpResponse()

        person = member(seeblick, role)
        if status == 200:
            assert page(request_of(rf, person)).status_code == 200
        else:
            with pytest.raises(PermissionDenied):
                page(request_of(rf, person))

    def test_is_closed_to_the_neighbours_admin_who_is_staff_here(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick, Role.STAFF)
        Membership.objects.create(tenant=waldrand, user=person, role=Role.TENANT_ADMIN)
        browser = signed_in(person)

        assert browser.get(HOME).context["here"].is_admin is False
        browser.post("/campingplatz", {"tenant": waldrand.pk})
        assert browser.get(HOME).context["here"].is_admin is True


class TestSwitching:
    def test_goes_to_another_of_ones_campgrounds(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        Membership.objects.create(tenant=waldrand, user=person)
        browser = signed_in(person)

        assert named_on(browser.get(HOME)) == "seeblick"
        answer = browser.post("/campingplatz", {"tenant": waldrand.pk})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert named_on(browser.get(HOME)) == "waldrand"

    @pytest.mark.parametrize("wanted", ["", "seven", "99999999999999999999", "-1"])
    def test_to_what_is_no_campground_is_refused(self, seeblick: Tenant, wanted: str) -> None:
        assert signed_in(member(seeblick)).post("/campingplatz", {"tenant": wanted}).status_code == 404

    def test_to_a_neighbour_is_refused_as_if_there_were_none(self, seeblick: Tenant, waldrand: Tenant) -> None:
        browser = signed_in(member(seeblick))

        assert browser.post("/campingplatz", {"tenant": waldrand.pk}).status_code == 404
        assert named_on(browser.get(HOME)) == "seeblick"

    def test_does_not_outlive_a_membership(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        there = Membership.objects.create(tenant=waldrand, user=person)
        browser = signed_in(person)
        browser.post("/campingplatz", {"tenant": waldrand.pk})

        there.delete()

        assert named_on(browser.get(HOME)) == "seeblick"

    def test_is_for_people_who_have_signed_in(self, seeblick: Tenant) -> None:
        assert Client().post("/campingplatz", {"tenant": seeblick.pk})["Location"] == "/anmelden"

    def test_on_a_campgrounds_own_host_there_is_nothing_to_switch_to(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        Membership.objects.create(tenant=waldrand, user=person)

        answer = signed_in(person).get(HOME, headers={"host": "waldrand.campone.example"})

        assert named_on(answer) == "waldrand"
        assert answer.context["here"].others == ()


class TestAnOperator:
    def test_is_an_admin_of_every_campground(self, seeblick: Tenant, waldrand: Tenant) -> None:
        operator = UserFactory.create(is_superuser=True)

        here = signed_in(operator).get(HOME).context["here"]

        assert here.is_admin
        assert {here.tenant, *here.others} == {seeblick, waldrand}


class TestSigningInAndOut:
    def test_leads_where_one_wanted_to_go(self, seeblick: Tenant) -> None:
        person = member(seeblick, username="anna")
        person.set_password("kieselstrand-am-see")
        person.save()

        form = {"username": "anna", "password": "kieselstrand-am-see", "next": "/kasse/transaktionen"}
        answer = Client().post("/anmelden", form)

        assert (answer.status_code, answer["Location"]) == (302, "/kasse/transaktionen")

    def test_leads_nowhere_else(self, seeblick: Tenant) -> None:
        person = member(seeblick, username="anna")
        person.set_password("kieselstrand-am-see")
        person.save()

        form = {"username": "anna", "password": "kieselstrand-am-see", "next": "https://waldrand.example/"}

        assert Client().post("/anmelden", form)["Location"] == "/"

    def test_with_a_wrong_password_says_so_beside_the_form(self, seeblick: Tenant) -> None:
        answer = Client().post("/anmelden", {"username": "anna", "password": "falsch"})

        assert answer.status_code == 200
        assert b'role="alert"' in answer.content
        assert b"falsch" not in answer.content

    def test_out_is_a_post(self, seeblick: Tenant) -> None:
        browser = signed_in(member(seeblick))

        assert browser.get("/abmelden").status_code == 405
        assert browser.post("/abmelden")["Location"] == "/anmelden"
        assert browser.get(HOME).status_code == 302

    def test_needs_a_form_token(self, seeblick: Tenant) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(member(seeblick))

        assert browser.post("/abmelden").status_code == 403
        assert browser.get(HOME).status_code == 200


class TestAppearanceAndLanguage:
    def test_are_remembered(self, seeblick: Tenant) -> None:
        browser = signed_in(member(seeblick))

        answer = browser.post("/darstellung", {"appearance": "dark", "next": "/kasse/transaktionen"})
        browser.post("/sprache", {"language": "it", "next": "/"})
        page = browser.get(HOME).content

        assert answer["Location"] == "/kasse/transaktionen"
        assert b'<html lang="it" data-appearance="dark">' in page

    def test_nonsense_changes_nothing(self, seeblick: Tenant) -> None:
        browser = signed_in(member(seeblick))
        browser.cookies["appearance"] = '"><script>'

        answer = browser.post("/darstellung", {"appearance": "pink", "next": "https://waldrand.example/"})

        assert (answer["Location"], "appearance" in answer.cookies) == ("/", False)
        assert b'<html lang="de" data-appearance="system">' in browser.get(HOME).content

    def test_follow_the_browser_where_nothing_was_chosen(self, seeblick: Tenant) -> None:
        answer = signed_in(member(seeblick)).get(HOME, headers={"accept-language": "fr-CH, fr;q=0.9"})

        assert b'<html lang="fr"' in answer.content


class TestThePolicyOfContent:
    def test_lets_nothing_run_that_stands_in_a_page(self, seeblick: Tenant) -> None:
        policy = signed_in(member(seeblick)).get(HOME)["Content-Security-Policy"]

        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy


class TestWhereabouts:
    def test_are_nowhere_for_whom_the_host_is_not(self, rf: RequestFactory, seeblick: Tenant, waldrand: Tenant) -> None:
        request = request_of(rf, member(seeblick), host="waldrand.campone.example")

        assert whereabouts(request, request.user) is None  # type: ignore[arg-type]


def request_of(rf: RequestFactory, user: object, host: str = "testserver") -> HttpRequest:
    """A request of a person, with an empty session."""
    request = rf.get("/", headers={"host": host})
    request.user, request.session = user, {}  # type: ignore[assignment]
    return request
