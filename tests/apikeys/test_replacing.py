"""A key is replaced: its till sells on with the old one until it has the new one, and not for long after."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from apikeys.minting import LATEST, Minted
from apikeys.models import ApiKey
from apikeys.replacing import HARD_STOP, OVERLAP, KeyEnded, KeyReplaced, line_of, replace_key
from apikeys.verification import verify_token
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.races.racing import race

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def use(minted: Minted, *, at: datetime, address: str = "") -> None:
    """Let a till call with a key."""
    verify_token(minted.token, named_tenant=None, at=at, address=address)


def end_of(minted: Minted) -> datetime | None:
    return ApiKey.objects.get(pk=minted.key.pk).expires_at


@pytest.fixture
def old(seeblick: Tenant, waldrand: Tenant) -> Minted:
    """A key in use; the neighbours have one like it."""
    mint(waldrand)
    return mint(seeblick, name="Kiosk", budget=400, networks=["192.0.2.0/24"], scopes=["pos:write"])


class TestASuccessor:
    def test_has_all_that_the_key_before_it_had_but_its_token(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON + HOUR)

        for name in ("tenant", "name", "scopes", "budget", "networks"):
            assert getattr(new.key, name) == getattr(old.key, name), name
        assert (new.key.replaces, new.key.created_at, new.key.expires_at) == (old.key, NOON + HOUR, None)
        assert new.token[:11] != old.token[:11]

    def test_has_the_end_that_it_is_given(self, old: Minted) -> None:
        assert replace_key(old.key, at=NOON, expires_at=NOON + 90 * DAY).key.expires_at == NOON + 90 * DAY

    @pytest.mark.parametrize("ends", [NOON, NOON - DAY, LATEST])
    def test_is_not_minted_with_an_end_that_is_none_and_the_old_key_stays(self, old: Minted, ends: datetime) -> None:
        with pytest.raises(ValidationError):
            replace_key(old.key, at=NOON, expires_at=ends)

        assert end_of(old) is None
        assert ApiKey.objects.of(old.key.tenant).count() == 1

    def test_works_beside_the_key_before_it(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)

        use(old, at=NOON + HOUR, address="192.0.2.1")
        use(new, at=NOON + HOUR, address="192.0.2.1")

    def test_can_be_replaced_itself_and_so_on(self, old: Minted) -> None:
        second = replace_key(old.key, at=NOON)
        third = replace_key(second.key, at=NOON + DAY)

        assert [each.till_key_id for each in line_of(third.key).order_by("pk")] == [old.key.pk] * 3
        assert [each.line_id for each in line_of(third.key).order_by("pk")] == [None, old.key.pk, old.key.pk]
        assert set(line_of(old.key)) == set(line_of(third.key)) == {old.key, second.key, third.key}


class TestTheOldKey:
    def test_ends_after_seven_days_if_the_new_one_is_never_used(self, old: Minted) -> None:
        replace_key(old.key, at=NOON)

        assert end_of(old) == NOON + HARD_STOP == NOON + 7 * DAY

    def test_ends_a_day_after_the_first_use_of_the_new_one(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)

        use(new, at=NOON + HOUR, address="192.0.2.1")
        use(new, at=NOON + 5 * HOUR, address="192.0.2.1")

        assert end_of(old) == NOON + HOUR + OVERLAP == NOON + 25 * HOUR
        assert end_of(new) is None

    def test_does_not_live_longer_for_a_first_use_on_the_last_day(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)

        use(new, at=NOON + 7 * DAY - HOUR, address="192.0.2.1")

        assert end_of(old) == NOON + 7 * DAY

    def test_never_ends_later_than_it_was_to(self, old: Minted) -> None:
        ApiKey.objects.filter(pk=old.key.pk).update(expires_at=NOON + 2 * HOUR)

        new = replace_key(old.key, at=NOON)
        assert end_of(old) == NOON + 2 * HOUR
        use(new, at=NOON + HOUR, address="192.0.2.1")

        assert end_of(old) == NOON + 2 * HOUR

    def test_goes_on_if_the_new_token_turns_up_where_it_may_not_be_used(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)

        use(new, at=NOON + HOUR, address="203.0.113.9")

        assert end_of(old) == NOON + HARD_STOP
        assert ApiKey.objects.get(pk=new.key.pk).last_used_at is None

    def test_is_revoked_at_once_if_it_has_leaked(self, old: Minted) -> None:
        replace_key(old.key, at=NOON + HOUR, leaked=True)

        old.key.refresh_from_db()
        assert (old.key.revoked_at, old.key.expires_at) == (NOON + HOUR, None)

    def test_that_was_revoked_meanwhile_stays_so(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)
        old.key.revoke(at=NOON + HOUR)

        use(new, at=NOON + 2 * HOUR, address="192.0.2.1")

        assert end_of(old) == NOON + HARD_STOP
        assert ApiKey.objects.get(pk=old.key.pk).revoked_at == NOON + HOUR

    def test_and_all_before_it_end_when_the_last_of_the_line_is_used(self, old: Minted) -> None:
        """The token of the one between was lost before any till had it."""
        lost = replace_key(old.key, at=NOON)
        third = replace_key(lost.key, at=NOON + HOUR)

        use(third, at=NOON + 2 * HOUR, address="192.0.2.1")

        assert end_of(old) == end_of(lost) == NOON + 2 * HOUR + OVERLAP
        assert end_of(third) is None

    def test_does_not_end_by_what_the_neighbours_do(self, old: Minted, waldrand: Tenant) -> None:
        theirs = mint(waldrand, name="Kiosk")
        new = replace_key(theirs.key, at=NOON)
        use(new, at=NOON)

        assert end_of(old) is None
        assert list(ApiKey.objects.of(waldrand).filter(expires_at=None, name="Shop till")) != []


class TestAKeyThatHasEnded:
    @pytest.mark.parametrize(
        "end",
        [
            lambda key: key.revoke(at=NOON),
            lambda key: ApiKey.objects.filter(pk=key.pk).update(expires_at=NOON + DAY),
        ],
    )
    def test_is_not_replaced_into_life(self, old: Minted, end: Callable[[ApiKey], None]) -> None:
        end(old.key)

        with pytest.raises(KeyEnded):
            replace_key(old.key, at=NOON + DAY)

        assert ApiKey.objects.of(old.key.tenant).count() == 1

    def test_is_seen_as_it_is_by_now_whatever_was_at_hand(self, old: Minted) -> None:
        stale = ApiKey.objects.get(pk=old.key.pk)
        old.key.revoke(at=NOON)

        with pytest.raises(KeyEnded):
            replace_key(stale, at=NOON)


class TestAKeyThatWasReplaced:
    def test_is_not_replaced_again_and_says_by_what(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)

        with pytest.raises(KeyReplaced) as refused:
            replace_key(old.key, at=NOON)

        assert refused.value.by == new.key
        assert new.token not in repr(refused.value)

    def test_is_replaced_again_once_its_successor_is_revoked(self, old: Minted) -> None:
        replace_key(old.key, at=NOON).key.revoke(at=NOON)

        again = replace_key(old.key, at=NOON + DAY)

        assert again.key.replaces == old.key
        assert end_of(old) == NOON + 7 * DAY

    def test_is_replaced_once_by_the_database_itself(self, old: Minted) -> None:
        new = replace_key(old.key, at=NOON)
        other = mint(old.key.tenant)

        with pytest.raises(IntegrityError):
            ApiKey.objects.filter(pk=other.key.pk).update(replaces=new.key.replaces, line=old.key)


@pytest.mark.django_db(transaction=True)
class TestInARace:
    def test_one_of_many_replaces_a_key(self, seeblick: Tenant) -> None:
        key = mint(seeblick).key

        def replace() -> str:
            try:
                return replace_key(key, at=NOON).token
            except KeyReplaced:
                return ""

        tokens = race([replace] * 6)

        assert len([token for token in tokens if token]) == 1
        assert ApiKey.objects.count() == 2

    def test_the_first_use_is_noted_once_and_the_old_key_ends_by_it(self, seeblick: Tenant) -> None:
        old = mint(seeblick)
        new = replace_key(old.key, at=NOON)
        moments = [NOON + timedelta(seconds=number) for number in range(8)]

        race([partial(use, new, at=moment) for moment in moments])

        first = ApiKey.objects.get(pk=new.key.pk).last_used_at
        assert first in moments
        assert end_of(old) == first + OVERLAP

    def test_a_line_of_keys_used_all_at_once_ends_by_its_uses(self, seeblick: Tenant) -> None:
        first = mint(seeblick)
        second = replace_key(first.key, at=NOON)
        third = replace_key(second.key, at=NOON)

        race([partial(use, each, at=NOON + HOUR) for each in (third, second) * 3])

        assert end_of(first) == end_of(second) == NOON + HOUR + OVERLAP
        assert end_of(third) is None

    def test_a_revocation_and_a_replacement_leave_no_old_key_open(self, seeblick: Tenant) -> None:
        key = mint(seeblick).key

        def revoke() -> None:
            key.revoke(at=NOON)

        def replace() -> None:
            with suppress(KeyEnded):
                replace_key(key, at=NOON)

        race([replace, revoke])

        key.refresh_from_db()
        assert key.revoked_at == NOON
