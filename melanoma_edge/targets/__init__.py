"""What a bundle holds: one file per target, each with `ARTIFACTS`, `RUNTIMES` and `pack`.

A target that ships more than model files also has `package(contents, folder)`, which writes the rest below `folder`
under the bundle's relative names once every gate has passed, and `parts()`, a sha256 of what else goes in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from melanoma_edge.artifact import Artifact
from melanoma_edge.bench.document import BrowserReport
from melanoma_edge.errors import EdgeError


@dataclass(frozen=True)
class Place:
    """A model file that a target ships: which one, and where it stands in the bundle."""

    format: str  # as in Artifact: "onnx" or "tflite"
    precision: str  # as in Artifact: "float32" or "int8"
    folder: str  # in the bundle


@dataclass(frozen=True)
class Contents:
    """What `package` makes a package of.

    preprocessing, task, policy: as they stand in report.json and policy.json. licence: of the weights, in words. exact:
    whether every operator of the INT8 graph gives the same bits in every runtime. android_float: whether the Android
    library holds the float32 file too. browser: what `stages.browser` found, None when nothing was asked. web_models:
    of `--web-models`.
    """

    name: str
    generator: str
    artifacts: Sequence[Artifact]
    preprocessing: Mapping[str, Any]
    task: Mapping[str, Any]
    policy: Mapping[str, Any]
    licence: str
    exact: bool = True
    android_float: bool = False
    browser: BrowserReport | None = None
    web_models: str = "needed"


def place(places: Sequence[Place], artifacts: Sequence[Artifact]) -> Mapping[str, Path]:
    """Where each of `artifacts` goes in the bundle: relative name to the file it is copied from.

    Raises EdgeError when a place has no artifact of its format and precision.
    """
    made = {(a.format, a.precision): a.path for a in artifacts}
    missing = [p for p in places if (p.format, p.precision) not in made]
    if missing:
        wanted = ", ".join(f"{p.precision} {p.format}" for p in missing)
        found = ", ".join(f"{precision} {form}" for form, precision in made) or "nothing"
        raise EdgeError(f"the bundle needs {wanted}, and only {found} was made")
    files = {p: made[p.format, p.precision] for p in places}
    return {f"{p.folder}/{file.name}": file for p, file in files.items()}
