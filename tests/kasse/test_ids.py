from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from kasse.ids import make_id

NOON = datetime(2026, 4, 29, 12, 0, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)


class TestMakeId:
    @given(INSTANTS)
    def test_makes_a_uuid_of_version_7(self, at: datetime) -> None:
        made = make_id(at)

        assert (made.version, made.variant) == (7, RFC_4122)

    @given(INSTANTS)
    def test_holds_the_milliseconds_of_its_instant(self, at: datetime) -> None:
        milliseconds = make_id(at).int >> 80

        assert abs(datetime.fromtimestamp(milliseconds / 1000, tz=UTC) - at) < timedelta(milliseconds=2)

    @given(INSTANTS, st.timedeltas(timedelta(milliseconds=2), timedelta(days=1)))
    def test_makes_later_ids_greater(self, at: datetime, later: timedelta) -> None:
        assert make_id(at) < make_id(at + later)
        assert str(make_id(at)) < str(make_id(at + later))

    def test_makes_no_id_twice_in_one_instant(self) -> None:
        assert len({make_id(NOON) for _ in range(10_000)}) == 10_000

    def test_uses_all_74_free_bits(self) -> None:
        ever_set, always_set = 0, 2**128 - 1
        for _ in range(2_000):
            number = make_id(NOON).int
            ever_set, always_set = ever_set | number, always_set & number

        assert (ever_set ^ always_set).bit_count() == 74
