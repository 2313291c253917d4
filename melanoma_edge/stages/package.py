"""What the targets ship beside model files, made once every gate has passed: the npm package, the Android library."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from melanoma_edge.artifact import Stage, run_stage, sha256_json
from melanoma_edge.targets import Contents, Target


def run(work: Path, targets: Sequence[Target[Any]], contents: Contents) -> Iterator[Stage]:
    """One stage for each target that has a package; its outputs stand where the bundle has them."""
    for target in targets:
        if target.package is None:
            continue
        described = asdict(replace(contents, artifacts=()))
        yield run_stage(
            work / "package" / target.name,
            partial(target.package, target.options, contents),
            inputs={
                **{a.path.name: a.sha256 for a in contents.artifacts},
                "policy": sha256_json(described.pop("policy")),
                "parts": target.parts(),
            },
            code=__name__,
            options={**described, "own": asdict(target.options)},
            tools=("pillow", *{place.format.package for place in target.places}),  # what answers to golden vectors
        )
