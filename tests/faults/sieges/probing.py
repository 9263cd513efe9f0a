"""Single calls beside the tills, to see what one key is answered at one moment."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from tests.faults.model import Answer
from tests.faults.wire import BASE, HOST

PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Probe:
    """One key, and a new connection for each call."""

    port: int
    token: str

    def ping(self) -> Answer:
        """What costs one call of the budget and nothing else."""
        return self.call("GET", "ping/")

    def post(self, sale: dict[str, Any]) -> Answer:
        """A sale that the tills know nothing of; by a test key, so that no books do."""
        return self.call("POST", "transactions/", json.dumps(sale).encode())

    def call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Any call below the base path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            head = {"Host": HOST, "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, f"{BASE}/{path}", body, head)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()
