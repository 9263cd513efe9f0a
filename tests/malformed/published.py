"""The published description, taken at its word by Schemathesis: examples, edges, and what breaks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.faults.wire import HOST

DESCRIPTION = Path(__file__).parents[2] / "docs" / "reference" / "openapi.yaml"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,missing_required_header,unsupported_method,ignored_auth"
)
PHASES = "examples,coverage,fuzzing"


def follow_description(*, port: int, token: str, seed: int, examples: int) -> bool:
    """Whether nothing was found; what was is printed, with a call that shows it."""
    program = shutil.which("st", path=str(Path(sys.executable).parent)) or "st"
    command = [program, "run", str(DESCRIPTION), "--url", f"http://127.0.0.1:{port}", "--no-color"]
    command += ["--header", f"Authorization: Bearer {token}", "--header", f"Host: {HOST}"]
    command += ["--checks", CHECKS, "--phases", PHASES, "--max-examples", str(examples), "--seed", str(seed)]
    command += ["--max-response-time", "3", "--continue-on-failure", "--generation-allow-x00", "true"]
    # How long it takes to make an example up is none of our business.
    command += ["--suppress-health-check", "all"]
    return subprocess.run(command, check=False).returncode == 0
