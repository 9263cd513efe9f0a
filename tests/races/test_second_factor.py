"""One code, typed in several places at the same moment, lets in once."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone

from tenants.models import Tenant
from tenants.second_factor import begin, confirm, passes
from tenants.second_factor_models import RecoveryCode
from tests.factories import member
from tests.races.racing import race
from tests.tenants.test_sign_in import code_now, set_up

pytestmark = pytest.mark.django_db(transaction=True)


class TestOneCode:
    def test_of_the_app_lets_in_once(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        set_up(person)
        code, now = code_now(person), timezone.now()

        assert sum(race([partial(passes, person, code, at=now)] * 8)) == 1

    def test_on_paper_lets_in_once(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        paper, now = set_up(person)[0], timezone.now()

        assert sum(race([partial(passes, person, paper, at=now)] * 8)) == 1

    def test_switches_on_once(self, seeblick: Tenant, waldrand: Tenant) -> None:
        person = member(seeblick)
        race([partial(begin, person)] * 8)
        code, now = code_now(person), timezone.now()

        papers = race([partial(confirm, person, code, at=now)] * 8)

        assert sorted(map(len, papers)) == [0] * 7 + [10]
        assert RecoveryCode.objects.count() == 10
