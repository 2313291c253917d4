"""The whole flow on synthetic lesions, through the command line as a user runs it."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from melanoma_edge.artifact import sha256_file
from melanoma_edge.report.schemas import schema
from melanoma_edge.runtime.pytorch import gpu
from melanoma_edge.verify.predictions import read_csv
from melanoma_edge.verify.rejection import entropy

COMMAND = (sys.executable, "-m", "melanoma_edge")
SMALL = ("--data", "synthetic:240", "--arch", "meshnet", "--image-size", "64", "--epochs", "2", "--bench-runs", "5")
BOTH = ("--target", "tflite", "--target", "web", "--browser", "none")
OPEN = ("--max-auc-drop", "1", "--max-flip-rate", "1", "--max-sensitivity-drop", "1")
ACCEPT = "--accept-suspicious-reference"  # two epochs on some processor may learn nothing


def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False, env=os.environ
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("flow") / "small"
    run("build", *BOTH, *SMALL, *OPEN, ACCEPT, "--output", folder)
    return folder


@pytest.fixture(scope="module")
def mapped(bundle, tmp_path_factory) -> Path:
    folder = Path(shutil.copytree(bundle, tmp_path_factory.mktemp("mapped") / "small"))
    run("build", *BOTH, *SMALL, *OPEN, ACCEPT, "--heat-map", "--output", folder)
    return folder


@pytest.fixture
def copy(bundle, tmp_path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "small"))


def report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


def test_the_bundle_holds_what_the_contract_says(bundle):
    found = {str(p.relative_to(bundle)) for p in bundle.rglob("*") if p.is_file() and ".work" not in p.parts}
    assert found == {
        "manifest.json",
        "report.html",
        "flips.csv",
        "policy.json",
        "report.json",
        "MODEL_CARD.md",
        "reference/model.safetensors",
        "reference/model.onnx",
        "reference/predictions.csv",
        "tflite/small_float32.tflite",
        "tflite/small_int8.tflite",
        "web/small-0.1.0.tgz",
        "web/small_float32.onnx",
        "web/small_int8.onnx",
        "web/small_weight_only_wi8_afp32.onnx",
    }


def test_the_manifest_names_every_file_with_its_hash_and_origin(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text())
    for name, facts in manifest["files"].items():
        assert facts["sha256"] == sha256_file(bundle / name)
    made = manifest["files"]["tflite/small_int8.tflite"]
    assert made["stage"] == "emit"
    assert "ai-edge-litert" in made["versions"]
    assert manifest["preprocessing"]["mean"] == [128.0] * 3
    calibration = manifest["calibration"]
    assert calibration["split"] == "train"
    assert calibration["groups_shared_with_evaluation"] == calibration["identical_files_in_evaluation"] == 0


def test_the_report_keeps_its_schema_and_proves_every_file(bundle):
    told = report(bundle)
    jsonschema.validate(told, schema())
    rows = {row["name"]: row for row in told["artifacts"]}
    both = {f"small_{p}.{f}" for p in ("float32", "int8") for f in ("tflite", "onnx")}
    assert set(rows) == both | {"small_weight_only_wi8_afp32.onnx"}
    for row in rows.values():
        assert row["latency_ms"]["runs"] == 5
    assert rows["small_float32.tflite"]["flips"] == rows["small_float32.onnx"]["flips"] == 0
    assert rows["small_float32.tflite"]["max_abs_dp"] < 1e-4
    assert rows["small_int8.tflite"]["bytes"] < rows["small_float32.tflite"]["bytes"] / 2
    assert rows["small_int8.tflite"]["partitions"] == 1
    light = rows["small_weight_only_wi8_afp32.onnx"]
    assert light["bytes"] < rows["small_float32.onnx"]["bytes"] / 2
    assert light["mean_abs_dp"] < rows["small_int8.onnx"]["mean_abs_dp"] + 1e-3


def test_the_report_says_which_quantizers_were_tried_on_validation(bundle):
    told = report(bundle)["build"]["quantization"]
    quantizer = told["quantizer"]
    assert quantizer["wanted"] == "auto" and quantizer["chosen"] == told["recipe"]["name"]
    assert [row["recipe"] for row in quantizer["tried"]] == ["static"] and quantizer["tried"][0]["holds"]
    assert quantizer["tried"][0]["latency_ratio"] > 0 and quantizer["tried"][0]["seconds"] > 0
    assert 0 < quantizer["tried"][0]["predicted_ratio"] < 1


def test_the_command_and_the_manifest_name_the_recipe_that_was_chosen(bundle):
    assert "--quantizer static" in report(bundle)["build"]["command"]
    assert json.loads((bundle / "manifest.json").read_text())["quantizer"] == "static"
    assert "INT8 recipes" in (bundle / "report.html").read_text()


def test_changed_photographs_move_the_float_file_as_the_reference(bundle):
    told = report(bundle)
    found = told["robustness"]
    assert found["images"] == told["reference"]["n"]
    assert {row["kind"] for row in found["changes"]} == {"blur", "jpeg", "brightness", "zoom", "noise"}
    assert any(row["reference"]["mean_abs_dp"] > 1e-4 for row in found["changes"])
    for row in found["changes"]:
        own = {one["name"]: one for one in row["artifacts"]}
        assert own["small_float32.tflite"]["mean_abs_difference"] < 1e-5
        assert own["small_int8.tflite"]["flips_apart"] == own["small_int8.onnx"]["flips_apart"]


def test_the_policy_keeps_its_schema_and_has_thresholds_for_every_file(bundle):
    policy = json.loads((bundle / "policy.json").read_text())
    jsonschema.validate(policy, schema("policy"))
    told = report(bundle)
    assert told["policy"] == policy
    assert {a["name"] for a in policy["artifacts"]} == {row["name"] for row in told["artifacts"]}
    for a in policy["artifacts"]:
        assert a["bounds"][0] == 0 and a["threshold"] in a["bounds"]


def test_gates_ledger_and_uncertainty_are_of_the_policy_that_ships(bundle):
    """Counted again from policy.json and what every file predicted, as an app with the bundle decides."""
    told, policy = report(bundle), json.loads((bundle / "policy.json").read_text())
    truth = read_csv(bundle / "reference" / "predictions.csv").only("test")
    at, gates = told["operating_point"]["threshold"], {(g["artifact"], g["name"]): g["value"] for g in told["gates"]}
    for own, row in zip(policy["artifacts"], told["artifacts"], strict=True):
        name, found = own["name"], read_csv(bundle / ".work" / "predict" / own["name"] / "predictions.csv").only("test")
        differ = (truth.p >= at) != (found.p >= own["threshold"])
        assert row["flips"] == differ.sum() == sum(flip["artifact"] == name for flip in told["flips"])
        assert gates[name, "max_flip_rate"] == differ.mean()
        answered = entropy(truth.p) <= told["rejection"]["threshold"], entropy(found.p) <= own["rejection_threshold"]
        assert row["uncertainty"]["answered_by_both"] == (answered[0] & answered[1]).sum()
        assert row["uncertainty"]["became_uncertain"] == (answered[0] & ~answered[1]).sum()
        assert row["uncertainty"]["flips_among_both"] == (answered[0] & answered[1] & differ).sum()


def test_the_temperature_is_in_every_file_and_hardly_any_is_left(bundle):
    told = report(bundle)
    scaling = told["reference"]["temperature"]
    assert scaling["why"] is None and scaling["value"] != 1
    assert scaling == json.loads((bundle / "manifest.json").read_text())["reference"]["temperature"]
    assert told["reference"]["answering"]["own_temperature"] == pytest.approx(1, abs=1e-5)
    left = {row["name"]: row["answering"]["own_temperature"] for row in told["artifacts"]}
    assert left["small_float32.tflite"] == pytest.approx(1, abs=1e-3)
    assert left["small_int8.tflite"] == pytest.approx(1, abs=0.1)
    origin = json.loads((bundle / "manifest.json").read_text())["files"]["reference/predictions.csv"]
    assert origin["stage"] == "temperature" and origin["inputs"]["predictions"] == scaling["uncalibrated_predictions"]


def test_the_int8_files_of_both_runtimes_decide_alike(bundle):
    def p(name: str) -> dict[str, float]:
        with (bundle / ".work" / "predict" / name / "predictions.csv").open() as f:
            return {row["image_id"]: float(row["p_melanoma"]) for row in csv.DictReader(f)}

    tflite, onnx, real = p("small_int8.tflite"), p("small_int8.onnx"), p("reference")

    def distance(a: dict[str, float], b: dict[str, float]) -> float:
        return sum(abs(a[i] - b[i]) for i in a) / len(a)

    assert distance(tflite, onnx) < 0.2 * distance(tflite, real)


def test_the_page_shows_the_verdict_and_loads_nothing(bundle):
    page = (bundle / "report.html").read_text()
    assert "never a diagnosis" in page.lower()
    assert "<script" not in page
    assert 'src="http' not in page


def test_an_unchanged_build_is_quick_and_writes_the_same_files(copy):
    before = {
        name: facts["sha256"] for name, facts in json.loads((copy / "manifest.json").read_text())["files"].items()
    }
    run("build", *BOTH, *SMALL, *OPEN, ACCEPT, "--output", copy)
    after = {name: facts["sha256"] for name, facts in json.loads((copy / "manifest.json").read_text())["files"].items()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"report.json", "report.html", "MODEL_CARD.md"}  # they say when they were made


def test_a_failed_gate_ends_with_3_keeps_the_report_and_ships_nothing(copy):
    done = run(
        *("build", "--target", "tflite", *SMALL, "--output", copy, "--max-bytes", "10", "--json"),
        code=3,
    )
    told = json.loads(done.stdout)
    assert [row["runtime"] for row in told["also_timed"]] == ["onnxruntime"]
    assert {g["name"] for g in told["gates"] if not g["passed"]} >= {"max_bytes"}
    left = {p.name for p in copy.iterdir()} - {".work"}
    assert left == {"report.json", "report.html", "flips.csv"}
    assert not told["verdict"]["ships"]
    assert "max_bytes" in done.stderr


def test_predict_answers_for_images_folders_and_bad_files(bundle, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (90, 70), (200, 150, 130)).save(folder / "a.png")
    (folder / "b.jpg").write_text("no image")
    told = json.loads(run("predict", bundle, folder, "--json").stdout)
    good, bad = told["predictions"]
    assert 0 <= good["probability"] <= 1
    assert good["decision"] == ("melanoma" if good["probability"] >= told["threshold"] else "other")
    assert "error" in bad
    policy = json.loads((bundle / "policy.json").read_text())
    tiers = {tier["name"]: tier["advice"] for tier in policy["tiers"]}
    assert good["uncertain"] == (good["entropy"] > told["rejection_threshold"])
    assert good["advice"] == (policy["uncertain"]["advice"] if good["uncertain"] else tiers[good["tier"]])
    shown = run("predict", bundle, folder / "a.png").stdout
    assert "a.png" in shown and good["title"] in shown
    assert good["capture"] == ["blurred", "no_lesion"]  # one colour and nothing else
    assert policy["capture"]["advice"]["no_lesion"] in " ".join(shown.split())
    run("predict", bundle, folder / "b.jpg", code=2)
    run("predict", bundle, tmp_path / "missing.jpg", code=2)


def test_heat_maps_ship_are_drawn_and_are_told_of(mapped, tmp_path):
    told = report(mapped)
    jsonschema.validate(told, schema())
    options = told["build"]["options"]
    own = {"web_models": "needed", "browser": "none", "node_modules": None}
    assert options["files"] == {"heat_map": True} and options["targets"] == {"tflite": {}, "web": own}
    assert "--heat-map" in told["build"]["command"]
    maps = told["heat_maps"]
    assert {row["artifact"] for row in maps["agreement"]} == {row["name"] for row in told["artifacts"]}
    assert maps["shape"] == [16, 16] and maps["drawn"] == "small_int8.tflite"
    for row in maps["agreement"]:
        assert row["median"] > (0.9999 if "float32" in row["artifact"] else 0.8)
    page = (mapped / "report.html").read_text()
    assert page.count("Heat map of small_int8.tflite over") == len(maps["cases"]) > 0
    assert "the output is float32 logits" in (mapped / "MODEL_CARD.md").read_text()
    assert "`heat_map`" in (mapped / "MODEL_CARD.md").read_text()
    Image.new("RGB", (90, 70), (200, 150, 130)).save(tmp_path / "a.png")
    for name in ("small_int8.tflite", "small_float32.onnx"):
        folder = tmp_path / name
        done = run("predict", mapped, tmp_path / "a.png", "--artifact", name, "--heat-map", folder, "--json")
        (row,) = json.loads(done.stdout)["predictions"]
        with Image.open(row["heat_map"]) as drawn:
            assert (drawn.format, drawn.size) == ("PNG", (64, 64))
    assert json.loads(run("verify", mapped, *OPEN, "--json").stdout)["artifacts"]
    assert len(json.loads(run("bench", mapped, "--runs", "2", "--threads", "1", "--json").stdout)["rows"]) >= 4
    assert "heat_map" in run("bench", mapped / "tflite/small_int8.tflite", "--runs", "2", "--explain-graph").stdout


def test_heat_maps_that_cannot_be_are_refused_at_once(bundle, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    done = run("predict", bundle, tmp_path / "a.png", "--heat-map", tmp_path / "maps", code=2)
    assert "again with --heat-map" in done.stderr and not (tmp_path / "maps").exists()
    wanted = ("build", "--data", "synthetic:240", "--arch", "mobilenet_v3_small", "--heat-map")
    assert "--head linear" in run(*wanted, "--output", tmp_path / "no", code=2).stderr
    assert not (tmp_path / "no").exists()
    assert "--heat-map" in (bundle / "report.html").read_text()


def test_predict_refuses_an_altered_bundle(copy, tmp_path):
    path = copy / "tflite" / "small_int8.tflite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    assert "sha256" in run("predict", copy, tmp_path / "a.png", code=2).stderr


def test_verify_runs_the_files_again(bundle):
    told = json.loads(run("verify", bundle, *OPEN, "--json").stdout)
    assert told["artifacts"][0]["flips"] == report(bundle)["artifacts"][0]["flips"]


def test_verify_catches_a_file_that_decides_otherwise(bundle):
    one = bundle / "tflite" / "small_int8.tflite"
    told = json.loads(run("verify", one, "--reference", bundle, *OPEN, "--max-bytes", "10", "--json", code=3).stdout)
    assert [g["name"] for g in told["gates"] if not g["passed"]] == ["max_bytes"]


def test_verify_needs_no_torch_and_says_where_the_reference_was_made(bundle):
    file = str(bundle / "tflite" / "small_int8.tflite")
    arguments = ["verify", file, "--reference", str(bundle), *OPEN, "--json"]
    code = (
        "import sys\n"
        "from melanoma_edge.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "finally:\n"
        "    assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)["reference"]
    assert (made["runtime"], made["device"]) == ("torch", report(bundle)["reference"]["device"])
    assert made["sha256"] == sha256_file(bundle / "reference" / "model.safetensors")


def test_verify_judges_by_what_the_build_chose_also_before_there_were_policies(copy):
    told = report(copy)
    del told["build"]["options"]["proof"]["min_kept"]
    told["build"]["options"]["proof"]["margin"] = 0.07
    (copy / "report.json").write_text(json.dumps(told))
    (copy / "policy.json").unlink()
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"].pop("policy.json")
    manifest["files"]["report.json"]["sha256"] = sha256_file(copy / "report.json")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    file = copy / "tflite" / "small_int8.tflite"
    (row,) = json.loads(run("verify", file, "--reference", copy, *OPEN, "--json").stdout)["artifacts"]
    assert row["certainty"]["sensitivity"]["margin"] == 0.07


def test_bench_times_a_bundle(bundle):
    told = json.loads(run("bench", bundle, "--runs", "5", "--threads", "1", "--json").stdout)
    assert {row["threads"] for row in told["rows"]} == {1}
    assert len(told["rows"]) >= 4
    assert all(row["peak_memory_bytes"] is None or row["peak_memory_bytes"] > 1e5 for row in told["rows"])


@pytest.mark.skipif(gpu() is not None, reason="there is a GPU")
def test_bench_on_a_gpu_that_is_not_there_says_what_was_found(bundle):
    done = run("bench", bundle, "--device", "cuda", code=2)
    assert "no CUDA GPU that torch can use was found (torch" in " ".join(done.stderr.split())


def test_compile_takes_an_onnx_file_and_a_checkpoint(bundle, tmp_path):
    data = ("--calibration", "synthetic:240", "--bench-runs", "5", *OPEN, ACCEPT)
    onnx, checkpoint = bundle / "reference" / "model.onnx", bundle / "reference" / "model.safetensors"
    run("compile", "--onnx", onnx, *data, "--output", tmp_path / "a")
    run("compile", "--checkpoint", checkpoint, *data, "--output", tmp_path / "b")
    a, b = (report(tmp_path / name)["artifacts"][1]["auc"] for name in "ab")
    assert a == pytest.approx(b, abs=1e-3)


def test_a_killed_build_goes_on_and_ends_with_the_same_weights(bundle, tmp_path):
    folder = tmp_path / "small"
    command = [*COMMAND, "build", *SMALL, *OPEN, ACCEPT, "--output", str(folder)]
    checkpoint = folder / ".work" / "train.partial" / "checkpoint.pt"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 200
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert checkpoint.exists(), "the build ended before it could be killed"
    assert not (folder / "manifest.json").exists()
    run(*command[len(COMMAND) :])
    name = Path("reference") / "model.safetensors"
    assert sha256_file(folder / name) == sha256_file(bundle / name)
