"""The commands of `melanoma-edge data`."""

import json
from pathlib import Path

import click

from melanoma_edge import console
from melanoma_edge.flags import as_json
from melanoma_edge.terminal import answer, log, out, progress_shown


@click.group()
def data() -> None:
    """What a dataset holds, how it is split, and where to get one."""


@data.command(name="list")
@as_json
def data_list(as_json: bool) -> None:
    """The known kinds of dataset."""
    from melanoma_edge import registry

    about = registry.summaries("melanoma_edge.data.sources")
    if as_json:
        click.echo(json.dumps(about, indent=2))
    else:
        out.print(console.fact_table(list(about.items()), ("dataset", "what it is")))


@data.command()
@click.argument("spec")
@click.option("--task", type=click.Choice(["binary", "seven"]), default="binary", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--strict", is_flag=True, help="refuse the dataset when any image is unusable")
@as_json
def inspect(spec: str, task: str, seed: int, strict: bool, as_json: bool) -> None:
    """Count images, classes, splits and problems, and check that the splits do not leak."""
    from melanoma_edge.artifact import builtins
    from melanoma_edge.data.inspect import summarize
    from melanoma_edge.data.open import open_dataset
    from melanoma_edge.data.task import TASKS

    with progress_shown() as progress:
        dataset = open_dataset(spec, TASKS[task], seed=seed, strict=strict, progress=progress)
        summary = summarize(dataset, TASKS[task])
    facts = builtins(summary)
    del facts["calibration"]  # nothing is compiled
    answer(facts, as_json)


@data.command()
@click.argument("spec")
@click.argument("csv", type=click.Path(path_type=Path))
@click.option("--task", type=click.Choice(["binary", "seven"]), default="binary", show_default=True)
@click.option("--seed", default=0, show_default=True)
@as_json
def split(spec: str, csv: Path, task: str, seed: int, as_json: bool) -> None:
    """Write the split of a dataset as a CSV file: image_id, group, split."""
    from melanoma_edge.data.inspect import write_split_csv
    from melanoma_edge.data.open import open_dataset
    from melanoma_edge.data.task import TASKS

    with progress_shown() as progress:
        dataset = open_dataset(spec, TASKS[task], seed=seed, progress=progress)
    write_split_csv(dataset, csv)
    answer({"written": str(csv), "images": len(dataset.samples)}, as_json)


@data.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
def download(name: str, folder: Path) -> None:
    """Fetch a public dataset from its official source."""
    from melanoma_edge.data import download as source

    with progress_shown() as progress:
        source.download(name, folder, progress=progress)
    log.print(f"{name} is in {folder}: use it as {name}:{folder}")
