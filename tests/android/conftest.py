"""A JVM, JUnit and the LiteRT of Python's wheel; the library in the bundle of the trained network, unpacked."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import java_vectors
import onnx_ir as ir
import pytest
from android_library import BOTH, contents, files, unpacked_assets
from compile_java import JAVA, JNA, compile_java, found_version

from melanoma_edge.artifact import Artifact, sha256_file
from melanoma_edge.export.emit import emit
from melanoma_edge.export.heat_map import append

GET = "run `sh scripts/android.sh`, which installs Debian's packages of them"
JARS = (JNA, JNA.with_name("junit4.jar"), JNA.with_name("hamcrest.jar"))


@pytest.fixture(scope="session")
def java() -> None:
    """Skips without a JDK of the version whose bytes are kept, JUnit and JNA."""
    lacking = [jar.name for jar in JARS if not jar.is_file()]
    if found_version() != JAVA or lacking or not shutil.which("java"):
        pytest.skip(f"needs a JDK {JAVA}, JUnit and JNA (missing: {', '.join(lacking) or 'the JDK'}): {GET}")


@pytest.fixture(scope="session")
def aar(guard_bundle: Path) -> Path:
    """The library in the bundle of the trained network."""
    return next((guard_bundle / "android").rglob("*.aar"))


@pytest.fixture(scope="session")
def library(aar: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, unpacked."""
    folder = tmp_path_factory.mktemp("library")
    with zipfile.ZipFile(aar) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def classes(java: None, library: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Class path: the shipped classes.jar, the stand-ins for Android's and LiteRT's classes, and the tests."""
    folder = tmp_path_factory.mktemp("classes")
    compile_java(folder / "fakes", "fakes", JNA)
    path = (library / "classes.jar", folder / "fakes", *JARS)
    compile_java(folder / "test", "test", *path, release=JAVA)
    return ":".join(map(str, (*path, folder / "test")))


@pytest.fixture(scope="session")
def mapped(guard_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The trained network's integers with a heat map as second output."""
    graph = guard_bundle / ".work" / "quantize" / "model.onnx"
    model, path = ir.load(graph), tmp_path_factory.mktemp("mapped") / f"{guard_bundle.name}_int8.tflite"
    append(model, 1)
    emit(model, path, name=path.stem)
    return Artifact(path, sha256_file(path), "tflite", "int8")


@pytest.fixture(scope="session")
def vectors(guard_bundle: Path, library: Path, mapped: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Python computes, for the Java to compare itself with; `assets`, `both` and `mapped` are those of three
    libraries: INT8 alone, float32 beside it, and INT8 with a heat map.
    """
    folder = tmp_path_factory.mktemp("vectors")
    java_vectors.write(folder, guard_bundle)
    java_vectors.heat_map(folder, mapped)
    shutil.copytree(library / "assets", folder / "assets")
    plain = contents(guard_bundle, (mapped,))
    unpacked_assets(plain, folder / "mapped")
    both = files(guard_bundle, "float32", "int8")
    unpacked_assets(replace(plain, artifacts=both), folder / "both", BOTH)
    return folder
