"""Emulated ARM64, the trained network's INT8 file with its last integers as second output, and images for it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from melanoma_edge.cores import usable_cores
from melanoma_edge.runtime import arm64, litert

IMAGES = 100


@pytest.fixture(scope="session")
def emulated() -> arm64.Emulation:
    """Skips, with the command that gets it, where ARM64 cannot be emulated."""
    lacking = arm64.missing()
    if lacking is not None:
        pytest.skip(lacking)
    return arm64.emulation()


@pytest.fixture(scope="session")
def images(guard_bundle: Path) -> NDArray[np.uint8]:
    """uint8 `[100, 160, 160, 3]`: test images of the synthetic lesions."""
    found = np.load(guard_bundle / ".work" / "data" / "test.npy", mmap_mode="r")
    return np.ascontiguousarray(found[np.linspace(0, len(found) - 1, IMAGES).astype(int)])


@pytest.fixture(scope="session")
def int8(guard_bundle: Path) -> Path:
    """The trained network's INT8 file, as it ships."""
    return guard_bundle / "tflite" / f"{guard_bundle.name}_int8.tflite"


@pytest.fixture(scope="session")
def threshold(guard_bundle: Path) -> float:
    """Where it decides."""
    return float(json.loads((guard_bundle / "report.json").read_text())["operating_point"]["threshold"])


@pytest.fixture(scope="session")
def opened(int8: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same file with the reals of its last integer tensor as second output: what every integer operator led to."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(int8.read_bytes(), 0))
    graph = model.subgraphs[0]
    codes = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    last = max(i for i, code in enumerate(codes) if code == schema.BuiltinOperator.DEQUANTIZE)
    graph.outputs = [*graph.outputs, graph.operators[last].outputs[0]]
    model.signatureDefs = []
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path_factory.mktemp("opened") / "opened.tflite"
    path.write_bytes(bytes(builder.Output()))
    return path


@pytest.fixture(scope="session")
def answered(
    emulated: arm64.Emulation, opened: Path, images: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, NDArray[np.float32]]:
    """What `opened` answers on each emulated core, float32 `[100, outputs]`; the cores run side by side."""
    folder = tmp_path_factory.mktemp("answered")
    np.save(folder / "images.npy", images)
    outputs = sum(int(np.prod(one["shape"])) for one in litert.allocate(opened).get_output_details())

    def on(cpu: str) -> NDArray[np.float32]:
        file = folder / cpu
        arm64.answers(
            emulated, cpu, opened, folder / "images.npy", outputs, file, lambda done, total: None, ("litert",)
        )
        return np.fromfile(file, "<f4").reshape(len(images), outputs)

    with ThreadPoolExecutor(usable_cores()) as pool:
        return dict(zip(arm64.CPUS, pool.map(on, arm64.CPUS), strict=True))
