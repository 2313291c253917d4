import io
import json
import math
from dataclasses import asdict, replace

import msgspec
import numpy as np
import pytest
from PIL import Image

from melanoma_edge.artifact import json_text
from melanoma_edge.bench.document import BenchReport
from melanoma_edge.data.inspect import DataSummary
from melanoma_edge.report.advice import build_policy, read_advice
from melanoma_edge.report.document import Build, FileEntry, Report, build_report
from melanoma_edge.train.history import TrainingReport
from melanoma_edge.verify.answering import Thresholds, answering, uncertainty
from melanoma_edge.verify.bland_altman import bland_altman
from melanoma_edge.verify.document import PredictionFacts, VerifyReport, with_facts
from melanoma_edge.verify.predictions import Predictions
from melanoma_edge.verify.rejection import choose

N, MELANOMAS, THRESHOLD = 1507, 171, 0.3112
RANDOM = np.random.default_rng(14)
TRUTH = np.arange(N) < MELANOMAS
LOGITS = RANDOM.normal(np.where(TRUTH, 0.35, -2.0), 1.15)
DRIFT = RANDOM.normal(0, 0.16, N)


MACHINE = {
    "processor": "AMD EPYC 9B14",
    "cores": 2,
    "memory": "",
    "system": "Linux 6.1",
    "python": "",
    "gpu": None,
    "instructions": [],
    "versions": {},
}


def _p(drift: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(LOGITS + drift * DRIFT)))


def _roc(p: np.ndarray) -> tuple[list[float], list[float]]:
    truth = TRUTH[np.argsort(-p, kind="stable")]
    fpr, tpr = np.cumsum(~truth) / (N - MELANOMAS), np.cumsum(truth) / MELANOMAS
    return [0.0, *fpr.round(6).tolist()], [0.0, *tpr.round(6).tolist()]


def _judged(drift: float) -> dict:
    p = _p(drift)
    fpr, tpr = _roc(p)
    called = p >= THRESHOLD
    tp, fp = int((called & TRUTH).sum()), int((called & ~TRUTH).sum())
    return {
        "auc": float(np.trapezoid(tpr, fpr)),
        "sensitivity": tp / MELANOMAS,
        "specificity": (N - MELANOMAS - fp) / (N - MELANOMAS),
        "ece": 0.031,
        "brier": float(np.mean((p - TRUTH) ** 2)),
        "confusion": {"tp": tp, "fp": fp, "tn": N - MELANOMAS - fp, "fn": MELANOMAS - tp},
        "roc": {"fpr": fpr, "tpr": tpr},
    }


def _artifact(name: str, runtime: str, *, size: int) -> dict:
    drift = 1.0 if "int8" in name else 1e-6
    judged, moved = _judged(drift), np.abs(_p(drift) - _p(0))
    flips = int(((_p(drift) >= THRESHOLD) != (_p(0) >= THRESHOLD)).sum())
    return {
        "name": name,
        "format": "tflite" if runtime == "ai-edge-litert" else "onnx",
        "precision": "int8" if "int8" in name else "float32",
        "runtime": runtime,
        "runtime_version": "2.3.0" if runtime == "ai-edge-litert" else "1.31.1",
        "bytes": size,
        **judged,
        "auc_delta": judged["auc"] - _judged(0)["auc"],
        "flips": flips,
        "flip_rate": flips / N,
        "bland_altman": asdict(bland_altman(_p(0), _p(drift))),
        "max_abs_dp": float(moved.max()),
        "mean_abs_dp": float(moved.mean()),
    }


def _timing(name: str, runtime: str, threads: int, p50: float) -> dict:
    quantized = "int8" in name
    return {
        "name": name,
        "runtime": runtime,
        "runtime_version": "1",
        "device": "cpu",
        "ratio": {"median": 1.0, "low": 0.9, "high": 1.1},
        "operators": None,
        "outside_delegate": None,
        "threads": threads,
        "p50": p50,
        "p90": p50 * 1.08,
        "p99": p50 * 1.4,
        "runs": 100,
        "bytes": 9_000_000,
        "load_ms": 12.5,
        "first_run_ms": 3.25,
        "peak_memory_bytes": 6_710_000 if quantized else 19_020_000,
        "partitions": 1 if runtime == "ai-edge-litert" else None,
    }


def _both_splits(drift: float) -> Predictions:
    """The same images stand in both splits."""
    margin = LOGITS + drift * DRIFT
    logits = np.tile(np.stack([-margin / 2, margin / 2], axis=1), (2, 1)).astype(np.float32)
    ids = tuple(f"{split}{i}" for split in ("val", "test") for i in range(N))
    splits, labels = ("val",) * N + ("test",) * N, np.tile(TRUTH.astype(np.int64), 2)
    return Predictions(ids, splits, labels, logits, 1, ("other", "melanoma"))


TEMPERATURE = {
    "value": 1.63,
    "shifts": [0.0, 0.0],
    "wanted": "fit",
    "why": None,
    "fitted_on": "val",
    "nll": [0.31, 0.27],
    "ece": [0.0521, 0.0313],
    "brier": [0.081, 0.078],
    "uncalibrated_predictions": "cd" * 32,
}


def _compared(before: float, after: float) -> dict:
    return {
        "reference": [before, before - 0.02, before + 0.02],
        "artifact": [after, after - 0.02, after + 0.02],
        "difference": [after - before, after - before - 0.004, after - before + 0.004],
    }


CERTAINTY = {
    "level": 0.95,
    "resamples": 2000,
    "groups": 1180,
    "figures": {"sensitivity": _compared(0.9, 0.894), "auc": _compared(0.9062, 0.906)},
    "auc_delong": {**_compared(0.9062, 0.906), "p": 0.41},
    "mcnemar": {"only_reference": 9, "only_artifact": 5, "p": 0.424},
    "sensitivity": {
        "verdict": "cannot tell",
        "margin": 0.01,
        "difference": -0.006,
        "low": -0.033,
        "high": 0.0164,
        "cases": 171,
        "needed": 924,
    },
}

SUBGROUPS = [
    {
        "attribute": "sex",
        "value": value,
        "images": images,
        "melanomas": images // 9,
        "flips": lost + 2,
        "sensitivity": 0.9,
        "sensitivity_change": [-0.01, -0.04, 0.02],
        "specificity": 0.8,
        "specificity_change": [0.0, -0.01, 0.01],
        "only_reference": lost,
        "only_artifact": 1,
        "p": 0.01 if lost > 5 else 0.6,
        "loses": lost > 5,
    }
    for value, images, lost in (("female", 700, 9), ("male <b>", 807, 2))
]
ROBUSTNESS = {
    "images": 100,
    "melanomas": 50,
    "reference": "float graph, onnxruntime 1.31.1",
    "unchanged": [{"name": f"mobilenet_v2_int8.{form}", "flips_apart": 1} for form in ("tflite", "onnx")],
    "changes": [
        {
            "kind": kind,
            "strength": strength,
            "unit": unit,
            "reference": {"mean_abs_dp": 0.01 * size, "max_abs_dp": 0.08 * size, "flips": size},
            "artifacts": [
                {
                    "name": f"mobilenet_v2_int8.{form}",
                    **{"mean_abs_dp": 0.011 * size, "max_abs_dp": 0.085 * size, "flips": size + 1},
                    **{"correlation": 0.99, "mean_abs_difference": 0.002 * size, "flips_apart": size // 2},
                }
                for form in ("tflite", "onnx")
            ],
        }
        for kind, strength, unit, size in (
            ("blur", 0.5, "% of the side", 2),
            ("blur", 1.0, "% of the side", 5),
            ("jpeg", 30, "quality", 3),
            ("noise", 10, "levels", 9),
        )
    ],
}
EXACT, MOVED = _both_splits(0.0), _both_splits(1.0)
REJECTION = choose(EXACT.only("val").is_melanoma, EXACT.only("val").p, 0.8)
AT = Thresholds(THRESHOLD, REJECTION.threshold)
EXACT_ANSWERS = asdict(answering(EXACT, AT))
PROOF = {
    "certainty": CERTAINTY,
    "subgroups": SUBGROUPS,
    "answering": asdict(answering(MOVED, AT)),
    "uncertainty": asdict(uncertainty(EXACT.only("test"), MOVED.only("test"), AT)),
}

ARTIFACTS = (
    _artifact("mobilenet_v2_float32.tflite", "ai-edge-litert", size=8_902_120),
    _artifact("mobilenet_v2_int8.tflite", "ai-edge-litert", size=2_690_544),
    _artifact("mobilenet_v2_float32.onnx", "onnxruntime", size=8_938_311),
    _artifact("mobilenet_v2_int8.onnx", "onnxruntime", size=2_745_020),
)
REFERENCE = _judged(0)


def _gates(artifact: dict) -> list[dict]:
    values = {
        "max_auc_drop": (0.01, -artifact["auc_delta"]),
        "max_flip_rate": (0.05, artifact["flip_rate"]),
        "max_sensitivity_drop": (0.03, REFERENCE["sensitivity"] - artifact["sensitivity"]),
    }
    return [
        {"name": name, "artifact": artifact["name"], "limit": limit, "value": value, "passed": value <= limit}
        for name, (limit, value) in values.items()
    ]


def _flips(artifact: str) -> list[dict]:
    was, now = _p(0), _p(1)
    return [
        {
            "artifact": artifact,
            "image_id": f"ISIC_{24306 + 3 * int(i):07d}",
            "label": "melanoma" if TRUTH[i] else "other",
            "diagnosis": "mel" if TRUTH[i] else ("nv", "bkl", "bcc")[i % 3],
            "p_reference": float(was[i]),
            "p_artifact": float(now[i]),
            "direction": "melanoma->other" if was[i] >= THRESHOLD else "other->melanoma",
        }
        for i in np.flatnonzero((was >= THRESHOLD) != (now >= THRESHOLD))
    ]


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
            "gates": [gate for a in ARTIFACTS if a["precision"] == "int8" for gate in _gates(a)],
            "flips": [flip for name in int8 for flip in _flips(name)],
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
                _timing(name, runtimes[name], threads, p50 / (1 if threads == 1 else 1.6))
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
