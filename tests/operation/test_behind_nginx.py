"""The stack that ``docs/how-to/run-behind-nginx.md`` describes, put up as it says, and sold through."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from campone.deeds import DEEDS
from tests.operation.stack import UNITS, WATCHED, Stack, stack_of_the_guide, texts_of
from tests.server.calls import Answer
from tests.till import BASE, HOST, croissants_and_coffee

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(300)]

PATIENCE = 30
SLOW_TILLS = 200
PING = f"GET {BASE}/ping/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack_of_the_guide(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


class ProxiedTill:
    """A till that calls by TLS, through the proxy, on a new connection each time."""

    def __init__(self, stack: Stack, *, port: int | None = None) -> None:
        self.port = port or stack.tls
        self.headers = {"Host": HOST, "Authorization": f"Bearer {stack.token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Any call."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=trusting())
        connection.request(method, path, body, self.headers)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, named, response.read())
        connection.close()
        return answer

    def post(self, sale: Any) -> Answer:
        """Post a sale."""
        return self.call("POST", f"{BASE}/transactions/", json.dumps(sale).encode())

    def open(self, sent: bytes) -> ssl.SSLSocket:
        """A connection on which something was sent."""
        opened = trusting().wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))
        opened.sendall(sent)
        return opened

    def head(self, *lines: str) -> str:
        """The head of a POST, ended."""
        named = [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([f"POST {BASE}/transactions/ HTTP/1.1", *named, *lines, "", ""])


def trusting() -> ssl.SSLContext:
    """For the certificate that these tests have made."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def plain(stack: Stack, method: str, path: str) -> Answer:
    """A call by plain HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.plain, timeout=PATIENCE)
    connection.request(method, path, headers={"Host": HOST, "Authorization": f"Bearer {stack.token}"})
    response = connection.getresponse()
    answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return answer


@pytest.fixture
def till(stack: Stack) -> ProxiedTill:
    return ProxiedTill(stack)


class TestASale:
    def test_comes_through_once(self, till: ProxiedTill) -> None:
        sale = croissants_and_coffee(external_ref="T-through")

        assert [till.post(sale).status for _ in range(3)] == [201, 200, 200]

    @pytest.mark.parametrize("reference", ["2026/07/T-1", "a%2Fb", "a//b", "Zelt 7 + Gas=1", "T-é"])
    def test_keeps_its_reference(self, till: ProxiedTill, reference: str) -> None:
        till.post(croissants_and_coffee(external_ref=reference))

        answer = till.call("GET", f"{BASE}/transactions/{quote(reference, safe='')}/")

        assert (answer.status, answer.body["external_ref"]) == (200, reference)

    def test_is_told_its_links_under_the_public_address(self, till: ProxiedTill) -> None:
        answer = till.post(croissants_and_coffee(external_ref="T-linked"))

        assert answer.headers["location"].startswith("https://api.campone.example/")
        assert re.fullmatch(r"max-age=\d{8,};.*", answer.headers["strict-transport-security"])

    def test_is_not_held_up_by_two_hundred_that_come_slowly(self, till: ProxiedTill) -> None:
        half = json.dumps(croissants_and_coffee()).encode()[:100]
        head = till.head("Content-Length: 400").encode()
        with ExitStack() as slow, ThreadPoolExecutor(8) as quick:
            for _ in range(SLOW_TILLS):
                slow.enter_context(till.open(head + half))
            sales = [croissants_and_coffee(external_ref=f"T-quick-{number}") for number in range(64)]
            answers = list(quick.map(till.post, sales))

        assert Counter(answer.status for answer in answers) == {201: 64}

    def test_is_lost_by_no_reload(self, stack: Stack, till: ProxiedTill) -> None:
        workers = set(stack.service.workers())
        with ThreadPoolExecutor(4) as tills:
            sales = [croissants_and_coffee(external_ref=f"T-reloaded-{number}") for number in range(200)]
            answers = [tills.submit(till.post, sale) for sale in sales]
            stack.service.tell(signal.SIGHUP)
            statuses = Counter(answer.result().status for answer in answers)
            while workers & set(stack.service.workers()):
                assert till.call("GET", f"{BASE}/ping/").status == 200

        assert statuses == {201: 200}


class TestAFileOfPastSales:
    @pytest.mark.parametrize(("megabytes", "let_through"), [(10, True), (12, False)])
    def test_is_let_through_as_long_as_it_may_be(self, till: ProxiedTill, megabytes: int, let_through: bool) -> None:
        answer = till.call("POST", "/einstellungen/integrationen/import", b" " * megabytes * 2**20)

        assert (answer.status != 413) is let_through


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("asked", "status", "code"),
        [
            (("POST", f"{BASE}/transactions/", b" " * 300_000), 413, "payload_too_large"),
            (("POST", f"{BASE}/transactions/", b" " * 4_000_000), 413, "payload_too_large"),
            (("GET", f"{BASE}/transactions/T-of-nobody/"), 404, "not_found"),
            (("GET", f"{BASE}/{'x' * 20_000}"), 414, "uri_too_long"),
            (("GET", f"{BASE}/transactions/%zz/"), 400, "bad_request"),
        ],
        ids=["by the service", "by the proxy", "unknown", "long", "malformed"],
    )
    def test_is_refused_in_json(self, till: ProxiedTill, asked: Any, status: int, code: str) -> None:
        answer = till.call(*asked)

        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
        assert (answer.body["code"], answer.body["detail"], answer.body["status"]) == (code, code, status)
        assert answer.body["retryable"] is False

    @pytest.mark.parametrize("path", ["/metrics", "/readyz"])
    def test_nothing_for_the_operator_is_told_to_the_world(self, till: ProxiedTill, path: str) -> None:
        assert till.call("GET", path).status == 404

    @pytest.mark.parametrize(
        "lines",
        [
            ("Content-Length: 4", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Content-Length: 4"),
            ("Content-Length: 4", "Content-Length: 5"),
            ("Content-Length: 4, 5",),
            ("Content-Length: +4",),
            ("Content-Length: 0x4",),
            ("Transfer-Encoding: xchunked",),
            ("Transfer-Encoding: chunked, identity",),
            ("Transfer-Encoding : chunked",),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ],
        ids=" + ".join,
    )
    def test_two_requests_in_one_are_none(self, till: ProxiedTill, lines: tuple[str, ...]) -> None:
        with till.open((till.head(*lines) + "0\r\n\r\n" + PING).encode()) as connection:
            heard = b"".join(iter(lambda: connection.recv(65536), b""))

        statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)
        assert len(statuses) == 1
        assert statuses[0] in {b"400", b"501"}


class TestPlainHTTP:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_of_a_till_is_refused_and_led_nowhere(self, stack: Stack, method: str) -> None:
        answer = plain(stack, method, f"{BASE}/transactions/")

        assert (answer.status, answer.body["code"]) == (403, "https_required")
        assert "location" not in answer.headers

    def test_of_a_person_is_led_to_tls(self, stack: Stack) -> None:
        answer = plain(stack, "GET", "/kasse/transaktionen?page=2")

        assert (answer.status, answer.headers["location"]) == (308, f"https://{HOST}/kasse/transaktionen?page=2")


class TestAServiceThatIsStopped:
    def test_is_answered_for_so_that_tills_come_back(self, stack: Stack) -> None:
        answer = ProxiedTill(stack, port=stack.dead).post(croissants_and_coffee())

        assert (answer.status, answer.body["code"], answer.body["retryable"]) == (503, "unavailable", True)
        assert int(answer.headers["retry-after"]) > 0


class TestTheServiceItself:
    """At its own port, by the role that owns nothing."""

    def test_is_ready(self, stack: Stack) -> None:
        assert self.ask(stack, "/readyz").status == 200

    def test_tells_how_campgrounds_stand(self, stack: Stack, till: ProxiedTill) -> None:
        sale = croissants_and_coffee(external_ref="T-parked")
        till.post(sale)
        assert till.post({**sale, "payment_method": "CARD"}).status == 409

        told = self.ask(stack, "/metrics").content

        assert b"\nbridge_database_up 1.0\n" in told
        assert b"\nbridge_parked_sales 1.0\n" in told

    @staticmethod
    def ask(stack: Stack, path: str) -> Answer:
        """Without TLS, by the machine's address."""
        connection = http.client.HTTPConnection("127.0.0.1", stack.service.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Authorization": f"Bearer {WATCHED['METRICS_TOKEN']}"})
        response = connection.getresponse()
        answer = Answer(response.status, {}, response.read())
        connection.close()
        return answer


class TestTheUnits:
    def test_are_all_that_the_page_names(self) -> None:
        named = set(re.findall(r"\bbridge[a-z-]*\.(?:service|timer)\b", "".join(texts_of("sh"))))

        assert {name.partition(".")[0] for name in named} <= {unit.stem for unit in UNITS.iterdir()}

    def test_do_their_deeds(self, stack: Stack) -> None:
        stack.run_unit("bridge-migrate.service", owner=True)
        stack.run_unit("bridge-due.service")
        stack.run_unit("bridge-prune.service", owner=True)

        with psycopg.connect(stack.owner["DATABASE_URL"]) as connection:
            done = connection.execute("SELECT name FROM campone_deed WHERE done_at IS NOT NULL").fetchall()
        assert {name for (name,) in done} == set(DEEDS)

    def test_every_line_of_the_service_is_json(self, stack: Stack) -> None:
        lines = stack.service.log.read_text().splitlines()

        assert any("Serving https://api.campone.example" in json.loads(line)["message"] for line in lines)
