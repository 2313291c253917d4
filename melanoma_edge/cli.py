"""The command line: parse, call, print. The only place that prints or exits; heavy imports wait for a call."""

import errno
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from melanoma_edge import __version__, console
from melanoma_edge.cli_data import data
from melanoma_edge.errors import EdgeError, GateError
from melanoma_edge.flags import GroupedCommand, as_json, integers, output_folder, takes, takes_targets, triple
from melanoma_edge.options import CompileOptions, DataOptions, EmulationOptions, Gates, NetworkOptions, TrainOptions
from melanoma_edge.targets import Target
from melanoma_edge.terminal import answer, log, out, plain, progress_shown

if TYPE_CHECKING:
    from melanoma_edge.bench.explain import Explanation
    from melanoma_edge.made import Made
    from melanoma_edge.verify.document import VerifyReport

NOTICE = "An aid for engineers and researchers. Never a diagnosis."
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.EEXIST, errno.EISDIR, errno.ENOTDIR)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="melanoma-edge")
def cli() -> None:
    """Compile small melanoma classifiers for phones and browsers, with proof that they decide as the reference does.

    An aid for engineers and researchers. Never a diagnosis.
    """


@cli.command(cls=GroupedCommand)
@takes("data", DataOptions)
@takes("network", NetworkOptions)
@takes("training", TrainOptions)
@takes("compiling", CompileOptions)
@takes_targets
@output_folder
@as_json
def build(
    data: DataOptions,
    network: NetworkOptions,
    training: TrainOptions,
    compiling: CompileOptions,
    wanted: tuple[str | Target[Any], ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Train, compile, prove and bundle: from labelled images to INT8 files with a report."""
    from melanoma_edge import pipeline

    with progress_shown() as progress:
        folder = output or Path("artifacts") / pipeline.default_name(data, network)
        made = pipeline.build(folder, wanted, data, network, training, compiling, progress)
    _finish(made, as_json)


@cli.command()
@takes("data", DataOptions)
@takes("network", NetworkOptions)
@takes("training", TrainOptions)
@output_folder
@as_json
def train(
    data: DataOptions, network: NetworkOptions, training: TrainOptions, output: Path | None, as_json: bool
) -> None:
    """Train only; `build` with the same options and --output goes on from there."""
    from melanoma_edge import pipeline
    from melanoma_edge.artifact import CHECKPOINT, builtins, read_json
    from melanoma_edge.train.history import TRAINED, TrainingReport

    with progress_shown() as progress:
        folder = output or Path("artifacts") / pipeline.default_name(data, network)
        trained = pipeline.train(folder, data, network, training, progress)
    facts = builtins(read_json(trained.folder / TRAINED, TrainingReport))
    del facts["history"]  # history.csv has it
    answer({"model": str(trained.folder / CHECKPOINT), **facts}, as_json)


@cli.command(name="compile", cls=GroupedCommand)
@click.option("--onnx", type=click.Path(path_type=Path), help="a float classifier: [1,3,S,S] in, logits [1,K] out")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="a model.safetensors that `train` wrote")
@click.option(
    "--mean", default="128", show_default=True, help="the network's own normalisation, pixel units: M or R,G,B"
)
@click.option("--std", default="128", show_default=True, help="likewise")
@click.option(
    "--classes", help="the logits' names in the network's own order, e.g. melanoma,other [default: the task's]"
)
@click.option("--calibration", help="the same as --data: calibrated on its train split, verified on its test split")
@takes("data", DataOptions)
@takes("compiling", CompileOptions)
@takes_targets
@output_folder
@as_json
def compile_command(
    onnx: Path | None,
    checkpoint: Path | None,
    mean: str,
    std: str,
    classes: str | None,
    calibration: str | None,
    data: DataOptions,
    compiling: CompileOptions,
    wanted: tuple[str | Target[Any], ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Compile, prove and bundle a network that is trained already."""
    from melanoma_edge import api
    from melanoma_edge.data.preprocess import Normalization

    given = onnx or checkpoint
    if given is None or (onnx and checkpoint):
        raise click.UsageError("name one network: --onnx FILE or --checkpoint FILE")
    if (given.suffix == ".safetensors") is (given is onnx):
        raise click.UsageError(f"{given}: --onnx takes a .onnx, --checkpoint a .safetensors that `train` wrote")
    if calibration:
        data = replace(data, data=calibration)
    with progress_shown() as progress:
        made = api.compile(
            given,
            data=data,
            normalization=Normalization(triple("--mean", mean), triple("--std", std)),
            classes=classes.split(",") if classes is not None else None,
            targets=wanted,
            output=output,
            options=compiling,
            progress=progress,
        )
    _finish(made, as_json)


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--reference", type=click.Path(path_type=Path), help="bundle with the reference [default: PATH itself]")
@click.option("--data", help="where the images are now [default: where the build found them]")
@click.option("--operating-point", "rule", help="threshold rule, on validation [default: the bundle's own]")
@takes("gates", Gates)
@takes("emulating", EmulationOptions)
@as_json
def verify(
    path: Path,
    reference: Path | None,
    data: str | None,
    rule: str | None,
    gates: Gates,
    emulating: EmulationOptions,
    as_json: bool,
) -> None:
    """Run the files of a bundle, or one .tflite or .onnx file, again and judge them against the stored reference.

    With --arch arm64 they also run on emulated ARM64 cores, which must give what this machine gives; the report of the
    bundle takes that in.
    """
    from melanoma_edge import shipped
    from melanoma_edge.verify.arm64 import complaints

    with progress_shown() as progress:
        verdict = shipped.verify(path, reference, data, rule, gates, emulating, progress)
    _show(verdict, as_json)
    if not as_json:
        out.print(console.stored(verdict.reference), style="dim", soft_wrap=True, highlight=False)
    if found := verdict.arm64:
        if not as_json:
            out.print(console.arm64_table(found))
        for line in complaints(found):
            log.print(plain(line), style="bold red", soft_wrap=True, highlight=False)
    _judge(verdict)


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--runs", default=100, show_default=True, type=click.IntRange(min=1), help="timed runs per file")
@click.option("--threads", default="1,2", show_default=True, help="thread counts, comma-separated")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="where to time")
@click.option("--explain-graph", is_flag=True, help="each operator's kernel, partition, share of the time, and noise")
@as_json
def bench(paths: tuple[Path, ...], runs: int, threads: str, device: str, explain_graph: bool, as_json: bool) -> None:
    """Latency and peak memory of bundles or model files, interleaved in one process; on a GPU the float ones alone."""
    from melanoma_edge import shipped
    from melanoma_edge.artifact import json_text
    from melanoma_edge.bench.document import CudaReport

    if explain_graph:
        with progress_shown() as progress:
            graphs = shipped.explain(paths, runs, progress)
        _explained(graphs, as_json)
        return
    with progress_shown() as progress:
        timed = shipped.bench(paths, runs, integers("--threads", threads), device, progress)
    if as_json:
        click.echo(json_text(timed), nl=False)
        return
    if isinstance(timed, CudaReport):
        out.print(console.cuda_table(timed))
        return
    out.print(console.latency_table(timed))
    for line in console.preparing(timed):
        out.print(line, style="dim")


def _explained(graphs: Sequence["Explanation"], as_json: bool) -> None:
    from melanoma_edge.artifact import json_text

    if as_json:
        click.echo(json_text({"graphs": graphs}), nl=False)
        return
    for graph in graphs:
        out.print(f"\n[bold]{plain(graph.file)}[/]: {graph.milliseconds:.2f} ms; {graph.method}")
        out.print(console.operator_table(graph))


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--artifact", help="which file of the bundle decides [default: the INT8 one]")
@click.option("--heat-map", type=click.Path(path_type=Path), help="folder for PNGs of where the file sees melanoma")
@as_json
def predict(bundle: Path, images: tuple[Path, ...], artifact: str | None, heat_map: Path | None, as_json: bool) -> None:
    """Probability and decision of a bundle for images, or for every image in a folder."""
    from melanoma_edge import api
    from melanoma_edge.artifact import builtins, json_text

    result = api.Bundle(bundle).predict(images, artifact=artifact, heat_maps=heat_map)
    if as_json:
        told = builtins(result)
        told["predictions"] = [{k: v for k, v in row.items() if v is not None} for row in told["predictions"]]
        click.echo(json_text(told), nl=False)
    else:
        out.print(console.prediction_table(result))
        for title, advice in console.advice(result).items():
            out.print(f"[bold]{plain(title)}[/]: {plain(advice)}", highlight=False)
        out.print(NOTICE, style="dim")
    if all(row.error is not None for row in result.predictions):
        raise click.exceptions.Exit(2)


@cli.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["markdown", "html", "json"]), default="markdown", show_default=True
)
@click.option("--output", type=click.Path(path_type=Path), help="a file to write instead of printing")
@click.option("--json", "as_json", is_flag=True, help="the same as --format json")
def report(folders: tuple[Path, ...], form: str, output: Path | None, as_json: bool) -> None:
    """The report of a build for a pull request, or several builds side by side."""
    from melanoma_edge import shipped
    from melanoma_edge.artifact import write_atomic

    text = shipped.report(folders, "json" if as_json else form)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomic(output, text)


cli.add_command(data)


@cli.command()
@as_json
def doctor(as_json: bool) -> None:
    """Versions, devices, what is missing and how to get it."""
    from melanoma_edge.bench.machine import diagnose

    findings = diagnose()
    if as_json:
        click.echo(json.dumps([vars(f) for f in findings], indent=2))
        return
    out.print(console.findings_table(findings))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 unexpected, 2 bad usage or input, 3 a gate failed, 130 interrupted."""
    wants_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        result = cli.main(arguments, prog_name="melanoma-edge", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        log.print("interrupted: the same command goes on from the last finished step", style="yellow")
        code = 130
    except EdgeError as error:
        code = _complain(str(error), error.exit_code, wants_json)
    except OSError as error:
        if error.errno not in (*DISK_FULL, *NOT_WRITABLE):
            raise
        hint = "free some space" if error.errno in DISK_FULL else "choose a place that you may write"
        where = error.filename2 or error.filename or "output"  # of a rename the new name, not the scratch file's
        code = _complain(f"{where}: {error.strerror}; {hint}", 2, wants_json)
    sys.exit(code)


def _complain(message: str, code: int, wants_json: bool) -> int:
    if wants_json and code != GateError.exit_code:
        click.echo(json.dumps({"error": message, "exit_code": code}))
    log.print(f"[bold red]error:[/] {plain(message)}", soft_wrap=True, highlight=False)
    return code


def _finish(made: "Made", as_json: bool) -> None:
    """Show what a build made, where the report is, and end with 3 when a gate failed."""
    _show(made.report, as_json)
    if not as_json:
        what = "Bundle" if made.ships else "Nothing shipped; report"
        out.print(f"\n{what}: {plain(str(made.folder))}", soft_wrap=True, highlight=False)
        out.print(f"Report: {plain(str(made.folder / 'report.html'))}", soft_wrap=True, highlight=False)
        out.print(NOTICE, style="dim")
    _judge(made.report)


def _show(report: "VerifyReport", as_json: bool) -> None:
    from melanoma_edge.artifact import json_text

    if as_json:
        click.echo(json_text(report), nl=False)
        return
    for line in console.warning_lines(report):
        out.print(line, style="yellow", soft_wrap=True, highlight=False)
    out.print(console.result_table(report))
    out.print()
    out.print(console.gate_table(report.gates))
    for line in console.notes(report):
        out.print(line, soft_wrap=True, highlight=False)


def _judge(report: "VerifyReport") -> None:
    failed = [f"{gate.name} of {gate.artifact}" for gate in report.gates if not gate.passed]
    if failed:
        raise GateError(f"{len(failed)} of {len(report.gates)} gates failed: {', '.join(failed)}")
