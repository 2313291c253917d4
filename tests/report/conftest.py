import io
import json
import math
from dataclasses import asdict, replace

import msgspec
import pytest
from drawn_report import (
    ARTIFACTS,
    AT,
    EXACT,
    MACHINE,
    MELANOMAS,
    PROOF,
    REFERENCE,
    REJECTION,
    ROBUSTNESS,
    TEMPERATURE,
    THRESHOLD,
    N,
    flips_of,
    gates_of,
    timing,
)
from PIL import Image

from melanoma_edge.artifact import json_text
from melanoma_edge.bench.document import BenchReport
from melanoma_edge.data.inspect import DataSummary
from melanoma_edge.report.advice import build_policy, read_advice
from melanoma_edge.report.document import Build, FileEntry, Report, build_report
from melanoma_edge.train.history import TrainingReport
from melanoma_edge.verify.answering import answering
from melanoma_edge.verify.document import PredictionFacts, VerifyReport, with_facts


def make_inputs() -> dict:
    """What the pipeline hands to build_report, with figures like those of a real build."""
    int8 = [a["name"] for a in ARTIFACTS if a["precision"] == "int8"]
    counts = {"train": (6981, 779), "val": (1527, 163), "test": (1507, 171)}
    times = {"model.safetensors": 9.8, **{a["name"]: 1.29 if a["precision"] == "int8" else 2.05 for a in ARTIFACTS}}
    runtimes = {"model.safetensors": "torch", **{a["name"]: a["runtime"] for a in ARTIFACTS}}
    return {
        "build": {
            "name": "mobilenet_v2-ham10000",
            "created_utc": "2026-11-21T11:47:00Z",
            "options": {
                "data": {"data": "ham10000:data", "task": "binary", "calibration_images": 200},
                "train": {"epochs": 8, "lr": 0.001, "balance": "sampler"},
            },
            "seed": 0,
            "task": {"name": "binary", "classes": ["other", "melanoma"], "melanoma": 1},
            "arch": "mobilenet_v2",
            "image_size": 128,
        },
        "data": {
            "name": "ham10000",
            "licence": "CC BY-NC 4.0",
            "clinical": True,
            "task": "binary",
            "notes": ["splits.csv beside the images was used"],
            "images": 10015,
            "groups": 7470,
            "splits": {
                name: {
                    "images": images,
                    "classes": {"other": images - mel, "melanoma": mel},
                    "diagnoses": {"mel": mel, "nv": images - mel},
                }
                for name, (images, mel) in counts.items()
            },
            "split_check": {
                "images": {name: n for name, (n, _) in counts.items()},
                "groups": {"train": 5229, "val": 1120, "test": 1121},
                "melanomas": {name: mel for name, (_, mel) in counts.items()},
                "groups_shared": [],
                "identical_files_shared": [],
            },
            "image_size": {"width": [200, 200], "height": [150, 150]},
            "problems": {"count": 1, "first": [{"where": "images/ISIC_0.jpg", "why": "truncated JPEG"}]},
            "calibration": {
                "split": "train",
                "count": 200,
                "ids": ["ISIC_0024306"],
                "groups_shared_with_evaluation": 0,
                "identical_files_in_evaluation": 0,
            },
        },
        "preprocessing": {
            "steps": ["exif_transpose", "rgb", "center_crop_square", "resize_bilinear_antialias", "normalize"],
            "resize": "Pillow Image.resize(BILINEAR, reducing_gap=None), uint8, 22-bit fixed point",
            "formula": "(pixel - mean) / std",
            "size": 128,
            "mean": [128.0, 128.0, 128.0],
            "std": [128.0, 128.0, 128.0],
        },
        "training": {
            "history": [
                {
                    "epoch": i + 1,
                    "phase": "frozen" if i < 2 else "unfrozen",
                    "lr": 0.001 / (i + 1),
                    "train_loss": 0.62 * math.exp(-0.22 * i),
                    "val_loss": 0.55 * math.exp(-0.1 * i) + 0.012 * max(0, i - 5),
                    "val_auc": 0.91 - 0.13 * math.exp(-0.5 * i) - 0.004 * max(0, i - 6),
                    "seconds": 210.0,
                }
                for i in range(8)
            ],
            "arch": "mobilenet_v2",
            "epochs": 8,
            "train_images": 6981,
            "val_images": 1527,
            "options": {},
            "seed": 0,
            "best_epoch": 7,
            "val_auc": 0.9036,
            "parameters": 2_226_434,
            "device": "cpu",
            "precision": "float32",
            "seconds": 1680.0,
        },
        "reference": {
            "runtime": "torch",
            "version": "2.14.1",
            "device": "cpu",
            "threads": 1,
            "model": "model.safetensors",
            "sha256": "ab" * 32,
            "seconds": 31.4,
            "temperature": TEMPERATURE,
        },
        "verify": {
            "operating_point": {
                "rule": "sensitivity=0.90",
                "threshold": THRESHOLD,
                "chosen_on": "val",
                "sensitivity": 0.902,
                "specificity": 0.781,
            },
            "rejection": asdict(REJECTION),
            "reference": {
                **REFERENCE,
                "n": N,
                "melanomas": MELANOMAS,
                "answering": asdict(answering(EXACT, AT)),
            },
            "artifacts": [{**a, **(PROOF if a["precision"] == "int8" else {})} for a in ARTIFACTS],
            "gates": [gate for a in ARTIFACTS if a["precision"] == "int8" for gate in gates_of(a)],
            "flips": [flip for name in int8 for flip in flips_of(name)],
            "agreement": [{"files": int8[:2], "precision": "int8", "flips": 0, "max_abs_dp": 2e-7}],
            "robustness": ROBUSTNESS,
        },
        "bench": {
            "method": "One image at a time.",
            "baseline": "model.safetensors",
            "load_average": None,
            "skipped_threads": [],
            "machine": MACHINE,
            "preparing": [
                {"image": "600 x 450 JPEG", "size": 128, "p50": 5.67, "p90": 6.1, "p99": 7.0, "decoding_p50": 3.45}
            ],
            "gpu": None,
            "rows": [
                timing(name, runtimes[name], threads, p50 / (1 if threads == 1 else 1.6))
                for name, p50 in times.items()
                for threads in (1, 2)
            ],
        },
        "files": [
            {
                "file": f"{'tflite' if a['format'] == 'tflite' else 'web'}/{a['name']}",
                "sha256": f"{i:02x}" * 32,
                "bytes": a["bytes"],
                "stage": "emit",
                "versions": {"onnx-ir": "1.1.0"},
            }
            for i, a in enumerate(ARTIFACTS)
        ],
    }


def build(inputs: dict) -> Report:
    """`build_report` of what `make_inputs` gives, as dataclasses."""
    build = {key: value for key, value in inputs["build"].items() if key not in ("name", "created_utc")}
    proof = msgspec.convert(inputs["verify"], VerifyReport)
    return build_report(
        name=inputs["build"]["name"],
        created_utc=inputs["build"]["created_utc"],
        build=msgspec.convert(build, Build),
        data=msgspec.convert(inputs["data"], DataSummary),
        verify=with_facts(proof, msgspec.convert(inputs["reference"], PredictionFacts)),
        bench=msgspec.convert(inputs["bench"], BenchReport),
        training=msgspec.convert(inputs["training"], TrainingReport | None),
        files=msgspec.convert(inputs["files"], tuple[FileEntry, ...]),
    )


def again(plain: dict) -> Report:
    """A report from the JSON that it is."""
    return msgspec.convert(plain, Report)


@pytest.fixture
def plain(report):
    """The report as JSON, to be changed."""
    return json.loads(json_text(report))


@pytest.fixture(name="again")
def again_fixture():
    return again


@pytest.fixture(name="build")
def build_fixture():
    return build


@pytest.fixture
def inputs():
    return make_inputs()


@pytest.fixture(scope="session")
def report():
    """Shared: tests that change it take `inputs`, or a copy."""
    made = build(make_inputs())
    policy = build_policy(made.name, made.build.task, made.artifacts, read_advice(None), AT, 0.8)
    return replace(made, policy=policy)


@pytest.fixture(scope="session")
def thumbnail():
    content = io.BytesIO()
    Image.new("RGB", (24, 24), (180, 120, 100)).save(content, "JPEG")
    return content.getvalue()
