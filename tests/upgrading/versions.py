"""The code of another version, out of git, run by the same Python and the same packages."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from tests.server.process import PROJECT

PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


class NoSuchVersion(Exception):
    """Git does not know it, or it cannot serve on this stage; the message says why."""


@dataclass(frozen=True, slots=True)
class Version:
    """Where its code lies, and what its processes are told besides."""

    name: str
    code: Path = PROJECT
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_roles(self) -> bool:
        """Whether it can serve as a role that owns no table."""
        return (self.code / "campone" / "management" / "commands" / "create_roles.py").exists()


def unpack(revision: str, folder: Path) -> Version:
    """The files of a revision, in a folder of their own.

    Raises:
        NoSuchVersion: git has none of that name, or it is from before the log had months.
    """
    made = subprocess.run(["git", "archive", revision], cwd=PROJECT, capture_output=True, check=False)
    if made.returncode:
        raise NoSuchVersion(made.stderr.decode(errors="replace").strip())
    with tarfile.open(fileobj=BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    if not (folder / "pos_bridge" / "partitions.py").exists():
        raise NoSuchVersion(f"{revision} writes a log without months; its rows are copied, and it is stopped for that.")
    return Version(revision, folder)


def other_packages(version: Version) -> list[str]:
    """What it was locked to and is not installed here, each with a sentence's worth of words."""
    theirs, ours = (
        dict(PINNED.findall((code / "requirements" / "runtime.lock").read_text())) for code in (version.code, PROJECT)
    )
    return [
        f"{name} {theirs.get(name, 'not at all')}, here {ours.get(name, 'not at all')}"
        for name in sorted(theirs.keys() | ours.keys())
        if theirs.get(name) != ours.get(name)
    ]
