"""`verify --arch arm64`: what goes into the bundle's report, and that an altered answer fails it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import onnx_ir as ir
import pytest
from onnx_graphs import Builder

from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.options import CompileOptions, DataOptions, FileOptions, Gates, ProofOptions, QuantizeOptions
from melanoma_edge.pipeline import compile_network
from melanoma_edge.report.bundle import verify_bundle
from melanoma_edge.report.schemas import schema

SIDE = 32
ANY = Gates(1, 1, 1, 1)
OPEN = ("--max-auc-drop", "1", "--max-flip-rate", "1", "--max-sensitivity-drop", "1", "--max-graph-dp", "1")


@pytest.fixture(scope="module")
def bundle(emulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network by the first default recipe, its last layer in float, with heat maps, for TFLite and ONNX."""
    b = Builder((1, 3, SIDE, SIDE))
    x = b.op("Relu", b.conv(b.image, 8, 3, strides=[2, 2]))
    x = b.op("Relu", b.conv(b.op("Relu", b.conv(x, 8, 3, group=8)), 12))
    folder = tmp_path_factory.mktemp("verified")
    ir.save(b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", x)), 2)), folder / "network.onnx")
    chosen = CompileOptions(
        QuantizeOptions("static"),
        ProofOptions(bench_runs=1, robustness_images=0),
        ANY,
        FileOptions(heat_map=True),
    )
    plain = Normalization()
    data = DataOptions("synthetic:1000", calibration_images=50)
    made = compile_network(folder / "small", ("tflite", "web"), folder / "network.onnx", plain, data, chosen)
    assert made.ships
    return made.folder


def verify(bundle: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "melanoma_edge", "verify", str(bundle), "--arch", "arm64", *OPEN, *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def verified(bundle: Path) -> dict:
    done = verify(bundle, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_file_gives_on_arm64_what_it_gives_here(verified: dict, bundle: Path) -> None:
    found = verified["arm64"]
    rows = {(row["artifact"], row["cpu"]): row for row in found["rows"]}
    assert {name for name, _ in rows} == {a["name"] for a in verified["artifacts"]} and len(rows) == 10
    assert all(row["holds"] and row["images"] == found["images"] == 100 and row["flips"] == 0 for row in rows.values())
    for cpu in found["cpus"]:
        assert rows["small_static.tflite", cpu]["differing_images"] == 0
    assert found["packages"]["ai-edge-litert"] and found["emulator"].startswith("qemu ")
    assert all(row["max_abs_dheat"] <= 1e-4 for row in rows.values())
    assert verified["gates"] and all(gate["passed"] for gate in verified["gates"])


def test_the_bundle_stays_one_and_its_report_has_the_section(verified: dict, bundle: Path) -> None:
    verify_bundle(bundle)
    report = json.loads((bundle / "report.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(report)
    assert report["arm64"]["rows"] == verified["arm64"]["rows"]
    assert sum(gate["name"].startswith("max_arm64_") for gate in report["gates"]) == 15
    assert report["verdict"]["ships"]
    page = (bundle / "report.html").read_text()
    assert 'id="arm64"' in page and "cortex-a76" in page and page.count("data:image/jpeg") > 0


def test_an_altered_answer_fails_with_exit_code_3_and_is_named(verified: dict, bundle: Path, tmp_path: Path) -> None:
    """The answers that a former call kept are altered in one bit, with the hash that goes with them."""
    from melanoma_edge.artifact import sha256_file

    copy = Path(shutil.copytree(bundle, tmp_path / "small"))
    stage = copy / ".work" / "arm64" / "small_static.tflite.cortex-a76"
    rows = np.fromfile(stage / "answers.f32", "<u4")
    rows[0] ^= 1
    rows.tofile(stage / "answers.f32")
    manifest = json.loads((stage / "manifest.json").read_text())
    manifest["outputs"]["answers.f32"]["sha256"] = sha256_file(stage / "answers.f32")
    (stage / "manifest.json").write_text(json.dumps(manifest))
    done = verify(copy)
    assert done.returncode == 3, done.stderr
    line = next(line for line in done.stderr.splitlines() if line.startswith("PARITY: "))
    assert "small_static.tflite on cortex-a76" in line and "the same bits" in line and "1 of 100" in line
    report = json.loads((copy / "report.json").read_text())
    assert not report["verdict"]["ships"] and "ARM64" in report["verdict"]["reasons"][0]
    jsonschema.Draft202012Validator(schema()).validate(report)
    assert "FAILS" in (copy / "report.html").read_text()


def test_too_few_images_and_a_missing_set_up_are_refused(bundle: Path, monkeypatch, tmp_path: Path) -> None:
    few = verify(bundle, "--arch-images", "99")
    assert few.returncode == 2 and "from 100 up" in few.stderr
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lacking = verify(bundle)
    assert lacking.returncode == 2 and "scripts/arm64.sh" in " ".join(lacking.stderr.split())
