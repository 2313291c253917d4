"""A report's parts with drawn figures, as a build would leave them: what tests of the report are fed with."""

from dataclasses import asdict

import numpy as np

from melanoma_edge.verify.answering import Thresholds, answering, uncertainty
from melanoma_edge.verify.bland_altman import bland_altman
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


def timing(name: str, runtime: str, threads: int, p50: float) -> dict:
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


def gates_of(artifact: dict) -> list[dict]:
    values = {
        "max_auc_drop": (0.01, -artifact["auc_delta"]),
        "max_flip_rate": (0.05, artifact["flip_rate"]),
        "max_sensitivity_drop": (0.03, REFERENCE["sensitivity"] - artifact["sensitivity"]),
    }
    return [
        {"name": name, "artifact": artifact["name"], "limit": limit, "value": value, "passed": value <= limit}
        for name, (limit, value) in values.items()
    ]


def flips_of(artifact: str) -> list[dict]:
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
