"""A real Chromium and the npm package of a trained network, unpacked, with both runtimes beside it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_site import Site, node
from in_browser import FLAGS, MODULES, serving, unpack

from melanoma_edge.artifact import Artifact, sha256_file

SOFTWARE_GPU = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--use-vulkan=swiftshader",
    "--enable-features=Vulkan,WebGPU",
)
GET = "run `make browser`, which installs Debian's chromium and the Node packages of web/"


@pytest.fixture(scope="session")
def modules() -> Path:
    """web/node_modules."""
    if not (MODULES / "onnxruntime-web").is_dir() or not shutil.which("node"):
        pytest.skip(f"Node and the packages of web/ are not installed: {GET}")
    return MODULES


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Playwright's browser object for Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'melanoma-edge[dev]'")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip(f"chromium is not installed: {GET}")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def chromium_with_camera(chromium: Any) -> Iterator[Any]:
    """Chromium with a camera that shows a test picture, and that nobody has to allow."""
    flags = (*FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=list(flags))
    yield browser
    browser.close()


@pytest.fixture
def chromium_with_gpu(chromium: Any) -> Iterator[Any]:
    """Chromium whose WebGPU adapter is SwiftShader, a GPU in software."""
    kept = [flag for flag in FLAGS if flag != "--disable-gpu"]
    kind = chromium.browser_type
    browser = kind.launch(executable_path=shutil.which("chromium"), args=[*kept, *SOFTWARE_GPU])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def tarball(guard_bundle: Path) -> Path:
    """The npm package in the bundle of the trained network."""
    return next((guard_bundle / "web").glob("*.tgz"))


@pytest.fixture(scope="session")
def site(tarball: Path, modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The unpacked package, its assets with the runtimes' wasm, and its demo page, behind a server on this machine."""
    folder = tmp_path_factory.mktemp("site")
    unpack(tarball, folder)
    command = folder / "package" / "bin" / "assets.js"
    for words in (("demo", folder / "demo"), ("page", folder / "page.html")):
        node("node", command, *words, cwd=folder)
    with serving(folder) as url:
        yield Site(folder, url)


@pytest.fixture(scope="session")
def harness(chromium: Any, site: Site) -> Iterator[Any]:
    """A page with the package imported as `window.lib` and `load(model)`, which keeps one classifier for each model."""
    page = chromium.new_page()
    page.goto(f"{site.url}/harness.html")
    page.evaluate(
        """async () => {
          window.lib = await import('/package/dist/index.js');
          const kept = new Map();
          window.load = (model) => {
            if (!kept.has(model)) kept.set(model, lib.createClassifier({ assets: '/assets/', model }));
            return kept.get(model);
          };
          window.blob = (base64, type) => new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type });
        }"""
    )
    yield page
    page.close()


@pytest.fixture(scope="session")
def models(site: Site, guard_bundle: Path) -> dict[str, Artifact]:
    """The package's model files by id."""
    runtimes = {".tflite": "litert", ".onnx": "onnxruntime"}
    found = {}
    for path in sorted((site.package / "assets" / "models").iterdir()):
        precision = path.stem.removeprefix(f"{guard_bundle.name}_")
        name = f"{runtimes[path.suffix]}-{precision}"
        found[name] = Artifact(path, sha256_file(path), path.suffix[1:], precision)
    return found
