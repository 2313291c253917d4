"""Android: a library (AAR) in a folder that Gradle takes it from, with INT8 and, if asked, float32; and both files.

LiteRT's INT8 kernels give the bits of their Python package, which therefore judges and times these files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_edge.formats.tflite import FORMAT as TFLITE
from melanoma_edge.options import choice
from melanoma_edge.targets import Contents, Place, Target
from melanoma_edge.targets._documents import document, filled, header, listed, package_name

if TYPE_CHECKING:
    from melanoma_edge.artifact import Artifact
    from melanoma_edge.runtime.predict import Predict

PRECISIONS = {"int8": "the INT8 file", "float32": "the float32 file (`create(context, Precision.FLOAT32)`)"}
DECODED = ("image/png", "image/jpeg")  # what the library takes


@dataclass(frozen=True)
class AndroidOptions:
    """What the library holds besides the INT8 file."""

    android_float: bool = choice(
        False, "the Android library holds the float32 file beside the INT8 one, and an app chooses; it grows by as much"
    )


def package(options: AndroidOptions, contents: Contents, folder: Path) -> None:
    """Write the library to `folder`/android/maven, and how to use it to `folder`/android/README.md."""
    from melanoma_edge.artifact import write_atomic
    from melanoma_edge.targets import _aar, _maven

    held = [precision for precision in PRECISIONS if precision == "int8" or options.android_float]
    made = {a.precision: a for a in contents.artifacts if a.format == TFLITE.name}
    chosen = [made[precision] for precision in held]  # the first is what an app gets unless it asks for the other
    name = package_name(contents.name)
    data = _aar.aar(_assets(contents, chosen))
    sources, javadoc = (_aar.compiled(jar) for jar in ("sources.jar", "javadoc.jar"))
    for file, part in _maven.repository(name, data, sources, javadoc, contents.licence).items():
        write_atomic(folder / "android" / "maven" / file, part)
    words = {
        "NAME": contents.name,
        "GENERATOR": contents.generator,
        "COORDINATES": f"{_maven.GROUP}:{name}:{_maven.VERSION}",
        "RUNTIME": ":".join(_maven.LITERT),
        "BYTES": f"{len(data):,}",
        "HELD": " and ".join(PRECISIONS[precision] for precision in held),
        "LICENCE": contents.licence,
    }
    write_atomic(folder / "android" / "README.md", filled(_aar.readme(), words))


def parts() -> str:
    """sha256 of the compiled library that is filled in."""
    from melanoma_edge.targets import _aar

    return _aar.fingerprint()


def _assets(contents: Contents, chosen: "list[Artifact]") -> dict[str, bytes]:
    """What lies in the app, by name: everything that the manifest lists is checked against it there."""
    from melanoma_edge import formats
    from melanoma_edge.targets import _aar
    from melanoma_edge.targets._golden import FLOAT_TOLERANCE, golden, int8_tolerance, pictures

    size = contents.preprocessing.size
    loaded = {a.precision: formats.load(a.path, contents.preprocessing) for a in chosen}
    tolerances = {"int8": int8_tolerance(contents.exact), "float32": FLOAT_TOLERANCE}
    shown = (picture for picture in pictures() if picture.type in DECODED)
    answers = {_id(precision): (run, tolerances[precision]) for precision, run in loaded.items()}
    models = {f"models/{a.path.name}": a.path.read_bytes() for a in chosen}
    assets = {
        "policy.json": contents.policy,
        "golden.json": document(golden(size, answers, shown)),
        "labels.txt": "".join(f"{name}\n" for name in contents.task.classes).encode(),
    }
    manifest = {
        **header(contents, _aar.FORMAT),
        "models": [
            {
                "id": _id(precision),
                "precision": precision,
                "file": file,
                **_heat_map(run, size),
                **listed(models[file]),
            }
            for file, (precision, run) in zip(models, loaded.items(), strict=True)
        ],
        "files": {name: listed(data) for name, data in assets.items()},
    }
    return {**assets, **models, "manifest.json": document(manifest)}


def _id(precision: str) -> str:
    return f"{TFLITE.runtime}-{precision}"


def _heat_map(loaded: "Predict", size: int) -> dict[str, Any]:
    """Rows and columns of the second output, where there is one."""
    import numpy as np

    if loaded.explain is None:
        return {}
    return {"heat_map": list(loaded.heat_map(np.zeros((1, size, size, 3), np.uint8)).shape[1:])}


TARGET = Target(
    name="android",
    places=(Place(TFLITE, "float32"), Place(TFLITE, "int8")),
    options=AndroidOptions(),
    package=package,
    parts=parts,
)
