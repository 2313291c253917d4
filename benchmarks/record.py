"""Keep what a build proved, without its weights: report.json, a summary in Markdown, the training curve and the ROC.

.venv/bin/python benchmarks/record.py artifacts/ham10000_mobilenet_v2    # writes docs/results/ham10000_mobilenet_v2/
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

from melanoma_edge.artifact import write_atomic
from melanoma_edge.report import plots
from melanoma_edge.report.markdown import render_markdown

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"


def record(bundle: Path, results: Path = RESULTS) -> Path:
    """Write the folder of one build below `results` and return it."""
    text = (bundle / "report.json").read_text()
    report = json.loads(text)
    folder = results / report["name"]
    write_atomic(folder / "report.json", text)
    pictures = {"roc": plots.roc(report), "cost": plots.cost(report)}
    if report["training"]:
        pictures["training"] = plots.training(report["training"]["history"], report["training"].get("best_epoch"))
    for name, drawing in pictures.items():
        write_atomic(folder / f"{name}.svg", standalone(str(drawing)))
    shown = "\n\n".join(f"![{name}]({name}.svg)" for name in pictures)
    made_by = f"`{report['build'].get('command')}`, {report['created_utc']}, {report['generator']}"
    write_atomic(folder / "README.md", f"{render_markdown(report)}\n{shown}\n\nMade by {made_by}.\n")
    return folder


def standalone(drawing: str) -> str:
    """A figure of the report page with what the page gives it: namespaces, and the colours of its style sheet."""
    page = files("melanoma_edge.report").joinpath("templates", "style.css").read_text()
    colours = page[: page.index("\nbody ")]
    style = f"<style>{colours} svg {{ background: var(--paper); font-family: sans-serif }}</style>"
    head, body = drawing.replace("<svg ", f"<svg {NAMESPACES} ", 1).split(">", 1)
    return f"{head}>{style}{body}\n"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(record(Path(name)))
