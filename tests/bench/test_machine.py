import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from melanoma_edge.bench import machine
from melanoma_edge.bench.machine import Finding, diagnose


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_this_machine_is_described():
    facts = machine.machine()
    assert facts.processor
    assert 1 <= facts.cores <= (os.cpu_count() or 1)
    assert facts.versions["onnxruntime"] == importlib.metadata.version("onnxruntime")
    assert facts.memory.endswith(" GiB")


def test_processor_and_instructions_are_read_from_cpuinfo(monkeypatch: pytest.MonkeyPatch):
    text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 avx512_vnni\n\nprocessor\t: 1\n"
    monkeypatch.setattr(Path, "is_file", lambda self: True)
    monkeypatch.setattr(Path, "read_text", lambda self, **_: text)
    assert machine.processor() == "Some CPU @ 2 GHz"
    assert machine.machine().instructions == ("avx2", "avx512_vnni")


def test_doctor_says_how_to_get_emulated_arm64(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    finding = by_name(diagnose())["emulated ARM64"]
    assert finding.status == "ok" and "scripts/arm64.sh" in finding.detail


def test_doctor_finds_everything_here():
    findings = by_name(diagnose())
    assert findings["python"].status == "ok"
    assert findings["torch"].detail == importlib.metadata.version("torch")
    for suffix in (".onnx", ".tflite", ".safetensors"):
        assert findings[f"runtime for {suffix}"].status == "ok"
    assert {"device", "disk", "cache"} <= set(findings)
    assert all((f.remedy is None) == (f.status == "ok") for f in findings.values())
    assert "pytest" not in findings


def test_missing_packages_are_findings_with_a_remedy(monkeypatch: pytest.MonkeyPatch):
    gone = {"torch", "ai_edge_litert", "tflite_runtime", "tensorflow", "ai-edge-litert", "nncf"}
    find, version = importlib.util.find_spec, importlib.metadata.version

    def missing(name: str) -> str:
        if name in gone:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in gone else find(name))
    monkeypatch.setattr("importlib.metadata.version", missing)
    findings = by_name(diagnose())
    assert findings["torch"] == Finding("torch", "missing", "not installed", findings["torch"].remedy)
    assert findings["torch"].remedy.startswith("pip install 'torch>=")
    assert findings["device"].status == "missing"
    tflite = findings["runtime for .tflite"]
    assert (tflite.status, tflite.remedy) == ("missing", "pip install ai-edge-litert")
    assert findings["nncf"].status == "ok"
    assert "pip install 'melanoma-edge[nncf]'" in findings["nncf"].detail


def test_doctor_answers_without_numpy_and_torch():
    """The command line imports it on machines where half of the packages are missing."""
    code = """
import sys
for name in ("numpy", "PIL", "torch", "psutil", "cpuinfo", "onnxruntime"):
    sys.modules[name] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if sys.modules.get(name, 0) is None else find(name)
from melanoma_edge.bench.machine import diagnose
print([f.status for f in diagnose() if f.name == "device"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['missing']"


def test_old_packages_are_warned_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["onnx>=99.1", "odd", 'x>=1; extra == "dev"'])
    findings = list(machine._packages())
    assert [(f.name, f.status) for f in findings] == [("onnx", "warning"), ("odd", "missing")]
    assert findings[0].detail.endswith("but 99.1 or later is needed")
    assert findings[0].remedy == "pip install 'onnx>=99.1'"


@pytest.mark.parametrize(
    ("found", "least", "older"), [("2.10.0", "2.9", False), ("2.9.1+cpu", "2.10", True), ("3", "3", False)]
)
def test_versions_compare_by_number(found: str, least: str, older: bool):
    assert (machine._release(found) < machine._release(least)) == older


def test_a_torch_that_does_not_import_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    finding = machine._torch()
    assert finding.status == "warning"
    assert "does not import" in finding.detail


def test_little_disk_and_a_closed_cache_are_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**10, 9 * 10**9, 10**9))
    assert machine._disk(tmp_path).status == "warning"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert machine._cache().status == "warning"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    assert machine._cache() == Finding("cache", "ok", str(tmp_path / "new" / "cache" / "melanoma-edge"))
