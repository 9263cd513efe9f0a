"""Both SAPs of the tests, and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tenants import outgoing
from tests.journal.books import StandingClock
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.fake_s4hana import FakeS4Hana


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(autouse=True)
def saps_are_on_this_machine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be called, and are not waited for any longer than needed."""
    settings.ALLOW_LOOPBACK_CALLS = True
    monkeypatch.setattr(outgoing, "ANSWER_SECONDS", 0.4)


@pytest.fixture
def business_one() -> Iterator[FakeBusinessOne]:
    sap = FakeBusinessOne()
    yield sap
    sap.close()


@pytest.fixture
def s4hana() -> Iterator[FakeS4Hana]:
    sap = FakeS4Hana()
    yield sap
    sap.close()


@pytest.fixture(params=["business_one", "s4hana"])
def sap(request: pytest.FixtureRequest) -> Any:
    """Each SAP in turn."""
    return request.getfixturevalue(request.param)
