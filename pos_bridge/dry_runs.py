"""What would become of sales, of which nothing stays; and what became of one, as the body that tells it.

A dry run goes the whole way of a sale and is rolled back at its end: what it says is what a sale would have met.
"""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from pos_bridge.activity import call_of
from pos_bridge.answers import remark_body, sale_body
from pos_bridge.batch import Each, Fate
from pos_bridge.faults import Fault, Refused
from pos_bridge.intake import TakenIn
from pos_bridge.problems import problem_body, problem_of, tell_operator

PARAMETER = "dry_run"
YES, NO = frozenset({"1", "true"}), frozenset({"0", "false"})


def is_dry_run(request: Request) -> bool:
    """Whether a post asks only what would happen; the log's row of the call then says so in its path.

    Raises:
        Refused: it is asked in a way that could mean anything: better nothing is stored than what was not meant.
    """
    asked = request.query_params.getlist(PARAMETER)
    if not asked or (len(asked) == 1 and asked[0] in NO):
        return False
    if len(asked) > 1 or asked[0] not in YES:
        raise Refused([Fault((PARAMETER,), "invalid", "Must be 1 or 0, once.")])
    call = call_of(request)
    call.path = f"{call.path.partition('?')[0]}?{PARAMETER}=1"
    return True


def each_body(request: Request, each: Each, *, stays: bool = True) -> dict[str, Any]:
    """What became of a sale: its fate, and the status and body of a post by itself."""
    if isinstance(each.outcome, TakenIn):
        status = 201 if each.outcome.created else 200
        body = sale_body(each.outcome.stored)
        if each.fate is Fate.CREATED and not stays:
            body["id"] = None
        if each.outcome.remarks:
            body["warnings"] = [remark_body(remark) for remark in each.outcome.remarks]
    else:
        problem = problem_of(each.outcome)
        status, body = problem.status, problem_body(problem, request)
        tell_operator(call_of(request), problem, each.outcome)
    return {"external_ref": each.external_ref, "result": each.fate, "status": status, "body": body}


def dry_run_body(request: Request, each: Each) -> dict[str, Any]:
    """The answer to a dry run of one sale; no till can take it for a sale's."""
    told = each_body(request, each, stays=False)
    return {"dry_run": True, "result": told["result"], "status": told["status"], "body": told["body"]}
