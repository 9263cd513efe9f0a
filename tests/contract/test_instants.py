from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import timezone as offset_of
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tenants.models import Tenant
from tests.contract.sales import Fault, faults_of, gas_bottle, new_sale, nothing_is_stored, on_one_campground
from tests.till import Till, body_of

NOW = datetime(2026, 4, 29, 12, 0, tzinfo=UTC)

ACCEPTED = {
    "2026-04-29T08:14:32Z": "2026-04-29T08:14:32Z",
    "2026-04-29t08:14:32z": "2026-04-29T08:14:32Z",
    "2026-04-29T10:14:32+02:00": "2026-04-29T08:14:32Z",
    "2026-04-29T02:44:32-05:30": "2026-04-29T08:14:32Z",
    "2026-04-29T08:14:32+00:00": "2026-04-29T08:14:32Z",
    "2026-04-29T08:14:32-00:00": "2026-04-29T08:14:32Z",
    "2026-04-29T23:59:59+23:59": "2026-04-29T00:00:59Z",
    "2026-04-28T08:00:00-23:59": "2026-04-29T07:59:00Z",
    "2026-04-29T08:14:32.5Z": "2026-04-29T08:14:32.500000Z",
    "2026-04-29T08:14:32.000Z": "2026-04-29T08:14:32Z",
    "2026-04-29T08:14:32.123456Z": "2026-04-29T08:14:32.123456Z",
    "2026-04-29T08:14:32.1234567Z": "2026-04-29T08:14:32.123456Z",
    "2026-04-29T08:14:32.999999999999Z": "2026-04-29T08:14:32.999999Z",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z": "2000-02-29T00:00:00Z",
    "2000-01-01T00:00:00Z": "2000-01-01T00:00:00Z",
    "2000-01-01T01:00:00+01:00": "2000-01-01T00:00:00Z",
    "1999-12-31T23:00:00-01:00": "2000-01-01T00:00:00Z",
}

NO_INSTANTS = [
    "", "2026-04-29", "2026-04-29T08:14:32", "2026-04-29 08:14:32Z", "2026-04-29T08:14Z", "2026-04-29T08Z",
    "2026-04-29T081432Z",
    "20260429T081432Z", "2026-W18-3T08:14:32Z", "2026-119T08:14:32Z", "26-04-29T08:14:32Z", "+2026-04-29T08:14:32Z",
    "2026-4-29T08:14:32Z", "2026-04-29T8:14:32Z", "2026-04-29T08:14:32.Z", "2026-04-29T08:14:32,5Z",
    "2026-04-29T08:14:32.5",
    "2026-04-29T08:14:32+2", "2026-04-29T08:14:32+02", "2026-04-29T08:14:32+0200", "2026-04-29T08:14:32+02:00:00",
    "2026-04-29T08:14:32+24:00", "2026-04-29T08:14:32+02:60", "2026-04-29T08:14:32\u221202:00",
    "2026-04-29T08:14:32 Z",
    "2026-04-29T08:14:32ZZ", "2026-04-29T08:14:32Z+02:00", "2026-04-29T08:14:32UTC",
    "2026-04-29T08:14:32 Europe/Zurich",
    " 2026-04-29T08:14:32Z", "2026-04-29T08:14:32Z ", "2026-04-29T08:14:32Z\n", "２０２６-04-29T08:14:32Z",
    "2026-04-29T٠٨:14:32Z",
    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-04-29T24:00:00Z", "2026-04-29T25:00:00Z", "2026-04-29T08:60:00Z", "2026-04-29T08:14:61Z",
    "0000-01-01T00:00:00Z",
    "12026-04-29T08:14:32Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "1777450472", "now", "null",
    "Wed, 29 Apr 2026 08:14:32 GMT", "29.04.2026 08:14:32",
]  # fmt: skip

SHAPE = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets our clock."""

    def set_clock(instant: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: instant)

    return set_clock


class TestAnInstant:
    @pytest.mark.parametrize(("sent", "answered"), ACCEPTED.items())
    def test_is_answered_in_utc(self, till: Till, sent: str, answered: str) -> None:
        answer = till.post(new_sale(occurred_at=sent))

        assert body_of(answer)["occurred_at"] == answered
        assert body_of(till.read_back(body_of(answer)["external_ref"]))["occurred_at"] == answered

    @pytest.mark.parametrize("field", ["occurred_at", "sent_at"])
    def test_is_rfc_3339_to_the_letter(self, till: Till, field: str) -> None:
        for text in NO_INSTANTS:
            assert faults_of(till.post(new_sale(**{field: text}))) == {(field, "invalid")}, text
        assert nothing_is_stored()

    @pytest.mark.parametrize("field", ["occurred_at", "sent_at"])
    @pytest.mark.parametrize("value", [1777450472, 0, -1, 1777450472.5, True, [], {}, ["2026-04-29T08:14:32Z"]])
    def test_is_no_number_boolean_list_or_object(self, till: Till, field: str, value: Any) -> None:
        assert faults_of(till.post(new_sale(**{field: value}))) == {(field, "invalid")}

    @pytest.mark.parametrize(("value", "code"), [(None, "null"), (..., "required")])
    def test_of_the_sale_is_not_left_out(self, till: Till, value: Any, code: str) -> None:
        assert faults_of(till.post(new_sale(occurred_at=value))) == {("occurred_at", code)}

    @pytest.mark.parametrize("field", ["occurred_at", "sent_at"])
    @pytest.mark.parametrize(
        "text",
        ["1999-12-31T23:59:59Z", "1999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00+00:01", "0001-01-01T00:00:00Z"],
    )
    def test_lies_not_before_2000(self, till: Till, field: str, text: str) -> None:
        assert faults_of(till.post(new_sale(**{field: text}))) == {(field, "before_2000")}
        assert nothing_is_stored()

    @given(data=st.data(), valid=st.sampled_from(list(ACCEPTED)))
    @on_one_campground
    def test_with_one_wrong_character_is_refused(self, till: Till, data: st.DataObject, valid: str) -> None:
        place = data.draw(st.integers(0, len(valid) - 1))
        wrong = data.draw(st.sampled_from(["", "x", " ", "٣", "３", "\n", ":", "-", "Z", "."]))
        text = valid[:place] + wrong + valid[place + 1 :]

        answer = till.post(new_sale(occurred_at=text))

        assert (answer.status_code == 201) == bool(SHAPE.fullmatch(text)), answer.content

    @given(
        st.datetimes(datetime(2000, 1, 2), datetime(2026, 4, 28)),  # noqa: DTZ001 (the offset is drawn beside it)
        st.integers(-1439, 1439),
    )
    @on_one_campground
    def test_is_kept_to_the_microsecond(self, till: Till, local: datetime, offset: int) -> None:
        instant = local.replace(tzinfo=offset_of(timedelta(minutes=offset)))

        answer = till.post(new_sale(occurred_at=instant.isoformat()))

        back = body_of(till.read_back(body_of(answer)["external_ref"]))["occurred_at"]
        assert datetime.fromisoformat(back) == instant


class TestTheFuture:
    @pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=4, seconds=59), timedelta(minutes=5)])
    def test_of_5_minutes_is_taken_for_a_clock_that_is_fast(
        self, till: Till, at: Callable[[datetime], None], ahead: timedelta
    ) -> None:
        at(NOW)

        assert till.post(new_sale(occurred_at=(NOW + ahead).isoformat())).status_code == 201

    @pytest.mark.parametrize(
        "ahead", [timedelta(minutes=5, microseconds=1), timedelta(days=1), timedelta(days=365 * 500)]
    )
    def test_beyond_is_refused_with_our_time(
        self, till: Till, at: Callable[[datetime], None], ahead: timedelta
    ) -> None:
        at(NOW)

        answer = till.post(new_sale(occurred_at=(NOW + ahead).isoformat()))

        body = body_of(answer)
        assert faults_of(answer) == {("occurred_at", "occurred_at_in_future")}
        assert (body["code"], body["server_time"]) == ("occurred_at_in_future", "2026-04-29T12:00:00Z")
        assert body["errors"][0]["server_time"] == "2026-04-29T12:00:00Z"
        assert body["occurred_at"] == ["More than 5 minutes ahead of our clock."]
        assert nothing_is_stored()

    def test_is_told_with_all_the_other_faults(self, till: Till, at: Callable[[datetime], None]) -> None:
        at(NOW)
        lines = [gas_bottle(vat_rate="7.7"), gas_bottle(quantity=0)]

        answer = till.post(new_sale(occurred_at="2026-04-30T12:00:00Z", items=lines, currency="EUR"))

        expected: set[Fault] = {
            ("occurred_at", "occurred_at_in_future"),
            ("currency", "currency_mismatch"),
            ("items[0].vat_rate", "unknown_vat_rate"),
            ("items[1].quantity", "zero"),
            (None, "total_mismatch"),
        }
        assert faults_of(answer) == expected
        assert body_of(answer)["code"] == "validation_error"

    @pytest.mark.parametrize("zone", ["Europe/Zurich", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
    @pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z"])
    def test_at_the_end_of_all_calendars_is_refused_like_any(self, till: Till, zone: str, text: str) -> None:
        Tenant.objects.update(zone=zone)

        assert faults_of(till.post(new_sale(occurred_at=text))) == {("occurred_at", "occurred_at_in_future")}

    def test_is_no_matter_for_the_time_of_sending(self, till: Till, at: Callable[[datetime], None]) -> None:
        at(NOW)

        assert till.post(new_sale(sent_at="2026-04-30T12:00:00Z")).status_code == 201


class TestThePast:
    def test_has_no_bound_for_tills_that_come_back(self, till: Till, at: Callable[[datetime], None]) -> None:
        at(NOW)

        answer = till.post(new_sale(occurred_at="2000-01-01T12:00:00Z"))

        assert body_of(answer)["business_date"] == "2000-01-01"
        assert body_of(answer)["received_at"] == "2026-04-29T12:00:00Z"
