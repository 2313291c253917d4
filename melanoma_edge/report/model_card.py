"""MODEL_CARD.md: what the files are, what they may be used for, and what they do, with Hugging Face's front matter."""

import json
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from melanoma_edge.report import markdown, view, wording
from melanoma_edge.report.document import Report

# Hugging Face's identifiers (hub-docs, docs/hub/repositories-licenses.md) of the data licences that bind the weights.
LICENCES = {
    "CC BY-NC 4.0": "cc-by-nc-4.0",
    "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0",
    "CC BY 4.0": "cc-by-4.0",
    "CC0 1.0": "cc0-1.0",
    "generated": "apache-2.0",
}
METRICS = {
    "auc": ("roc_auc", "AUC"),
    "sensitivity": ("recall", "Sensitivity"),
    "specificity": ("specificity", "Specificity"),
}


def render_model_card(report: Report, library: str) -> str:
    """The card for a document of `build_report`. Equal inputs give equal bytes."""
    data, check = report.data, report.data.split_check
    point, spec = report.operating_point, report.preprocessing
    environment = _environment()
    return environment.get_template("model_card.md").render(
        report=report,
        front_matter=yaml(front_matter(report, library)),
        architecture=_architecture(report),
        splits=", ".join(f"{split.images:,} {view.split_name(name)}" for name, split in data.splits.items()),
        leaks=len(check.groups_shared) + len(check.identical_files_shared),
        licence_note=_licence_note(data.licence),
        chosen_on="no images: it was given" if point.chosen_on == "given" else "the validation images",
        files_table=markdown.files_table(report),
        machine=view.machine(report.bench.machine),
        steps=[view.step(name) for name in spec.steps],
        size=spec.size,
        classes=", ".join(f"{i} {markdown.code(name)}" for i, name in enumerate(report.build.task.classes)),
        margin=view.margin(report.reference.confusion),
        snippet=_snippet(environment, report),
    )


def front_matter(report: Report, library: str) -> dict[str, Any]:
    """The card's metadata as Hugging Face reads it (hub-docs, modelcard.md). What was not measured is left out."""
    data, formats = report.data, [artifact.format for artifact in report.artifacts]
    licence = _licence(data.licence)
    named = {"license_name": "as-the-training-data", "license_link": "MODEL_CARD.md"} if licence == "other" else {}
    return {
        "license": licence,
        **named,
        "library_name": library,
        "pipeline_tag": "image-classification",
        "tags": ["melanoma", "dermoscopy", "on-device", "int8", "melanoma-edge", *dict.fromkeys(formats)]
        + ([] if data.clinical else ["procedural-data"]),
        "datasets": [wording.plain(name) for name in str(data.name).split("+")],
        "metrics": [identifier for identifier, _ in METRICS.values()],
        "model-index": [{"name": wording.plain(report.name), "results": [_result(report)]}],
    }


def yaml(value: Any, indent: int = 0) -> str:
    """Nested dicts, lists, texts and numbers as YAML 1.2 blocks; texts are quoted as JSON, which YAML reads."""
    pad = "  " * indent
    if isinstance(value, Mapping):
        return "\n".join(f"{pad}{key}:{_after(item, indent)}" for key, item in value.items())
    if isinstance(value, list):
        return "\n".join(f"{pad}- {yaml(item, indent + 1).lstrip()}" for item in value)
    if isinstance(value, float):
        return pad + re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))  # YAML 1.1 takes 1e-05 for a text
    return pad + json.dumps(value, ensure_ascii=False)


def _after(value: Any, indent: int) -> str:
    nested = isinstance(value, Mapping | list)
    return f"\n{yaml(value, indent + 1)}" if nested else f" {yaml(value)}"


def _result(report: Report) -> dict[str, Any]:
    """The test figures of every file, in the form of Hugging Face's model-index."""
    data = report.data
    name = wording.plain(data.name) + ("" if data.clinical else " (procedural images, not clinical)")
    return {
        "task": {"type": "image-classification", "name": "Melanoma against the rest"},
        "dataset": {"type": wording.plain(data.name), "name": name, "split": "test"},
        "metrics": [
            {"type": identifier, "name": f"{title}, {wording.plain(row.name)}", "value": row[key]}
            for row in report.artifacts
            for key, (identifier, title) in METRICS.items()
            if row[key] is not None
        ],
    }


def _licence(text: str) -> str:
    """The identifier of the data's licence; "other" where sources with different or unknown licences were joined."""
    found = {LICENCES.get(part.strip(), "other") for part in text.split(" + ")} - {LICENCES["generated"]}
    return found.pop() if len(found) == 1 else "other" if found else LICENCES["generated"]


def _licence_note(text: str) -> str:
    if "NC" in text:
        return (
            "That licence forbids commercial use, and the weights were learnt from those images: **the weights are for "
            "non-commercial use only**, with the images' authors named."
        )
    if _licence(text) == LICENCES["generated"]:
        return "The images were generated by melanoma-edge, which is under Apache-2.0; so are the weights."
    return "The weights were learnt from those images: check that their licence allows what you want to do."


def _architecture(report: Report) -> str:
    arch = report.build.arch
    parameters = report.training.parameters if report.training else None
    named = f"A {markdown.text(arch)}" if arch else "A network that was trained elsewhere"
    return named + (f" with {wording.integer(parameters)} parameters" if parameters else "")


def _snippet(environment: Environment, report: Report) -> str:
    """A Python program that runs the first INT8 file, or the first file where there is none."""
    rows = sorted(report.artifacts, key=lambda row: row.precision == "float32")
    if not rows:
        return "# this build has no files"
    spec = report.preprocessing
    mean, std = (v[0] if len(set(v)) == 1 else f"np.float32({v})" for v in (spec.mean, spec.std))
    return (
        environment.get_template(f"run_{rows[0].format}.py.txt")
        .render(
            size=spec.size,
            melanoma=report.build.task.melanoma,
            threshold=report.operating_point.threshold,
            mean=mean,
            std=std,
            file=repr(str(rows[0].file)),
        )
        .rstrip()
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("melanoma_edge.report", "templates"),
        autoescape=False,  # Markdown: `text` and `code` escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    words = (markdown.text, markdown.code, wording.integer, wording.number)
    environment.filters.update({word.__name__: word for word in words})
    return environment
