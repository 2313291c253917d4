"""Runs inside the emulation, or on a board: a model file on images, with nothing but numpy and the runtime.

`runtime.arm64` starts it:

    python3.11 arm64_answer.py MODEL IMAGES.npy ANSWERS START RUNTIME [ENTRY=VALUE...]

IMAGES.npy: uint8 `[N, S, S, 3]`. ANSWERS: a row of float32 an image, all outputs one after the other, appended from
image START on, so that what was killed goes on: its row is written before an image's number is said. RUNTIME: a
key of RUNTIMES. ENTRY=VALUE: of ONNX Runtime's session.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

INTERPRETERS = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")
Run = Callable[[Any], list[Any]]


def main(model: str, images: str, answers: str, start: str, runtime: str, *entries: str) -> None:
    """Append an answer an image and say its number on stdout."""
    pixels = np.load(images, mmap_mode="r")
    run = RUNTIMES[runtime](model, entries)
    with Path(answers).open("ab") as file:
        for i in range(int(start), len(pixels)):
            # As `data.preprocess.normalize` has it for every file that ships; exact in float32.
            image = (pixels[i : i + 1].astype(np.float32) - np.float32(128)) / np.float32(128)
            row = np.concatenate([np.asarray(part, np.float32).ravel() for part in run(image)])
            file.write(row.astype("<f4").tobytes())
            file.flush()
            sys.stdout.write(f"{i + 1}\n")
            sys.stdout.flush()


def litert(model: str, entries: Sequence[str]) -> Run:
    """All outputs of a .tflite file for float32 `[1, S, S, 3]`, on one thread, in the first of INTERPRETERS, which have
    no entries."""
    module = next(name for name in INTERPRETERS if importlib.util.find_spec(name.split(".")[0]))
    interpreter = importlib.import_module(module).Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    image = interpreter.get_input_details()[0]["index"]
    outputs = [output["index"] for output in interpreter.get_output_details()]

    def run(batch: Any) -> list[Any]:
        interpreter.set_tensor(image, batch)
        interpreter.invoke()
        return [interpreter.get_tensor(output) for output in outputs]

    return run


def onnxruntime(model: str, entries: Sequence[str]) -> Run:
    """All outputs of an .onnx file for float32 `[1, S, S, 3]`, on one thread with the session of `runtime.ort`."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for entry in entries:
        options.add_session_config_entry(*entry.split("="))
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: np.ascontiguousarray(batch.transpose(0, 3, 1, 2))})


RUNTIMES = {"litert": litert, "onnxruntime": onnxruntime}

if __name__ == "__main__":
    main(*sys.argv[1:])
