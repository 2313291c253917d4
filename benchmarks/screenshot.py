"""A picture of a build's report.html, as Chromium shows it: the first screens, in light colours.

.venv/bin/python benchmarks/screenshot.py artifacts/demo docs/report.png
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1280, 2300  # CSS pixels
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
COLOURS = 128  # of the PNG's palette: text and bars need no more


def screenshot(page: Path, picture: Path) -> None:
    """Draw the upper HEIGHT pixels of a page into a PNG file. Needs a Chromium that is installed: none is fetched."""
    browser = next((program for name in BROWSERS if (program := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = started.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=picture)
        started.close()
    Image.open(picture).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    screenshot(Path(sys.argv[1]) / "report.html", Path(sys.argv[2]))
