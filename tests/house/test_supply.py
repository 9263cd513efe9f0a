"""What is shipped: listed, looked up, and above the versions in which a hole that concerns this service was mended."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from packaging.version import Version

import dev

MENDED = {
    "django": "5.2.19",
    "djangorestframework": "3.18.3",
    "gunicorn": "23.0.0",
    "psycopg": "3.3.0",
}
"""Django: control characters of a path in logs, SQL by names of parameters, texts that cost the admin its time, and
more, up to that release. Django REST framework: bodies larger than allowed, odd character sets, long headers. gunicorn,
a peer in the benchmark: requests smuggled by ``Transfer-Encoding``. psycopg: the pool that the service is built on.
"""


class TestTheLocks:
    @pytest.mark.parametrize("name", dev.LOCKS)
    def test_hold_nothing_older_than_where_its_holes_were_mended(self, name: str) -> None:
        pins = dict(re.findall(r"^([a-z0-9-]+)==([^ \\\n]+)", dev.lock_path(name).read_text(), re.MULTILINE))

        assert {each for each, oldest in MENDED.items() if Version(pins.get(each, oldest)) < Version(oldest)} == set()


def answer(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


class TestReadingAnAudit:
    def test_names_each_hole_and_where_it_was_mended(self) -> None:
        vulnerable = {
            "name": "django",
            "version": "5.2.1",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.2.2", "5.3"]}, {"id": "PYSEC-2", "fix_versions": []}],
        }

        holes, unknown, known = dev.read_audit(answer(vulnerable, {"name": "granian", "version": "2.8", "vulns": []}))

        assert holes == [
            "django 5.2.1: PYSEC-1, mended in 5.2.2, 5.3",
            "django 5.2.1: PYSEC-2, mended in nothing yet",
        ]
        assert (unknown, known) == (0, 2)

    def test_counts_what_nobody_knew(self) -> None:
        """A package that could not be looked up is no package without holes."""
        skipped = {"name": "django", "skip_reason": "not found"}

        assert dev.read_audit(answer(skipped)) == ([], 1, 0)

    @pytest.mark.parametrize("said", ["", "no network", "[]"])
    def test_takes_no_silence_for_an_answer(self, said: str) -> None:
        with pytest.raises(dev.Stop):
            dev.read_audit(said)
