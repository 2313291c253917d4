"""The sample app, as far as a desktop can tell: its call of the library runs on a JVM, its files fit together."""

import json
import re
import shutil
import subprocess
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from android_library import litert
from compile_java import JNA, SOURCES, compile_java

from melanoma_edge.targets import _aar, _maven

ROOT = SOURCES.parent
APP = ROOT / "examples" / "android"
MAIN = APP / "app" / "src" / "main"
KOTLIN = MAIN / "kotlin" / "melanoma" / "edge" / "sample"
RES = MAIN / "res"
ANDROID, TOOLS = (f"{{http://schemas.android.com/{part}}}" for part in ("apk/res/android", "tools"))
STDLIB = Path("/usr/share/java/kotlin-stdlib.jar")
DRIVER = """
package melanoma.edge.sample

import android.content.Context
import java.io.File

fun main(given: Array<String>) {
    val analyser = Analyser(Context(File(given[0])))
    println(analyser.selfTest())
    for (file in given.drop(1)) {
        val said = analyser.judge(File(file).readBytes())
        println(when (said) {
            is Found -> listOf(said.title, said.uncertain, said.probability, said.lacks.size, said.map?.colours?.size)
            is Refused -> listOf("refused", said.image)
        }.joinToString("|"))
    }
    println(colours(floatArrayOf(0f, 2f, -4f)).joinToString("|") { Integer.toHexString(it) })
    analyser.close()
}
"""


def xml_files() -> Iterator[Path]:
    return MAIN.rglob("*.xml")


def kotlin() -> str:
    return "\n".join(path.read_text() for path in sorted(KOTLIN.glob("*.kt")))


def properties(path: Path) -> dict[str, str]:
    rows = [line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(rows)


def declared() -> set[tuple[str, str]]:
    """Kind and name of every resource."""
    found = {(path.parent.name.split("-")[0], path.stem) for path in RES.rglob("*.xml")}
    for path in (RES / "values").glob("*.xml"):
        found |= {(item.tag, item.attrib["name"]) for item in ET.parse(path).getroot()}
    for path in (RES / "layout").glob("*.xml"):
        found |= {("id", i.removeprefix("@+id/")) for e in ET.parse(path).iter() if (i := e.get(f"{ANDROID}id"))}
    return found


@pytest.fixture(scope="module")
def app(java: None, library: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Class path of the app's code that knows the library, and of what drives it."""
    if not shutil.which("kotlinc") or not STDLIB.is_file():
        pytest.skip("needs Kotlin: `sh scripts/android.sh` installs Debian's package of it where there is one")
    folder = tmp_path_factory.mktemp("app")
    compile_java(folder / "fakes", "fakes", JNA)
    (folder / "Driver.kt").write_text(DRIVER)
    path = f"{library / 'classes.jar'}:{folder / 'fakes'}"
    sources = (KOTLIN / "Analyser.kt", KOTLIN / "Colours.kt", folder / "Driver.kt")
    command = ["kotlinc", "-cp", path, "-d", folder / "app", *sources]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return f"{path}:{folder / 'app'}:{STDLIB}:{JNA}"


def answers(app: str, assets: Path, *files: Path) -> list[str]:
    """What the app says: whether the self-test passed, a line for each file, the colours of three places."""
    command = ["java", f"-Dlitert={litert()}", "-cp", app, "melanoma.edge.sample.DriverKt", assets, *files]
    done = subprocess.run([str(w) for w in command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_file_that_calls_the_library_gives_pythons_answers(app: str, vectors: Path) -> None:
    rows = json.loads((vectors / "photographs_int8.json").read_text())[:10]
    files = [*(vectors / row["file"] for row in rows), vectors / "cmyk.jpg"]
    tested, *said, refused, colours = answers(app, vectors / "assets", *files)
    assert tested == "true" and refused == "refused|true"
    for row, answer in zip(rows, said, strict=True):
        title, uncertain, p, lacks, heat = answer.split("|")
        assert title == row["title"] and uncertain == str(row["uncertain"]).lower() and heat == "null"
        assert float(p) == pytest.approx(row["p"], abs=1e-12)
        assert int(lacks) == len([word for word in row["faults"].split(",") if word])
    assert colours.split("|") == ["72ff", "53ff7a00", "a60072ff"]


def test_the_app_takes_the_heat_map_where_there_is_one(app: str, vectors: Path) -> None:
    wanted = json.loads((vectors / "heat_map.json").read_text())
    tested, said, _ = answers(app, vectors / "mapped", vectors / wanted["file"])
    assert tested == "true" and said.split("|")[-1] == str(wanted["width"] * wanted["height"])


def test_a_library_that_is_missing_is_told_of(app: str, tmp_path: Path) -> None:
    (tmp_path / "any.jpg").write_bytes(b"any")
    assert answers(app, tmp_path / "nowhere", tmp_path / "any.jpg")[:2] == ["false", "refused|false"]


def test_nothing_but_that_file_knows_the_library() -> None:
    knowing = {
        path.name for path in KOTLIN.glob("*.kt") if re.search(r"import melanoma\.edge\.[A-Z]", path.read_text())
    }
    assert knowing == {"Analyser.kt"}


def test_the_app_asks_for_the_camera_alone() -> None:
    manifest = ET.parse(MAIN / "AndroidManifest.xml").getroot()
    wanted = {p.get(f"{ANDROID}name"): p.get(f"{TOOLS}node") for p in manifest.findall("uses-permission")}
    assert (
        wanted.pop("android.permission.INTERNET") == wanted.pop("android.permission.ACCESS_NETWORK_STATE") == "remove"
    )
    assert wanted == {"android.permission.CAMERA": None}
    assert manifest.find("application").get(f"{ANDROID}allowBackup") == "false"  # type: ignore[union-attr]
    assert not re.search(r"java\.net|HttpURL|okhttp|Socket|WebView", kotlin())


def test_every_resource_that_is_named_exists() -> None:
    known = declared()
    named = set(re.findall(r"\bR\.(\w+)\.(\w+)", kotlin()))
    for path in xml_files():
        named |= set(re.findall(r"@(string|style|color|drawable|layout)/([\w.]+)", path.read_text()))
    used = {(kind, name.replace(".", "_") if kind == "layout" else name) for kind, name in named}
    assert used <= known
    assert not {name for kind, name in known if kind == "string"} - {name for kind, name in used if kind == "string"}


def test_every_view_that_the_code_uses_exists() -> None:
    snake = re.compile(r"(?<=[a-z])([A-Z])")
    ids = {name for kind, name in declared() if kind == "id"}
    used = set(re.findall(r"\bviews\.(\w+)", kotlin())) | set(re.findall(r"\bviews\.\w+\.(\w+)\.", kotlin()))
    result = (KOTLIN / "ResultScreen.kt").read_text()
    used |= set(re.findall(r"^\s+(\w+)\.(?:text|isVisible|set\w+|isChecked|colorFilter)\b", result, re.MULTILINE))
    used -= {"root", "part", "inflate"}
    assert {snake.sub(lambda found: f"_{found[1].lower()}", name) for name in used} <= ids
    assert len(used) > 15


def test_texts_are_resources_and_what_is_seen_is_described() -> None:
    layouts = list((RES / "layout").glob("*.xml"))
    assert layouts
    for path in layouts:
        for element in ET.parse(path).iter():
            for key, value in element.attrib.items():
                assert not re.search(r"\d(px|pt|in|mm)$", value), (path.name, value)
                if key in (f"{ANDROID}text", f"{ANDROID}contentDescription", f"{ANDROID}accessibilityPaneTitle"):
                    assert value.startswith("@string/"), (path.name, value)
            if element.tag.split(".")[-1] in ("ImageView", "PreviewView", "ProgressBar"):
                assert element.get(f"{ANDROID}contentDescription"), (path.name, element.tag)
    assert 'setText("' not in kotlin() and '.text = "' not in kotlin()


def test_both_themes_have_every_colour() -> None:
    light, dark = (
        {item.attrib["name"] for item in ET.parse(RES / folder / "colors.xml").getroot()}
        for folder in ("values", "values-night")
    )
    assert light == dark and "DayNight" in (RES / "values" / "styles.xml").read_text()


def test_gradle_names_the_library_as_it_is_written() -> None:
    told = properties(APP / "gradle.properties")
    group, name, version = told["melanomaEdge.library"].split(":")
    assert (group, version) == (_maven.GROUP, _maven.VERSION)
    assert (APP / told["melanomaEdge.maven"]).resolve() == ROOT / "artifacts" / name / "android" / "maven"
    assert f"--output artifacts/{name}" in (APP / "README.md").read_text()
    files = _maven.repository(name, b"", b"", b"", "none")
    assert f"{group}/{name}/{version}/{name}-{version}.module" in files
    script = (APP / "app" / "build.gradle.kts").read_text()
    assert 'implementation(providers.gradleProperty("melanomaEdge.library").get())' in script
    assert "melanomaEdge.maven" in (APP / "settings.gradle.kts").read_text()
    assert int(re.search(r"minSdk = (\d+)", script)[1]) >= _aar.MIN_SDK  # type: ignore[index]


def test_the_version_catalogue_has_what_the_scripts_ask_for() -> None:
    catalogue = tomllib.loads((APP / "gradle" / "libs.versions.toml").read_text())
    parts = {**catalogue["libraries"], **catalogue["plugins"]}
    assert {part["version"]["ref"] for part in parts.values()} == set(catalogue["versions"])
    bundled = {name for bundle in catalogue["bundles"].values() for name in bundle}
    known = {f"libs.{name}" for name in catalogue["libraries"]}
    known |= {f"libs.{kind}.{name}" for kind in ("bundles", "plugins") for name in catalogue[kind]}
    scripts = "\n".join(path.read_text() for path in APP.rglob("*.kts"))
    asked = set(re.findall(r"\blibs(?:\.\w+)+", scripts))
    assert asked <= {name.replace("-", ".") for name in known}
    unused = {name for name in catalogue["libraries"] if f"libs.{name.replace('-', '.')}" not in asked} - bundled
    assert not unused


def test_versions_in_the_readme_are_those_of_the_files() -> None:
    catalogue = tomllib.loads((APP / "gradle" / "libs.versions.toml").read_text())["versions"]
    text = (APP / "README.md").read_text()
    gradle = re.search(r"--gradle-version ([\d.]+)`", text)[1]  # type: ignore[index]
    for told in (f"Gradle {gradle}", f"plugin {catalogue['agp']}", f"Kotlin {catalogue['kotlin']}"):
        assert told in text
    assert f"CameraX {catalogue['camerax']}" in text and not list(APP.rglob("*.jar"))
