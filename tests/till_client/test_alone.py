"""The package stands alone: nothing but Python is needed, and no part of this project."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.documents import ROOT

BLOCKED = """
import importlib.abc, pkgutil, sys

class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top != "till_client" and top not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not in the standard library")

sys.meta_path.insert(0, Wall())
sys.path.insert(0, sys.argv[1])
import till_client
for module in pkgutil.iter_modules(till_client.__path__):
    if module.name != "__main__":
        __import__(f"till_client.{module.name}")
import till_client.__main__
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"till_client", "__main__"}
print(sorted(foreign))
"""


class TestThePackage:
    def test_imports_with_everything_else_out_of_reach(self, tmp_path: Path) -> None:
        copied = tmp_path / "till_client"
        subprocess.run(["cp", "-r", str(ROOT / "till_client"), str(copied)], check=True)

        command = [sys.executable, "-I", "-S", "-W", "error", "-c", BLOCKED, str(tmp_path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

        assert run.stderr == ""
        assert run.stdout == "[]\n"

    def test_says_so_to_installers(self) -> None:
        packaging = tomllib.loads((ROOT / "till_client" / "pyproject.toml").read_text())

        assert packaging["project"]["dependencies"] == []
        assert (ROOT / "till_client" / "py.typed").exists()
        assert packaging["tool"]["setuptools"]["package-data"]["till_client"] == ["py.typed"]
