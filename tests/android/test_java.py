"""The Java of android/ on a desktop's JVM: its JUnit tests, against what Python computes."""

import shutil
import subprocess
from pathlib import Path

import java_vectors
import pytest
from android_library import litert
from compile_java import JNA, SOURCES, compile_java

REAL = 200
CLASSES = sorted(path.stem for path in (SOURCES / "test").rglob("*Test.java"))


def junit(name: str, classes: str, vectors: Path) -> None:
    done = subprocess.run(
        [
            *("java", "-Xmx512m", "-Djava.awt.headless=true", f"-Dvectors={vectors}", f"-Dlitert={litert()}"),
            *("-cp", classes, "org.junit.runner.JUnitCore", f"melanoma.edge.{name}"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert "OK (" in done.stdout


@pytest.mark.parametrize("name", CLASSES)
def test_junit(name: str, classes: str, vectors: Path) -> None:
    junit(name, classes, vectors)


@pytest.mark.data
def test_real_photographs(classes: str, library: Path, guard_bundle: Path, ham10000: Path, tmp_path: Path) -> None:
    """200 dermatoscopic JPEG files: decoders, pixels, logits, decisions, advice and faults."""
    files = sorted(ham10000.rglob("*.jpg"))[::50][:REAL]
    assert len(files) == REAL
    java_vectors.photographs(java_vectors.Vectors(tmp_path), guard_bundle, (file.read_bytes() for file in files))
    shutil.copytree(library / "assets", tmp_path / "assets")
    junit("PhotographsTest", classes, tmp_path)


def test_there_are_junit_tests() -> None:
    assert {"ClassifierTest", "FrameTest", "PolicyTest", "QualityTest", "ResizeTest"} <= set(CLASSES)


@pytest.mark.parametrize("part", ["plain", "device"])
def test_nothing_is_used_that_android_6_lacks(part: str, java: None, tmp_path: Path) -> None:
    """Java 8's own library classes came with Android 7 and 8: the sources compile as Java 7, without them."""
    compile_java(tmp_path / "fakes", "fakes", JNA)
    compile_java(tmp_path / "plain", "plain", release=7)
    if part == "device":
        compile_java(tmp_path / "device", "device", tmp_path / "plain", tmp_path / "fakes", release=7)


def test_the_plain_part_knows_no_android() -> None:
    sources = list((SOURCES / "plain").rglob("*.java"))
    assert sources
    for path in sources:
        assert not [word for word in ("android.", "org.tensorflow", "java.awt") if f"import {word}" in path.read_text()]
