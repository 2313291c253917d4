"""The demo page as people meet it: keyboard, narrow and dark screens, no network, another file than an image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_site import Site

from melanoma_edge.targets._golden import pictures

READY, DONE = 60_000, 30_000
# Playwright's waiting for functions needs eval, which the page's policy forbids: wait for texts.
AXE = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


class Watched:
    """A page and what it did that it should not have done."""

    def __init__(self, page: Any, origin: str) -> None:
        self.page, self.foreign, self.violations = page, [], []
        page.on(
            "request", lambda r: None if r.url.startswith((origin, "blob:", "data:")) else self.foreign.append(r.url)
        )
        page.on("console", lambda m: self.violations.append(m.text) if "Content Security Policy" in m.text else None)
        page.on("pageerror", lambda e: self.violations.append(str(e)))


def photograph(page: Any, folder: Path) -> None:
    file = folder / "mole.png"
    file.write_bytes(next(pictures()).data)
    page.set_input_files("#file", file)
    page.get_by_text("Probability of melanoma by the network:").first.wait_for(timeout=DONE)
    page.wait_for_selector("#result:not([hidden])", timeout=DONE)


@pytest.fixture
def demo(chromium: Any, site: Site) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 320, "height": 640}, color_scheme="dark")
    watched = Watched(context.new_page(), site.url)
    watched.page.goto(f"{site.url}/demo/")
    watched.page.get_by_text("Ready:").wait_for(timeout=READY)
    yield watched
    context.close()


def test_a_photograph_is_judged_and_nothing_leaves(demo: Watched, tmp_path: Path) -> None:
    photograph(demo.page, tmp_path)
    assert demo.page.locator("#tier").inner_text() and demo.page.locator("#capture li").count()
    assert "Not a diagnosis" in demo.page.locator("#notice").inner_text()
    assert not demo.foreign and not demo.violations


def test_no_sideways_scrolling_at_320_pixels(demo: Watched, tmp_path: Path) -> None:
    photograph(demo.page, tmp_path)
    widest = demo.page.evaluate("document.documentElement.scrollWidth")
    assert widest <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(scheme: str, demo: Watched, modules: Path, tmp_path: Path) -> None:
    photograph(demo.page, tmp_path)
    demo.page.emulate_media(color_scheme=scheme)
    demo.page.evaluate((modules / "axe-core" / "axe.min.js").read_text())
    found = demo.page.evaluate("(tags) => axe.run({ runOnly: tags })", list(AXE))
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []


def test_the_keyboard_reaches_everything(demo: Watched) -> None:
    reached = []
    for _ in range(6):
        demo.page.keyboard.press("Tab")
        reached.append(demo.page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert reached[:4] == ["skip", "file", "camera", "self-test"]


def test_the_camera_takes_a_photograph_and_is_switched_off(chromium_with_camera: Any, site: Site) -> None:
    page = chromium_with_camera.new_page()
    page.goto(f"{site.url}/demo/")
    page.get_by_text("Ready:").wait_for(timeout=READY)
    page.click("#camera")
    page.wait_for_selector("#viewfinder:not([hidden])", timeout=DONE)
    page.click("#shoot")
    page.wait_for_selector("#result:not([hidden])", timeout=DONE)
    assert page.evaluate("document.getElementById('video').srcObject") is None
    page.close()


def test_without_a_camera_the_page_says_so(demo: Watched) -> None:
    demo.page.click("#camera")
    demo.page.get_by_text("The camera cannot be used").wait_for(timeout=DONE)


def test_another_file_than_an_image_is_refused_in_words(demo: Watched, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no image")
    demo.page.set_input_files("#file", tmp_path / "notes.jpg")
    demo.page.get_by_text("cannot be decoded").wait_for(timeout=DONE)
    assert demo.page.locator("#result").is_hidden()


def test_the_page_works_offline_after_the_first_visit(demo: Watched, tmp_path: Path) -> None:
    demo.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    demo.page.context.set_offline(True)
    demo.page.reload()
    demo.page.get_by_text("Ready:").wait_for(timeout=READY)
    photograph(demo.page, tmp_path)
    demo.page.click("#self-test")
    demo.page.get_by_text("Passed:").wait_for(timeout=DONE)


def test_one_file_opens_from_disk(chromium: Any, site: Site, tmp_path: Path) -> None:
    watched = Watched(chromium.new_page(), "file:")
    watched.page.goto((site.folder / "page.html").as_uri())
    watched.page.get_by_text("Ready:").wait_for(timeout=READY)
    photograph(watched.page, tmp_path)
    watched.page.click("#self-test")
    watched.page.get_by_text("Passed:").wait_for(timeout=DONE)
    assert not watched.foreign and not watched.violations
    watched.page.close()


def test_500_photographs_do_not_fill_the_memory(demo: Watched, tmp_path: Path) -> None:
    import base64

    page = demo.page
    session = page.context.new_cdp_session(page)

    def used() -> float:
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")
        return float(heap["usedSize"] + heap.get("backingStorageSize", 0)) / 2**20

    script = """async ([image, count]) => {
      const blob = new Blob([Uint8Array.from(atob(image), (c) => c.charCodeAt(0))], { type: 'image/png' });
      for (let i = 0; i < count; i++) await classifier.classify(blob);
    }"""
    image = base64.b64encode(next(pictures()).data).decode()
    page.goto(page.url.replace("/demo/", "/harness.html"))
    page.evaluate(
        "async () => { const lib = await import('/package/dist/index.js'); "
        "window.classifier = await lib.createClassifier({ assets: '/assets/' }); }"
    )
    page.evaluate(script, [image, 50])
    before = used()
    page.evaluate(script, [image, 500])
    assert used() - before < 2.0
