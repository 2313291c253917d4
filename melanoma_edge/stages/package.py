"""What the targets ship beside model files, made once every gate has passed: the npm package, the Android library."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from melanoma_edge import registry
from melanoma_edge.artifact import Stage, run_stage, sha256_json
from melanoma_edge.targets import Contents


def run(work: Path, targets: Sequence[str], contents: Contents) -> Iterator[Stage]:
    """One stage for each target that has a package; its outputs stand where the bundle has them."""
    for target in targets:
        module = registry.load("melanoma_edge.targets", target)
        if not hasattr(module, "package"):
            continue
        described = asdict(replace(contents, artifacts=()))
        yield run_stage(
            work / "package" / target,
            partial(module.package, contents),
            inputs={
                **{a.path.name: a.sha256 for a in contents.artifacts},
                "policy": sha256_json(described.pop("policy")),
                "parts": module.parts(),
            },
            code=__name__,
            options=described,
            tools=("ai-edge-litert", "onnxruntime", "pillow"),  # what answers to the golden vectors
        )
