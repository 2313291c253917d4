"""The library: the same bytes twice, what its sources compile to, whole, and as Gradle's formats have it."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from android_library import BOTH, PLAIN, contents, files
from compile_java import JNA, SOURCES, compile_java

from melanoma_edge.archive import EPOCH
from melanoma_edge.artifact import json_text, sha256_file
from melanoma_edge.targets import _aar, _maven, android
from melanoma_edge.targets._golden import FLOAT_TOLERANCE, golden, pictures
from melanoma_edge.verify.policy import read_policy

ROOT = SOURCES.parent
ANDROID = "{http://schemas.android.com/apk/res/android}"
POM = "{http://maven.apache.org/POM/4.0.0}"
CONSUMER = """
package app;

import android.content.Context;
import android.graphics.Bitmap;
import melanoma.edge.*;

class App {
    String classify(Context context, Bitmap bitmap, byte[] jpeg) {
        try (MelanomaClassifier classifier = MelanomaClassifier.create(context, Precision.INT8)) {
            if (!classifier.selfTest().passed) return "other numbers than Python's";
            Classification result = bitmap == null ? classifier.classify(jpeg) : classifier.classify(bitmap);
            Grid map = result.heatMap;
            double[] numbers = {result.probability, result.entropy, result.timings.total, result.quality.measures.cut};
            return result.decision == Decision.MELANOMA && !result.uncertain && map == null && numbers.length > 0
                ? result.tier.title + result.tier.advice + result.notice : result.quality.words.toString();
        } catch (ClassifierException error) {
            return error.code() == ClassifierException.Code.IMAGE ? "take another picture" : error.getMessage();
        }
    }
}
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def entries(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def rebuilt(bundle: Path, folder: Path) -> dict[str, bytes]:
    """The package made once more from what is in a bundle."""
    android.package(PLAIN, contents(bundle, files(bundle, "int8")), folder)
    return tree(folder / "android")


def test_two_builds_on_different_paths_are_the_same_bytes(guard_bundle: Path, tmp_path: Path) -> None:
    one, two = (rebuilt(guard_bundle, tmp_path / name) for name in ("one", "another/place"))
    shipped = {name: data for name, data in tree(guard_bundle / "android").items() if not name.endswith(".tflite")}
    assert one == two == shipped and len(one) == 6


def test_what_is_shipped_is_what_the_sources_compile_to(java: None, tmp_path: Path) -> None:
    """On another path, and twice; the javadoc's frame is the JDK's, so only its pages are compared."""
    for part in ("android", "scripts"):
        shutil.copytree(ROOT / part, tmp_path / "elsewhere" / part)
    script = tmp_path / "elsewhere" / "scripts" / "compile_java.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "made")], check=True)
    for jar in ("classes.jar", "sources.jar"):
        assert (tmp_path / "made" / jar).read_bytes() == _aar.compiled(jar), f"run `make android`: {jar} is stale"
    pages = [
        {name for name in entries(data).namelist() if name.startswith("melanoma/")}
        for data in ((tmp_path / "made" / "javadoc.jar").read_bytes(), _aar.compiled("javadoc.jar"))
    ]
    assert pages[0] == pages[1] and "melanoma/edge/MelanomaClassifier.html" in pages[0]


def test_the_library_holds_what_the_format_asks_for(aar: Path, guard_bundle: Path) -> None:
    packed = zipfile.ZipFile(aar)
    assert packed.testzip() is None
    assets = ("golden.json", "labels.txt", "manifest.json", "policy.json", f"models/{guard_bundle.name}_int8.tflite")
    assert set(packed.namelist()) == {
        "AndroidManifest.xml",
        "META-INF/com/android/build/gradle/aar-metadata.properties",
        "R.txt",
        "classes.jar",
        "proguard.txt",
        "res/",
        *(f"{_aar.ASSETS}/{name}" for name in assets),
    }
    for entry in packed.infolist():
        assert entry.compress_type == zipfile.ZIP_STORED and entry.date_time == EPOCH
    manifest = ET.fromstring(packed.read("AndroidManifest.xml"))
    assert manifest.find("uses-sdk").get(f"{ANDROID}minSdkVersion") == "23"  # type: ignore[union-attr]
    metadata = packed.read("META-INF/com/android/build/gradle/aar-metadata.properties").decode()
    told = dict(line.split("=") for line in metadata.split())
    assert told["aarFormatVersion"] == told["aarMetadataVersion"] == "1.0" and "minCompileSdk" in told


def test_what_two_targets_ship_is_judged_once(guard_bundle: Path) -> None:
    manifest = json.loads((guard_bundle / "manifest.json").read_text())
    names = [row["name"] for row in manifest["artifacts"]]
    assert len(names) == len(set(names)) == 5
    assert {"android", "tflite"} <= {file.split("/")[0] for file in manifest["files"] if file.endswith(".tflite")}


def test_every_class_is_java_8(library: Path) -> None:
    classes = entries((library / "classes.jar").read_bytes())
    majors = {int.from_bytes(classes.read(name)[6:8], "big") for name in classes.namelist()}
    assert majors == {52}


def test_the_assets_are_the_bundles(library: Path, guard_bundle: Path) -> None:
    assets = library / "assets" / "melanoma_edge"
    manifest = json.loads((assets / "manifest.json").read_text())
    (network,) = manifest["models"]
    listed = {**manifest["files"], network["file"]: network}
    assert set(listed) == {str(p.relative_to(assets)) for p in assets.rglob("*") if p.is_file()} - {"manifest.json"}
    for name, facts in listed.items():
        assert facts["sha256"] == sha256_file(assets / name) and facts["bytes"] == (assets / name).stat().st_size
    model = network["file"]
    assert (assets / model).read_bytes() == (guard_bundle / "tflite" / Path(model).name).read_bytes()
    assert json.loads((assets / "policy.json").read_text()) == json.loads(json_text(read_policy(guard_bundle)))
    assert (assets / "labels.txt").read_text().split() == manifest["classes"]
    kinds = {image["type"] for image in json.loads((assets / "golden.json").read_text())["images"]}
    assert kinds == set(android.DECODED)


def test_the_float_file_comes_where_it_is_asked_for(guard_bundle: Path, tmp_path: Path) -> None:
    android.package(BOTH, contents(guard_bundle, files(guard_bundle, "float32", "int8")), tmp_path)
    packed = zipfile.ZipFile(next(tmp_path.rglob("*.aar")))
    manifest = json.loads(packed.read(f"{_aar.ASSETS}/manifest.json"))
    assert [one["precision"] for one in manifest["models"]] == ["int8", "float32"]  # the first is an app's default
    for one in manifest["models"]:
        data = packed.read(f"{_aar.ASSETS}/{one['file']}")
        assert data == (guard_bundle / "tflite" / Path(one["file"]).name).read_bytes()
        assert one["sha256"] == hashlib.sha256(data).hexdigest() and one["bytes"] == len(data)
    vectors = json.loads(packed.read(f"{_aar.ASSETS}/golden.json"))
    assert set(vectors["tolerance"]) == {one["id"] for one in manifest["models"]} == set(vectors["images"][0]["logits"])
    assert vectors["tolerance"]["litert-float32"] == FLOAT_TOLERANCE
    text = (tmp_path / "android" / "README.md").read_text()
    assert "the INT8 file and the float32 file (`create(context, Precision.FLOAT32)`)." in text


def test_gradle_and_maven_find_every_file_with_its_digests(aar: Path) -> None:
    folder, stem = aar.parent, aar.stem
    assert aar.relative_to(folder.parents[2]).parts == (_maven.GROUP, folder.parent.name, _maven.VERSION, aar.name)
    module = json.loads((folder / f"{stem}.module").read_text())
    assert module["formatVersion"] == "1.1" and module["component"]["module"] == folder.parent.name
    named = {file["name"]: file for variant in module["variants"] for file in variant["files"]}
    assert set(named) == {f"{stem}.aar", f"{stem}-sources.jar", f"{stem}-javadoc.jar"}
    for name, facts in named.items():
        data = (folder / name).read_bytes()
        assert facts["size"] == len(data)
        assert all(facts[kind] == hashlib.new(kind, data).hexdigest() for kind in _maven.DIGESTS)
    text = (folder / f"{stem}.pom").read_text()
    assert "published-with-gradle-metadata" in text  # Gradle reads the .module only then
    pom = ET.fromstring(text)
    assert [pom.findtext(POM + key) for key in ("groupId", "artifactId", "version", "packaging")] == [
        *(_maven.GROUP, folder.parent.name, _maven.VERSION, "aar")
    ]
    needed = pom.find(f"{POM}dependencies/{POM}dependency")
    assert needed is not None
    assert tuple(needed.findtext(POM + key) for key in ("groupId", "artifactId", "version")) == _maven.LITERT
    runtime = next(v for v in module["variants"] if v["attributes"]["org.gradle.usage"] == "java-runtime")
    assert runtime["dependencies"][0]["version"]["requires"] == _maven.LITERT[2]


def test_the_readme_is_filled_in(guard_bundle: Path, aar: Path) -> None:
    text = (guard_bundle / "android" / "README.md").read_text()
    assert f"{_maven.GROUP}:{guard_bundle.name}:{_maven.VERSION}" in text and "Never a diagnosis" in text
    assert f"{aar.stat().st_size:,} bytes" in text
    assert not [
        w for w in ("NAME", "GENERATOR", "COORDINATES", "LITERT", "BYTES", "HELD", "LICENCE") if w in text.split()
    ]


def test_an_app_compiles_against_the_library(java: None, library: Path, tmp_path: Path) -> None:
    compile_java(tmp_path / "fakes", "fakes", JNA)
    (tmp_path / "App.java").write_text(CONSUMER)
    path = f"{library / 'classes.jar'}:{tmp_path / 'fakes'}"
    command = ["javac", "--release", "8", "-Xlint:-options", "-cp", path, "-d", tmp_path / "app", tmp_path / "App.java"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_golden_vectors_can_be_those_of_some_pictures_only() -> None:
    chosen = [picture for picture in pictures() if picture.type == "image/png"]
    assert [row["name"] for row in golden(16, {}, chosen)["images"]] == ["png"]  # type: ignore[attr-defined]
