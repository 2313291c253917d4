"""A picture of the demo page of an npm package, with a drawn lesion judged on it.

.venv/bin/python benchmarks/demo_screenshot.py artifacts/demo_page docs/demo.png
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from in_browser import chromium, serving, unpack
from PIL import Image

from melanoma_edge.targets._golden import pictures

SIZE = {"width": 960, "height": 600}  # CSS pixels; the height grows with the page
COLOURS = 128


def screenshot(bundle: Path, picture: Path) -> None:
    """Draw the page of the bundle's package into a PNG file."""
    with TemporaryDirectory() as scratch, chromium() as browser:
        folder = Path(scratch)
        unpack(next((bundle / "web").glob("*.tgz")), folder)
        subprocess.run(["node", "package/bin/assets.js", "demo", "demo"], cwd=folder, check=True)
        (folder / "lesion.png").write_bytes(next(pictures()).data)
        with serving(folder) as url:
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.goto(f"{url}/demo/")
            page.get_by_text("Ready:").wait_for(timeout=60_000)
            page.set_input_files("#file", folder / "lesion.png")
            page.wait_for_selector("#result:not([hidden])", timeout=30_000)
            if page.locator("#map-choice").is_visible():
                page.check("#show-map")
            page.screenshot(path=picture, full_page=True)
    Image.open(picture).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    screenshot(Path(sys.argv[1]), Path(sys.argv[2]))
