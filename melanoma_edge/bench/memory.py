"""Peak memory of a model file: how far loading it and one run raise the high-water mark of a fresh process.

What the runtime takes for itself is no property of the file: its packages are imported before the mark is reset.
Pages of the file that the runtime maps count, as they do in an app.
"""

import gc
import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from melanoma_edge import formats
from melanoma_edge.artifact import read_json, write_json
from melanoma_edge.errors import InputError

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET = "5"  # what sets VmHWM back to VmRSS (man 5 proc)


def peak_memory(path: Path) -> int | None:
    """Bytes, on one thread and the CPU; None where the system does not tell, which only Linux does.

    Raises InputError when the file cannot be run.
    """
    if not STATUS.is_file():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        answer = Path(scratch) / "peak.json"
        command = [sys.executable, "-m", "melanoma_edge.bench.memory", str(path), str(answer)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(
                f"{path} cannot be run in a process of its own: {(done.stderr.strip().splitlines() or [''])[-1]}"
            )
        return read_json(answer, int)


def measure(path: Path) -> int:
    """The same in this process, which must be fresh: memory that was freed before would be used again, uncounted."""
    for name in formats.of(path).engine().imports():
        importlib.import_module(name)
    gc.collect()
    before = _kilobytes("VmRSS" if _reset() else "VmHWM")  # the latter is too high if anything, and the answer too low
    network = formats.load(path, device="cpu")
    network.prepared(np.zeros((network.spec.size, network.spec.size, 3), np.uint8))()
    return 1024 * max(_kilobytes("VmHWM") - before, 0)


def _reset() -> bool:
    try:
        CLEAR.write_text(RESET)
    except OSError:  # some containers forbid it
        return False
    return True


def _kilobytes(name: str) -> int:
    line = re.search(rf"^{name}:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)
    return int(line[1]) if line else 0


if __name__ == "__main__":
    write_json(Path(sys.argv[2]), measure(Path(sys.argv[1])))
