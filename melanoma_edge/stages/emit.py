"""Write each runtime's files from the two graphs, float and quantised: nothing is decided here."""

import shutil
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.artifact import Artifact, Stage, run_stage
from melanoma_edge.export.tflite.emit import emit
from melanoma_edge.stages.graph import MODEL


def artifacts(work: Path, name: str, graphs: dict[str, Stage], formats: tuple[str, ...]) -> tuple[Artifact, ...]:
    """One file per format ("tflite", "onnx") and precision ("float32", "int8": the keys of `graphs`)."""
    wanted = [(form, precision) for form in formats for precision in graphs]

    def make(folder: Path) -> None:
        for form, precision in wanted:
            source, path = graphs[precision].folder / MODEL, folder / _file(name, precision, form)
            if form == "onnx":
                shutil.copyfile(source, path)
            else:
                emit(ir.load(source), path, name=f"{name}_{precision}")

    stage = run_stage(
        work / "emit",
        make,
        inputs={precision: graph.sha256(MODEL) for precision, graph in graphs.items()},
        options={"name": name, "formats": formats},
        tools=("ai-edge-litert", "flatbuffers", "onnx-ir"),
    )
    files = {(form, precision): _file(name, precision, form) for form, precision in wanted}
    return tuple(
        Artifact(stage.folder / file, stage.sha256(file), form, precision, (graphs[precision].sha256(MODEL),))
        for (form, precision), file in files.items()
    )


def _file(name: str, precision: str, form: str) -> str:
    return f"{name}_{precision}.{form}"
