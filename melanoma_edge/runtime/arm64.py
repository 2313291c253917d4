"""Model files on the instruction set that phones have: ARM64, emulated by qemu's user mode on this machine.

`scripts/arm64.sh` fetches what it takes: Debian's Python for arm64 and the runtimes' aarch64 wheels. Runtimes choose
their kernels by the processor, so each of `CPUS` has a root of its own, whose /proc/cpuinfo names the core that qemu
plays. Not `-cpu max`: with its matrix extension (SME) integer sums come out wrong in qemu 7.2. The times are qemu's:
they say nothing about a phone.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from melanoma_edge.artifact import cache_folder
from melanoma_edge.errors import EdgeError, InputError

CPUS = {  # qemu's name to the "CPU part" and the features of its /proc/cpuinfo
    "cortex-a53": ("0xd03", "fp asimd aes pmull sha1 sha2 crc32"),
    "cortex-a76": ("0xd0b", "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"),
}
SET_UP = "sh scripts/arm64.sh"
EMULATOR = ("qemu-aarch64-static", "qemu-aarch64")
PYTHON, WHEELS = "usr/bin/python3.11", "wheels"
ANSWER = Path(__file__).with_name("arm64_answer.py")
LITERT = "ai-edge-litert"
CPUINFO = """processor\t: 0
BogoMIPS\t: 48.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 4
"""
CORES = {"possible": "0", "present": "0", "online": "0", "kernel_max": "255"}
LAST_WORDS = 60  # of what a failed run wrote

OnImage = Callable[[int, int], None]


@dataclass(frozen=True)
class Emulation:
    """The set-up as it was found. packages: name to version, of Debian's arm64 packages and of the wheels."""

    emulator: str  # path of qemu
    version: str
    root: Path
    packages: dict[str, str]


def home() -> Path:
    """Where `scripts/arm64.sh` leaves the set-up."""
    return cache_folder() / "arm64"


def missing() -> str | None:
    """None when ARM64 can be emulated here, else one line on what is lacking and the command that gets it."""
    if _emulator() is None:
        return f"qemu's user mode for ARM64 is not installed: run `{SET_UP}` in the project's folder"
    if not (home() / "root" / PYTHON).exists() or not (home() / "installed").is_file():
        return f"the ARM64 set-up is not in {home()}: run `{SET_UP}` in the project's folder"
    return None


def emulation() -> Emulation:
    """The set-up. Raises InputError, naming the command that makes it, when there is none."""
    emulator, lacking = _emulator(), missing()
    if lacking is not None or emulator is None:
        raise InputError(f"ARM64 cannot be emulated: {lacking}")
    answer = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=True).stdout
    qemu = re.search(r"version (\S+)", answer)
    packages = dict(line.split(" ", 1) for line in (home() / "packages").read_text().splitlines())
    for folder in (home() / "root" / WHEELS).glob("*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        packages[name.replace("_", "-")] = version
    return Emulation(emulator, qemu[1] if qemu else "unknown", home() / "root", packages)


def answers(
    machine: Emulation,
    cpu: str,
    model: Path,
    images: Path,
    outputs: int,
    file: Path,
    on_image: OnImage,
    runtime: Sequence[str],
) -> None:
    """Leave in `file` what `model` answers on an emulated core: float32 `[N, outputs]`, one output after the other.

    images: a .npy file of uint8 `[N, S, S, 3]`, normalised as `(pixel - 128) / 128`. outputs: numbers an image gives.
    Rows are written as they come, so that the same call goes on where a killed one stopped. on_image: is called with
    images done and their number. runtime: a key of `arm64_answer.RUNTIMES`, and `name=value` of ONNX Runtime's session.
    Raises EdgeError with the runtime's own words when the file does not run there.
    """
    count, width = int(np.load(images, mmap_mode="r").shape[0]), 4 * outputs
    file.touch()
    done = file.stat().st_size // width
    os.truncate(file, done * width)  # a row that was cut off goes
    on_image(done, count)
    if done < count:
        with root(machine, cpu) as folder:
            words = [machine.root / PYTHON, ANSWER, model, images, file, done, *runtime]
            line = command(machine, cpu, folder, *words)
            _run(line, machine, lambda number: on_image(number, count), f"{model.name} on {cpu}")
    if (size := file.stat().st_size) != count * width:
        raise EdgeError(f"{model.name} on {cpu} gave {size} bytes for {count} images; {width} each are awaited")


@contextlib.contextmanager
def root(machine: Emulation, cpu: str) -> Iterator[Path]:
    """A folder that programs on an emulated core take for `/`, as far as it goes: it says what core they run on."""
    part, features = CPUS[cpu]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for inner in machine.root.iterdir():
            (folder / inner.name).symlink_to(inner)
        places = {"proc/cpuinfo": CPUINFO.format(part=part, features=features)}
        places |= {f"sys/devices/system/cpu/{file}": f"{value}\n" for file, value in CORES.items()}
        for place, text in places.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text)
        yield folder


def command(machine: Emulation, cpu: str, folder: Path, *words: object) -> list[str]:
    """The command line that runs an ARM64 program on an emulated core, in the folder of `root`."""
    return [machine.emulator, "-cpu", cpu, "-L", str(folder), *map(str, words)]


def _run(line: Sequence[str], machine: Emulation, on_number: Callable[[int], None], what: str) -> None:
    """Run `arm64_answer.py`, which says the number of each image that is done."""
    wheels = str(machine.root / WHEELS)
    env = {"LANG": "C.UTF-8", "PYTHONHOME": "/usr", "PYTHONPATH": wheels, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, text=True, env=env)
        with process:  # reads to the end, whatever happens
            for number in process.stdout or ():
                on_number(int(number))
        if process.returncode:
            errors.seek(0)
            reason = " ".join(errors.read().split()[-LAST_WORDS:]) or f"it ended with {process.returncode}"
            raise EdgeError(f"{what} (emulated by qemu {machine.version}) does not run: {reason}")


def _emulator() -> str | None:
    return next((path for name in EMULATOR if (path := shutil.which(name))), None)
