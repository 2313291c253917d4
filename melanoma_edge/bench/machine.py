"""The machine that figures were measured on, and what `doctor` finds on it: versions, devices, what is missing.

Packages are looked up before they are imported, so that `diagnose` answers when some are missing.
"""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from melanoma_edge.artifact import cache_folder
from melanoma_edge.bench import browser
from melanoma_edge.bench.document import MachineFacts
from melanoma_edge.cores import usable_cores
from melanoma_edge.options import AUTO

OK, WARNING, MISSING = "ok", "warning", "missing"
DISTRIBUTION = "melanoma-edge"
PYTHON = (3, 11)
MIN_FREE_GIB = 5.0  # decoded HAM10000 at 224 pixels is 2, checkpoints and graphs less than 1
GIB = 2**30
# What the speed of INT8 kernels hangs on, as /proc/cpuinfo names it on x86 (flags) and ARM (Features).
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
VERSIONS = ("torch", "onnxruntime", "ai-edge-litert", "tflite-runtime", "tensorflow", "numpy")
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:>=(?P<least>[\d.]+))?(?:; extra == \"(?P<extra>[\w-]+)\")?")


@dataclass(frozen=True)
class Finding:
    """One line of `doctor`. `status` is ok, warning or missing; `remedy` says what to do about the latter two."""

    name: str
    status: str
    detail: str
    remedy: str | None = None


def machine() -> MachineFacts:
    """This one."""
    import psutil

    from melanoma_edge.runtime import pytorch

    known = _cpuinfo("flags|Features").split()
    return MachineFacts(
        processor=processor(),
        cores=usable_cores(),
        memory=f"{psutil.virtual_memory().total / GIB:.1f} GiB",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"Python {platform.python_version()}",
        gpu=pytorch.gpu(),
        instructions=tuple(name for name in INSTRUCTIONS if name in known),
        versions={name: version for name in VERSIONS if (version := _version(name))},
    )


def processor() -> str:
    """The processor's name; from /proc/cpuinfo where that has it, since py-cpuinfo takes a second."""
    name = _cpuinfo("model name|Hardware")
    if not name and importlib.util.find_spec("cpuinfo"):
        import cpuinfo

        name = str(cpuinfo.get_cpu_info().get("brand_raw", ""))
    return name or platform.processor() or platform.machine()


def diagnose() -> list[Finding]:
    """Everything that `doctor` shows, in the order of what to mend first."""
    return [_python(), *_packages(), *_runtimes(), _torch(), *_emulation(), _browser(), _disk(Path.cwd()), _cache()]


def _python() -> Finding:
    detail = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < PYTHON:
        return Finding("python", WARNING, detail, f"Python {PYTHON[0]}.{PYTHON[1]} or later is needed")
    return Finding("python", OK, detail)


def _packages() -> Iterator[Finding]:
    """The packages that our own metadata requires; those of an extra are optional, those of `dev` left out."""
    try:
        required = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(DISTRIBUTION, MISSING, "runs from a folder, not installed", "pip install melanoma-edge")
        return
    for text in required:
        parsed = REQUIREMENT.match(text.replace(" ; ", "; "))
        if parsed and parsed["extra"] != "dev":
            yield _package(parsed["name"], parsed["least"] or "0", parsed["extra"])


def _package(name: str, least: str, extra: str | None) -> Finding:
    version = _version(name)
    install = f"pip install 'melanoma-edge[{extra}]'" if extra else f"pip install '{name}>={least}'"
    if version is None and extra:
        return Finding(name, OK, f"not installed (optional: {install})")
    if version is None:
        return Finding(name, MISSING, "not installed", install)
    if _release(version) < _release(least):
        return Finding(name, WARNING, f"{version}, but {least} or later is needed", install)
    return Finding(name, OK, version)


def _runtimes() -> Iterator[Finding]:
    """Each runtime, and which package serves it."""
    if not all(importlib.util.find_spec(module) for module in ("numpy", "PIL")):
        return  # the runtimes cannot be asked, and the packages' lines say why
    from melanoma_edge import formats

    for form in formats.known():
        runtime, name = form.engine(), f"runtime for {form.suffix}"
        missing = runtime.available()
        if missing:
            yield Finding(name, MISSING, missing, missing.rpartition(": ")[2])
        else:
            yield Finding(name, OK, ", ".join(f"{package} {found}" for package, found in runtime.versions().items()))


def _torch() -> Finding:
    """The device that training and the reference would use, which only an import can tell."""
    if not importlib.util.find_spec("torch"):
        return Finding("device", MISSING, "torch is not installed", "pip install torch torchvision")
    try:
        import torch
        import torchvision  # noqa: F401  (its wheel may not fit torch's)
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        return Finding("device", WARNING, f"torch or torchvision does not import: {reason}", "install both together")
    if torch.cuda.is_available():
        return Finding("device", OK, f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})")
    return Finding("device", OK, f"{processor()}, {usable_cores()} cores; no CUDA GPU, and none is needed")


def _emulation() -> Iterator[Finding]:
    """What `verify --arch arm64` needs; nobody has to have it."""
    if not all(importlib.util.find_spec(module) for module in ("numpy", "PIL")):
        return
    from melanoma_edge.runtime import arm64

    lacking = arm64.missing()
    detail = f"not set up (optional: {arm64.SET_UP})" if lacking else f"qemu {arm64.emulation().version}"
    yield Finding("emulated ARM64", OK, detail)


def _browser() -> Finding:
    """What the web target's files would be timed in; a build does without."""
    program = browser.find(AUTO)
    if program is None:
        return Finding("browser", OK, "no Chromium (optional: the web target times its files in one)")
    return Finding("browser", OK, f"{program} (optional: the web target times its files in it)")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / GIB
    detail = f"{free:.1f} GiB free in {folder}"
    if free < MIN_FREE_GIB:
        return Finding("disk", WARNING, detail, f"a build may need {MIN_FREE_GIB:.0f} GiB: free some, or set --output")
    return Finding("disk", OK, detail)


def _cache() -> Finding:
    folder = cache_folder()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding("cache", OK, str(folder))
    return Finding("cache", WARNING, f"{folder} cannot be written", "set XDG_CACHE_HOME to a folder that can")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, for comparing."""
    leading = re.match(r"[\d.]*", version)
    return tuple(int(part) for part in (leading[0] if leading else "").split(".") if part)


def _cpuinfo(keys: str) -> str:
    """The first value of one of `keys` (a regular expression) in /proc/cpuinfo; empty where there is none."""
    path = Path("/proc/cpuinfo")
    text = path.read_text(errors="replace") if path.is_file() else ""
    line = re.search(rf"^(?:{keys})\s*:\s*(.+)$", text, re.MULTILINE)
    return line[1].strip() if line else ""
