"""The last stage: what stands in the report and the bundle, where it is from, and what is left when a gate failed."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx_ir as ir
import pytest
from small_images import darkness, lesions

from melanoma_edge.artifact import builtins, sha256_file
from melanoma_edge.bench.document import BenchReport
from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.errors import EdgeError, InputError
from melanoma_edge.options import CompileOptions, DataOptions, Gates, ProofOptions, QuantizeOptions
from melanoma_edge.pipeline import compile_network
from melanoma_edge.report.bundle import verify_bundle
from melanoma_edge.report.document import Report
from melanoma_edge.stages import quantize, ship
from melanoma_edge.targets import choose
from melanoma_edge.verify.document import VerifyReport
from melanoma_edge.verify.policy import read_policy

PLAIN = Normalization()
WITHHELD = {"report.json", "report.html", "flips.csv"}


@dataclass(frozen=True)
class Built:
    """What a build hands to this stage."""

    made: ship.Leftovers
    verify: VerifyReport
    bench: BenchReport
    options: CompileOptions

    def report(self, **changes: Any) -> Report:
        """changes: of the verify document."""
        return ship.report(self.made, replace(self.verify, **changes), self.bench, self.options)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    work, caught = tmp_path_factory.mktemp("ship"), []
    ir.save(darkness(), work / "network.onnx")
    options = CompileOptions(QuantizeOptions("static"), ProofOptions(bench_runs=1, robustness_images=0), Gates(1, 1, 1))
    data = DataOptions(f"folder:{lesions(work / 'lesions', 60)}", calibration_images=40, seed=3)
    whole = ship.report

    def report(*given: Any) -> Report:
        caught.append(Built(*given))
        return whole(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ship, "report", report)
        assert compile_network(work / "net", ("tflite",), work / "network.onnx", PLAIN, data, options).ships
    return caught[0]


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".work" not in p.parts}


def test_the_report_tells_what_every_stage_left(built: Built) -> None:
    told, made = built.report(), built.made
    assert (told["name"], told["build"]["seed"], told["build"]["targets"]) == ("net", 3, ("tflite",))
    assert told["training"] is None and told["build"]["arch"] is None, "a network from elsewhere"
    options = told["build"]["options"]
    assert options["data"]["calibration_images"] == 40 and options["quantize"]["quantizer"] == "static"
    assert options["gates"]["max_auc_drop"] == 1 and options["proof"]["bench_runs"] == 1
    assert "train" not in options and options["targets"] == {"tflite": {}}
    assert told.build.quantization.quantizer.chosen == "static"
    assert told.data.calibration.count == 40 and told.data.images == 120
    assert {row["name"] for row in told["artifacts"]} == {a.path.name for a in made.artifacts}
    for row in told["files"]:
        assert row["stage"] and row["versions"]["melanoma-edge"] and row["seconds"] >= 0


def test_the_policy_has_the_thresholds_that_were_judged(built: Built) -> None:
    policy = built.report()["policy"]
    assert {row["name"] for row in policy["artifacts"]} == {a.path.name for a in built.made.artifacts}
    for row in policy["artifacts"]:
        assert row["threshold"] == built.verify["operating_point"]["threshold"]
        assert row["rejection_threshold"] == built.verify["rejection"]["threshold"]
    moved = built.report(operating_point=replace(built.verify.operating_point, threshold=0.125))["policy"]
    assert {row["threshold"] for row in moved["artifacts"]} == {0.125}


def test_advice_that_is_gone_is_told(built: Built, tmp_path: Path) -> None:
    proof = replace(built.options.proof, advice=str(tmp_path / "gone.json"))
    with pytest.raises(InputError, match=r"gone\.json"):
        replace(built, options=replace(built.options, proof=proof)).report()


def test_every_file_ships_with_its_origin(built: Built, tmp_path: Path) -> None:
    output, made = tmp_path / "net", built.made
    ship.finish(output, made, built.report())
    manifest = verify_bundle(output)
    assert files(output) == {*manifest["files"], "manifest.json"}
    assert files(output) > WITHHELD | {"policy.json", "MODEL_CARD.md", "reference/model.onnx"}
    shipped = {row["file"]: row for row in manifest["artifacts"]}
    assert set(shipped) == {"tflite/net_float32.tflite", "tflite/net_static.tflite"}
    for artifact in made.artifacts:
        (file,) = (name for name, row in shipped.items() if row["name"] == artifact.path.name)
        assert sha256_file(output / file) == artifact.sha256
        assert (shipped[file]["format"], shipped[file]["precision"]) == (artifact.format, artifact.precision)
    for name, stage in (
        ("tflite/net_static.tflite", "emit"),
        ("reference/predictions.csv", "temperature"),
        (ship.INT8_GRAPH, "quantize"),
    ):
        row = manifest["files"][name]
        assert row["stage"] == stage and row["sha256"] == sha256_file(output / name), name
    assert read_policy(output) == built.report().policy
    assert (output / ship.INT8_GRAPH).read_bytes() == (made.quantized.folder / "model.onnx").read_bytes()
    assert manifest["operating_point"] == builtins(built.verify.operating_point) and manifest["data"]["seed"] == 3


def test_a_failed_gate_leaves_the_report_alone(built: Built, tmp_path: Path) -> None:
    first, *others = built.verify.gates
    ship.finish(tmp_path / "net", built.made, built.report())
    told = built.report(gates=(replace(first, limit=0.0, value=0.5, passed=False), *others))
    ship.finish(tmp_path / "net", built.made, told)
    assert files(tmp_path / "net") == WITHHELD, "what was there before is gone too"
    written = json.loads((tmp_path / "net" / "report.json").read_text())
    assert not written["verdict"]["ships"] and len(written["verdict"]["reasons"]) == 1


def test_a_target_whose_file_was_not_made_is_an_error(built: Built, tmp_path: Path) -> None:
    other = replace(built.made, targets=choose(("web",)))
    with pytest.raises(EdgeError, match=r"target web needs .*onnx"):
        ship.finish(tmp_path / "net", other, built.report())
    assert not (tmp_path / "net" / "manifest.json").exists()


def test_packages_are_told_whether_the_graph_is_exact(built: Built) -> None:
    contents = ship._contents(built.made, built.report(), b"{}")
    assert contents.exact == quantize.is_exact(built.made.quantized)
    assert (contents.name, contents.policy, contents.preprocessing.size) == ("net", b"{}", 16)
    assert contents.licence == built.report().data.licence and contents.times is None
