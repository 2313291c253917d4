"""`verify` on a finished bundle: it judges what ships, and says what it cannot judge."""

import json
import shutil
from pathlib import Path

import pytest

from melanoma_edge import shipped
from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.errors import InputError
from melanoma_edge.options import CompileOptions, DataOptions, EmulationOptions, Gates, ProofOptions, QuantizeOptions
from melanoma_edge.pipeline import compile_network
from melanoma_edge.report.bundle import amend
from melanoma_edge.verify.document import VerifyReport
from melanoma_edge.verify.gates import GRAPH_DP

NETWORK = Path(__file__).parent / "networks" / "meshnet_synthetic.onnx"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for TFLite alone."""
    chosen = CompileOptions(QuantizeOptions("static"), ProofOptions(bench_runs=1, robustness_images=0), Gates(1, 1, 1))
    plain, data = Normalization(), DataOptions("synthetic:300", calibration_images=40)
    made = compile_network(tmp_path_factory.mktemp("verify") / "honest", ("tflite",), NETWORK, plain, data, chosen)
    assert made.ships
    return made.folder


def verified(bundle: Path, gates: Gates) -> VerifyReport:
    return shipped.verify(bundle, None, None, None, gates, EmulationOptions())


def test_verify_holds_every_file_against_its_graph(honest: Path) -> None:
    rows = {g["artifact"]: g for g in verified(honest, Gates())["gates"] if g["name"] == "max_graph_dp"}
    assert set(rows) == {"honest_float32.tflite", "honest_static.tflite"}
    assert all(row["limit"] == GRAPH_DP and row["passed"] for row in rows.values())
    told = [g for g in verified(honest, Gates(max_graph_dp=0))["gates"] if g["name"] == "max_graph_dp"]
    assert {g["limit"] for g in told} == {0} and any(g["value"] > 0 and not g["passed"] for g in told)


def without(bundle: Path, copy: Path, file: str) -> Path:
    """A bundle of which one file was never listed."""
    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns(".work"))
    (copy / file).unlink()
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"][file]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def test_without_the_graph_a_stated_limit_is_refused_and_the_default_warns(honest: Path, tmp_path: Path) -> None:
    bare = without(honest, tmp_path / "bare", "reference/model_int8.onnx")
    with pytest.raises(InputError, match=r"--max-graph-dp: .* does not hold the graph that honest_static\.tflite"):
        verified(bare, Gates(max_graph_dp=0.01))
    told = verified(bare, Gates())
    assert [warning.code for warning in told.warnings] == ["graph_missing"]
    assert "honest_static.tflite" in told.warnings[0].text


def test_verify_refuses_a_policy_that_it_would_not_judge(honest: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(honest, tmp_path / "other", ignore=shutil.ignore_patterns(".work")))
    policy = json.loads((other / "policy.json").read_text())
    policy["artifacts"][0]["threshold"] += 0.01
    amend(other, {"policy.json": json.dumps(policy)}, {})
    with pytest.raises(InputError, match=r"policy\.json ships honest_float32\.tflite with a threshold of"):
        verified(other, Gates())
