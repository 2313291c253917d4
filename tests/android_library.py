"""The Android library of a bundle, made again from what the bundle holds, and what runs its network on a JVM."""

import json
import shutil
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from melanoma_edge.artifact import Artifact, sha256_file
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.data.task import TASKS
from melanoma_edge.targets import Contents, _aar, android
from melanoma_edge.verify.policy import read_policy

PLAIN, BOTH = android.AndroidOptions(), android.AndroidOptions(android_float=True)


def files(bundle: Path, *precisions: str) -> tuple[Artifact, ...]:
    """The bundle's TFLite files of these precisions."""
    found = {p: bundle / "tflite" / f"{bundle.name}_{p}.tflite" for p in precisions}
    return tuple(Artifact(path, sha256_file(path), "tflite", precision) for precision, path in found.items())


def contents(bundle: Path, artifacts: tuple[Artifact, ...]) -> Contents:
    """What a library of `artifacts` is made of, as the bundle has it."""
    report = json.loads((bundle / "report.json").read_text())
    return Contents(
        name=bundle.name,
        generator=read_policy(bundle).generator,
        artifacts=artifacts,
        preprocessing=Preprocessing(report["build"]["image_size"]),
        task=TASKS[report["build"]["task"]["name"]],
        policy=(bundle / "policy.json").read_bytes(),
        licence=report["data"]["licence"],
    )


def unpacked_assets(told: Contents, folder: Path, options: android.AndroidOptions = PLAIN) -> None:
    """What lies in the app of a library."""
    with tempfile.TemporaryDirectory() as scratch:
        android.package(options, told, Path(scratch))
        with zipfile.ZipFile(next(Path(scratch).rglob("*.aar"))) as packed:
            packed.extractall(scratch, [n for n in packed.namelist() if n.startswith(_aar.ASSETS)])
        shutil.copytree(Path(scratch) / "assets", folder)


def litert() -> Path:
    """The runtime's C library in the very wheel that Python uses."""
    found = find_spec("ai_edge_litert")
    path = Path(found.origin or "").with_name("libLiteRt.so") if found else Path("libLiteRt.so")
    if not path.is_file():
        pytest.skip("ai-edge-litert is not installed, or its wheel has no libLiteRt.so: pip install ai-edge-litert")
    return path
