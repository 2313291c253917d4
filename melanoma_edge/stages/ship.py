"""Assemble the report from what every stage left, and publish the bundle, or withhold it when a gate failed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from melanoma_edge import formats
from melanoma_edge.artifact import CHECKPOINT, MANIFEST, Artifact, Manifest, Stage, builtins, json_text, read_json
from melanoma_edge.bench.document import BenchReport, BrowserReport
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.data.quality import CaptureGuide
from melanoma_edge.options import CompileOptions
from melanoma_edge.report.advice import build_policy, read_advice
from melanoma_edge.report.bundle import GENERATOR, GRAPH, INT8_GRAPH, WORK, publish, withhold
from melanoma_edge.report.document import REPORT, Build, FileEntry, Report, build_report
from melanoma_edge.report.html import render_html
from melanoma_edge.report.ledger import pictured, render_csv
from melanoma_edge.report.model_card import render_model_card
from melanoma_edge.stages import export, package, predict, quantize
from melanoma_edge.stages.proof import pictures
from melanoma_edge.targets import Contents, Target, pack
from melanoma_edge.train.history import TRAINED, TrainingReport
from melanoma_edge.verify.answering import Thresholds
from melanoma_edge.verify.document import VerifyReport, with_facts
from melanoma_edge.verify.policy import POLICY


@dataclass(frozen=True)
class Leftovers:
    """Everything the stages of one build left behind."""

    name: str
    command: str
    targets: tuple[Target[Any], ...]
    images: Images
    trained: Stage | None  # None for a network from elsewhere
    exported: Stage
    quantized: Stage
    artifacts: Sequence[Artifact]
    reference: Stage  # the calibrated one: predictions and float graph
    times: BrowserReport | None
    capture: CaptureGuide

    @property
    def options(self) -> dict[str, Mapping[str, object]]:
        """What was chosen, by stage."""
        stages = {"data": self.images.stage, "train": self.trained, "quantize": self.quantized}
        return {name: dict(stage.manifest.options) for name, stage in stages.items() if stage is not None}


def report(made: Leftovers, verify: VerifyReport, bench: BenchReport, compiling: CompileOptions) -> Report:
    """The document of report.json, with that of policy.json in it.

    Raises InputError when the file of advice cannot be read any more.
    """
    proof, images = compiling.proof, made.images
    chosen = {"proof": asdict(proof), "gates": asdict(compiling.gates), "files": asdict(compiling.files)}
    own = {target.name: asdict(target.options) for target in made.targets}
    training = None if made.trained is None else read_json(made.trained.folder / TRAINED, TrainingReport)
    build = Build(
        command=made.command,
        options={**made.options, **chosen, "targets": own},
        seed=images.stage.manifest.options["seed"],
        task=images.task,
        arch=training.arch if training else None,
        image_size=images.size,
        targets=tuple(target.name for target in made.targets),
        quantization=quantize.facts(made.quantized),
        export=export.facts(made.exported),
    )
    at = Thresholds(verify.operating_point.threshold, verify.rejection.threshold)
    advice = read_advice(proof.advice)
    told = build_report(
        name=made.name,
        created_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        build=build,
        data=images.summary,
        verify=with_facts(verify, predict.facts(made.reference)),
        bench=replace(bench, browser=made.times),
        training=training,
        files=[msgspec.convert({"file": file, **how}, FileEntry) for file, how in _provenance(_places(made)).items()],
    )
    policy = build_policy(made.name, images.task, verify.artifacts, advice, at, proof.min_kept, made.capture)
    return replace(told, policy=policy)


def finish(
    output: Path, made: Leftovers, report: Report, overlays: Mapping[tuple[str, str], bytes] | None = None
) -> None:
    """Publish the bundle when every gate passed; otherwise leave report.json, report.html and flips.csv alone.

    overlays: the pictures of `stages.heat_maps`.
    """
    documents = {
        REPORT: json_text(report),
        "report.html": render_html(report, pictures(made.images, pictured(report)), overlays or {}),
        "flips.csv": render_csv(report),
    }
    if not report.verdict.ships:
        withhold(output, documents)
        return
    documents[POLICY] = json_text(report.policy)
    packages = package.run(output / WORK, made.targets, _contents(made, report, documents[POLICY].encode()))
    files = _places(made) | {name: stage.folder / name for stage in packages for name in stage.manifest.outputs}
    provenance = {
        "name": made.name,
        "task": made.images.task,
        "preprocessing": report.preprocessing,
        "operating_point": report.operating_point,
        "gates": report.gates,
        "reference": predict.facts(made.reference),
        "data": made.images.stage.manifest.options,
        "calibration": report.data.calibration,
        "quantizer": quantize.facts(made.quantized).quantizer.chosen,
        "artifacts": [
            {"name": a.path.name, "format": a.format, "precision": a.precision, "file": file}
            for file, a in _artifacts(made, files).items()
        ],
        "files": _provenance(files),
    }
    library = formats.named(made.artifacts[0].format).library
    publish(output, files, {**documents, "MODEL_CARD.md": render_model_card(report, library)}, provenance)


def _contents(made: Leftovers, report: Report, policy: bytes) -> Contents:
    """What the targets' packages are made of. policy: policy.json."""
    return Contents(
        name=made.name,
        generator=GENERATOR,
        artifacts=made.artifacts,
        preprocessing=Preprocessing(made.images.size),
        task=made.images.task,
        policy=policy,
        licence=report.data.licence,
        exact=quantize.is_exact(made.quantized),
        times=made.times,
    )


def _places(made: Leftovers) -> dict[str, Path]:
    """Relative name in the bundle to source file."""
    files = {GRAPH: made.reference.folder / export.MODEL}
    files["reference/predictions.csv"] = made.reference.folder / predict.CSV
    if not any(formats.named(a.format).is_graph and a.precision == "int8" for a in made.artifacts):
        files[INT8_GRAPH] = made.quantized.folder / export.MODEL
    if made.trained is not None:
        files[f"reference/{CHECKPOINT}"] = made.trained.folder / CHECKPOINT
    for target in made.targets:
        files |= pack(target, made.artifacts)
    return files


def _artifacts(made: Leftovers, files: Mapping[str, Path]) -> dict[str, Artifact]:
    """The compiled files of the bundle by their relative name, each once: two targets may ship the same."""
    by_path = {a.path: a for a in made.artifacts}
    names: dict[Path, str] = {}
    for file, path in files.items():
        names.setdefault(path, file)
    return {file: by_path[path] for path, file in names.items() if path in by_path}


def _provenance(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """How each file was made: its stage, the sha256 of what it was made from, versions, options, seconds."""
    made = {}
    for file, path in files.items():
        folder = next(parent for parent in path.parents if (parent / MANIFEST).is_file())
        manifest = builtins(read_json(folder / MANIFEST, Manifest))
        made[file] = {
            **manifest["outputs"][str(path.relative_to(folder))],
            **{key: manifest[key] for key in ("stage", "inputs", "options", "versions", "seconds")},
        }
    return made
