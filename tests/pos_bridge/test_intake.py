from __future__ import annotations

from kasse.models import Transaction
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from tests.till import Till, body_of, croissants_and_coffee


class TestPostingASale:
    def test_a_new_sale_is_answered_201_with_its_address(self, till: Till) -> None:
        answer = till.post(croissants_and_coffee())

        assert answer.status_code == 201
        assert answer["Location"].endswith("/api/v1/public/pos/transactions/seeblick-2026-04-29-T-1/")
        assert Transaction.objects.count() == 1

    def test_a_retry_is_answered_200_with_the_same_body(self, till: Till) -> None:
        first = till.post(croissants_and_coffee())

        retry = till.post(croissants_and_coffee())

        assert retry.status_code == 200
        assert retry["Idempotent-Replayed"] == "true"
        assert body_of(retry) == body_of(first)

    def test_other_money_is_refused_and_parked_once(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        other = croissants_and_coffee(total_amount="13.50", rounding_amount="1.00")

        answers = [till.post(other) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [409, 409, 409]
        assert ParkedSale.objects.get().times_received == 3

    def test_the_neighbour_may_use_the_same_reference(self, till: Till, neighbours_till: Till) -> None:
        mine = till.post(croissants_and_coffee())

        theirs = neighbours_till.post(croissants_and_coffee())

        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert body_of(mine)["id"] != body_of(theirs)["id"]

    def test_each_call_leaves_one_row_in_the_activity_log(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        till.post(croissants_and_coffee())
        till.read_back("seeblick-2026-04-29-T-1")
        till.read_back("unknown")

        outcomes = list(InboundCall.objects.order_by("id").values_list("outcome", "status"))

        assert outcomes == [
            (Outcome.CREATED, 201),
            (Outcome.REPLAYED, 200),
            (Outcome.READ, 200),
            (Outcome.REFUSED, 404),
        ]

    def test_a_refused_sale_is_found_by_its_reference_but_no_body_is_kept(self, till: Till) -> None:
        till.post(croissants_and_coffee(total_amount="99.00"))
        till.post(croissants_and_coffee(external_ref={"card": "4000-1234"}))

        kept = list(InboundCall.objects.order_by("id").values_list("status", "external_ref"))

        assert kept == [(400, "seeblick-2026-04-29-T-1"), (400, "")]
