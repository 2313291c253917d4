"""Write each runtime's files from the graphs, float and quantised: nothing is decided here."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.artifact import Artifact, Stage, run_stage
from melanoma_edge.export.tflite.emit import emit


@dataclass(frozen=True)
class Graph:
    """An ONNX file that a stage left."""

    stage: Stage
    file: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.stage.folder / self.file

    @property
    def sha256(self) -> str:
        """What it holds."""
        return self.stage.sha256(self.file)


def artifacts(
    work: Path, name: str, graphs: Mapping[str, Graph], wanted: Sequence[tuple[str, str]]
) -> tuple[Artifact, ...]:
    """One file for each of `wanted`: format ("tflite", "onnx") and precision (a key of `graphs`)."""

    def make(folder: Path) -> None:
        for form, precision in wanted:
            source, path = graphs[precision].path, folder / _file(name, precision, form)
            if form == "onnx":
                shutil.copyfile(source, path)
            else:
                emit(ir.load(source), path, name=f"{name}_{precision}")

    stage = run_stage(
        work / "emit",
        make,
        inputs={precision: graphs[precision].sha256 for _, precision in wanted},
        options={"name": name, "files": [list(pair) for pair in wanted]},
        tools=("ai-edge-litert", "flatbuffers", "onnx-ir"),
    )
    files = {(form, precision): _file(name, precision, form) for form, precision in wanted}
    return tuple(
        Artifact(stage.folder / file, stage.sha256(file), form, precision, (graphs[precision].sha256,))
        for (form, precision), file in files.items()
    )


def _file(name: str, precision: str, form: str) -> str:
    return f"{name}_{precision}.{form}"
