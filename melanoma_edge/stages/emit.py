"""Write each runtime's files from the graphs, float and quantised: nothing is decided here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.artifact import Artifact, Stage, run_stage
from melanoma_edge.export.heat_map import append
from melanoma_edge.formats import Format, write
from melanoma_edge.tflite.metadata import About


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
    work: Path,
    name: str,
    graphs: Mapping[str, Graph],
    wanted: Sequence[tuple[Format, str]],
    int8: str,
    about: About,
    heat_map: bool = False,
) -> tuple[Artifact, ...]:
    """One file for each of `wanted`: format and precision (a key of `graphs`).

    int8: what the file of that precision is called: `int8`, or the recipe that was asked for by name. about: what
    .tflite files tell of themselves. heat_map: whether each file's second output is melanoma's map. Raises InputError
    for a network without an exact one.
    """
    files = {(form, p): f"{name}_{int8 if p == 'int8' else p}{form.suffix}" for form, p in wanted}

    def make(folder: Path) -> None:
        for (_, precision), file in files.items():
            model, path = ir.load(graphs[precision].path), folder / file
            if heat_map:
                append(model, about.melanoma)
            write(model, path, about=about)

    stage = run_stage(
        work / "emit",
        make,
        inputs={precision: graphs[precision].sha256 for _, precision in wanted},
        code=__name__,
        options={"files": list(files.values()), "heat_map": heat_map, "metadata": asdict(about)},
        tools=("ai-edge-litert", "flatbuffers", "onnx-ir"),
    )
    return tuple(
        Artifact(stage.folder / file, stage.sha256(file), form.name, precision)
        for (form, precision), file in files.items()
    )
