"""The tarball: the same bytes twice, what its sources compile to, sound by npm's linters, checked when loaded."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from browser_site import SOURCES, Site, node
from in_browser import serving

from melanoma_edge.artifact import Artifact, sha256_file
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.data.task import TASKS
from melanoma_edge.progress import silent
from melanoma_edge.targets import Contents, _npm, web
from melanoma_edge.targets.web import WebOptions

COMPILED = Path(str(_npm._root()))
GET = "run `make browser`"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_is_shipped_is_what_the_sources_compile_to(modules: Path, tmp_path: Path) -> None:
    shutil.copytree(SOURCES, tmp_path / "web", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "web" / "node_modules").symlink_to(modules)
    made = tmp_path / "melanoma_edge" / "targets" / "npm"
    (made / "demo").mkdir(parents=True)
    for written in ("README.md", "timing.html", "demo/index.html", "demo/style.css"):
        shutil.copy(COMPILED / written, made / written)
    node("npm", "run", "--silent", "build", cwd=tmp_path / "web")
    assert tree(made) == tree(COMPILED)


def test_types_hold(modules: Path) -> None:
    node("npm", "run", "--silent", "check", cwd=SOURCES)


def test_unit_tests_in_typescript(modules: Path) -> None:
    assert "passed" in node("npm", "run", "--silent", "test", cwd=SOURCES)


def test_npms_linters_find_nothing(modules: Path, tarball: Path, tmp_path: Path) -> None:
    with tarfile.open(tarball) as tar:
        tar.extractall(tmp_path, filter="data")
    node("publint", "--strict", tmp_path / "package", cwd=tmp_path)
    node("attw", tarball, "--profile", "esm-only", cwd=tmp_path)


def test_the_same_input_gives_the_same_bytes() -> None:
    manifest = {
        "name": "a b",
        "generator": "x",
        "models": [{"runtime": "litert", "id": "litert-int8", "bytes": 3, "milliseconds": 2.0, "byFloat": None}],
        "order": {"browser": "Chromium 1", "why": None},
        "runtimes": _npm.runtimes(),
    }
    one, two = (_npm.tarball("A b_C", manifest, {"models/m.tflite": b"abc"}, "none") for _ in range(2))
    assert one == two and one[0] == "a-b-c-0.1.0.tgz"


def test_the_readme_is_filled_in(site: Site) -> None:
    text = (site.package / "README.md").read_text()
    assert "litert-int8" in text and "@litertjs/core@" in text and "Never a diagnosis" in text
    assert not [
        word for word in ("NAME", "PACKAGE", "TARBALL", "MODELS", "ORDERED", "PEER", "LICENCE") if word in text.split()
    ]


def test_without_a_browser_in_the_build_the_package_says_what_its_order_is_from(site: Site) -> None:
    text = (site.package / "dist" / "manifest.js").read_text()
    manifest = json.loads(text.removeprefix("export const manifest = ").rstrip().removesuffix(";"))
    ids = [model["id"] for model in manifest["models"]]
    assert ids[0] == "litert-int8" and ids[-1] == "onnxruntime-int8" and len(ids) == 5
    assert manifest["order"] == {"browser": None, "why": "it was not asked for"}
    assert all(model["milliseconds"] is None for model in manifest["models"])
    assert "this one was not timed in a browser (it was not asked for)" in (site.package / "README.md").read_text()


def test_a_browser_in_the_build_decides_the_default(modules: Path, guard_bundle: Path, tmp_path: Path) -> None:
    """The files of the trained network timed through the package's own code, and the package made of that."""
    models = {p.name: p for p in (*(guard_bundle / "web").glob("*.onnx"), *(guard_bundle / "tflite").iterdir())}
    made = [
        Artifact(p, sha256_file(p), p.suffix[1:], p.stem.removeprefix(f"{guard_bundle.name}_")) for p in models.values()
    ]
    found = web.time(WebOptions(node_modules=str(modules)), tmp_path / "work", made, 160, 5, silent)
    if found.browser is None:
        pytest.skip(f"{found.why}: {GET}")
    assert found.browser.startswith("Chrom") and found.integer_dot in (True, False, None)
    rows = {row.name: row for row in found.rows}
    assert rows.keys() == models.keys()
    for name, row in rows.items():
        twin = rows[f"{guard_bundle.name}_float32{Path(name).suffix}"]
        assert 0.01 < row.p50 < 1000 and row.runs == 5
        assert row.ratio.median == pytest.approx(row.p50 / twin.p50)
    report = json.loads((guard_bundle / "report.json").read_text())
    contents = Contents(
        name=guard_bundle.name,
        generator="x",
        artifacts=made,
        preprocessing=Preprocessing(report["build"]["image_size"]),
        task=TASKS[report["build"]["task"]["name"]],
        policy=(guard_bundle / "policy.json").read_bytes(),
        licence="none",
        times=found,
    )
    web.package(WebOptions(), contents, tmp_path)
    with tarfile.open(next((tmp_path / "web").glob("*.tgz"))) as tar:
        tar.extractall(tmp_path, filter="data")
    text = (tmp_path / "package" / "dist" / "manifest.js").read_text()
    manifest = json.loads(text.removeprefix("export const manifest = ").rstrip().removesuffix(";"))
    assert manifest["order"] == {"browser": found.browser, "why": None}
    wanted = [a.path.name for a in web.chosen(made, list(rows), "needed")]
    assert [Path(m["file"]).name for m in manifest["models"]] == wanted and len(wanted) in (3, 4)
    assert [m["milliseconds"] for m in manifest["models"]] == [rows[name].p50 for name in wanted]
    assert f"the fastest in {found.browser}" in (tmp_path / "package" / "README.md").read_text()


LOAD = """async (assets) => {
  const lib = await import('/package/dist/index.js');
  return lib.createClassifier({ assets }).then(() => 'loaded', (e) => [e.name, e.code, e.message]);
}"""


@pytest.mark.parametrize("file", ["models/{name}_int8.tflite", "policy.json", "wasm/litert_wasm_internal.wasm"])
def test_a_changed_file_is_not_used(file: str, chromium: Any, site: Site, guard_bundle: Path, tmp_path: Path) -> None:
    file = file.format(name=guard_bundle.name)
    shutil.copytree(site.folder / "assets", tmp_path / "assets")
    for name in ("package", "modules"):
        (tmp_path / name).symlink_to(site.folder / name)
    shutil.copy(site.folder / "harness.html", tmp_path)
    data = bytearray((tmp_path / "assets" / file).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "assets" / file).write_bytes(bytes(data))
    with serving(tmp_path) as url:
        page = chromium.new_page()
        page.goto(f"{url}/harness.html")
        found = page.evaluate(LOAD, "/assets/")
        missing = page.evaluate(LOAD, "/nothing/")
        page.close()
    assert found[:2] == ["ClassifierError", "integrity"] and Path(file).name in found[2]
    assert missing[:2] == ["ClassifierError", "fetch"] and "404" in missing[2]


def test_a_fresh_vite_app_classifies(chromium: Any, site: Site, tarball: Path, modules: Path, tmp_path: Path) -> None:
    package = json.loads((site.package / "package.json").read_text())["name"]
    (tmp_path / "package.json").write_text(json.dumps({"name": "app", "private": True, "type": "module"}))
    # the package alone: its peer lies in web/node_modules already
    node("npm", "install", "--offline", "--legacy-peer-deps", "--no-audit", "--no-fund", tarball, cwd=tmp_path)
    installed = tmp_path / "node_modules" / package
    (tmp_path / "node_modules" / "@litertjs").symlink_to(modules / "@litertjs")
    (tmp_path / "index.html").write_text(
        '<!doctype html><div id="out"></div><script type="module" src="main.js"></script>'
    )
    (tmp_path / "main.js").write_text(
        f"""import {{ createClassifier }} from '{package}';
        const classifier = await createClassifier({{ assets: '/lesion/' }});
        const photograph = await (await fetch('/mole.png')).blob();
        const {{ decision }} = await classifier.classify(photograph);
        document.getElementById('out').textContent = decision;"""
    )
    (tmp_path / "public").mkdir()
    from melanoma_edge.targets._golden import pictures

    (tmp_path / "public" / "mole.png").write_bytes(next(pictures()).data)
    node("node", installed / "bin" / "assets.js", "copy", "public/lesion", cwd=tmp_path)
    node("vite", "build", "--logLevel", "error", "--target", "es2022", cwd=tmp_path)
    with serving(tmp_path / "dist") as url:
        page = chromium.new_page()
        page.goto(url)
        page.get_by_text("melanoma").or_(page.get_by_text("other")).wait_for(timeout=60_000)
        page.close()


GPU = """async () => {
  const lib = await import('/package/dist/index.js');
  const classifier = await lib.createClassifier({ assets: '/assets/', accelerator: 'webgpu' });
  const adapter = (await navigator.gpu?.requestAdapter()) ?? null;
  return { accelerator: classifier.accelerator, model: classifier.model.id, adapter: adapter !== null,
           equal: (await classifier.selfTest()).decisionsEqual };
}"""


def asked_for_webgpu(browser: Any, site: Site) -> dict[str, Any]:
    page = browser.new_page()
    page.goto(f"{site.url}/harness.html")
    found = dict(page.evaluate(GPU))
    page.close()
    return found


def test_without_a_gpu_webgpu_is_wasm_again(chromium: Any, site: Site) -> None:
    found = asked_for_webgpu(chromium, site)
    assert found == {"accelerator": "wasm", "model": "litert-int8", "adapter": False, "equal": True}


def test_webgpu_is_kept_where_it_decides_as_python(chromium_with_gpu: Any, site: Site) -> None:
    found = asked_for_webgpu(chromium_with_gpu, site)
    if not found["adapter"]:
        pytest.skip("this Chromium has no software WebGPU adapter")
    assert found == {"accelerator": "webgpu", "model": "litert-float32", "adapter": True, "equal": True}


@pytest.mark.parametrize("isolated", [False, True], ids=["alone", "cross-origin isolated"])
def test_both_runtimes_work_with_and_without_isolation(isolated: bool, chromium: Any, site: Site) -> None:
    with serving(site.folder, isolated=isolated) as url:
        page = chromium.new_page()
        page.goto(f"{url}/harness.html")
        found = page.evaluate(
            """async () => {
              const lib = await import('/package/dist/index.js');
              const passed = [];
              for (const runtime of ['litert', 'onnxruntime']) {
                const classifier = await lib.createClassifier({ assets: '/assets/', runtime });
                passed.push((await classifier.selfTest()).passed);
                await classifier.dispose();
              }
              return { passed, isolated: crossOriginIsolated };
            }"""
        )
        page.close()
    assert found == {"passed": [True, True], "isolated": isolated}


def test_the_command_says_which_runtime_is_missing(tarball: Path, modules: Path, tmp_path: Path) -> None:
    with tarfile.open(tarball) as tar:
        tar.extractall(tmp_path, filter="data")
    command = ["node", str(tmp_path / "package" / "bin" / "assets.js"), "copy", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "@litertjs/core is not installed: npm install @litertjs/core@" in done.stderr
