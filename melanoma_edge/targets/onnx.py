"""ONNX Runtime on desktops and servers: both files, and an example of Python that needs nothing of this package."""

from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from melanoma_edge.formats.onnx import FORMAT as ONNX
from melanoma_edge.targets import Contents, NoOptions, Place, Target
from melanoma_edge.targets._documents import filled

EXAMPLE, README = "predict.py", "README.md"


def package(options: NoOptions, contents: Contents, folder: Path) -> None:
    """Write the example, and how to use it, to `folder`/onnx."""
    from melanoma_edge.artifact import write_atomic

    words = {"NAME": contents.name, "GENERATOR": contents.generator, "LICENCE": contents.licence}
    words["SIZE"] = str(contents.preprocessing.size)
    write_atomic(folder / "onnx" / EXAMPLE, _held(EXAMPLE))
    write_atomic(folder / "onnx" / README, filled(_held(README).decode(), words))


def parts() -> str:
    """sha256 of the example and of the text that is filled in."""
    return sha256(_held(EXAMPLE) + _held(README)).hexdigest()


def _held(name: str) -> bytes:
    return files("melanoma_edge.targets").joinpath("python", name).read_bytes()


TARGET = Target(
    name="onnx",
    places=(Place(ONNX, "float32"), Place(ONNX, "int8")),
    options=NoOptions(),
    package=package,
    parts=parts,
)
