"""Compile the Java of android/ into the jars that `--target android` fills in: classes, sources, javadoc.

    python scripts/compile_java.py OUTPUT_FOLDER

Needs JAVA's javac and javadoc, and JNA's jar for the stand-ins that it compiles against; see scripts/android.sh.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from melanoma_edge.archive import archive

JAVA = 17  # the major version whose bytes are kept
SOURCES = Path(__file__).resolve().parents[1] / "android"
JNA = Path("/usr/share/java/jna.jar")
LIBRARY = ("plain", "device")  # plain Java, and what needs Android


def main(output: Path) -> None:
    """Write the three jars to `output`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        compile_java(folder / "plain", "plain")
        compile_java(folder / "fakes", "fakes", JNA)
        compile_java(folder / "device", "device", folder / "plain", folder / "fakes")
        classes = _tree(folder / "plain") | _tree(folder / "device")
        document(folder / "javadoc", folder / "fakes")
        sources = {name: data for part in LIBRARY for name, data in _tree(SOURCES / part).items()}
        output.mkdir(parents=True, exist_ok=True)
        jars = {"classes": classes, "sources": sources, "javadoc": _tree(folder / "javadoc")}
        for name, held in jars.items():
            (output / f"{name}.jar").write_bytes(archive(held))


def compile_java(output: Path, part: str, *path: Path, release: int = 8) -> None:
    """Compile a folder of android/ on a class path. Raises CalledProcessError once javac has said what is wrong."""
    output.mkdir(parents=True, exist_ok=True)
    flags = ("--release", str(release), "-encoding", "UTF-8", "-g", "-Xlint:all,-options", "-Werror", "-proc:none")
    _run("javac", *flags, "-cp", ":".join(map(str, path)), "-d", output, *sorted((SOURCES / part).rglob("*.java")))


def document(output: Path, fakes: Path) -> None:
    """The public classes' documentation, without what searches it."""
    files = [file for part in LIBRARY for file in sorted((SOURCES / part).rglob("*.java"))]
    flags = ("--release", "8", "-encoding", "UTF-8", "-quiet", "-notimestamp", "-noindex", "-notree", "-nohelp")
    _run("javadoc", *flags, "-Xdoclint:all", "-Werror", "-cp", fakes, "-d", output, *files)


def found_version() -> int | None:
    """The major version of javac, or None."""
    try:
        told = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.match(r"javac (\d+)", told.stdout + told.stderr)
    return int(number[1]) if number else None


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


def _tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
