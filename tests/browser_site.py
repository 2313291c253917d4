"""What the tests of the npm package share: the served package, and Node's commands."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from in_browser import MODULES

SOURCES = Path(__file__).resolve().parents[1] / "web"


@dataclass(frozen=True)
class Site:
    """A package in a folder of its own, served: harness.html for tests, demo/ for people."""

    folder: Path
    url: str

    @property
    def package(self) -> Path:
        return self.folder / "package"


def node(*command: object, cwd: Path) -> str:
    """Run a command of web/node_modules/.bin, or node itself; fails the test with what it printed."""
    words = [str(word) for word in command]
    program = words[0] if words[0] in ("node", "npm") else str(MODULES / ".bin" / words[0])
    done = subprocess.run([program, *words[1:]], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
