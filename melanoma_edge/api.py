"""Prove, pack and use: the flow of the command line as Python functions. See docs/api.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_edge.data.preprocess import Normalization
from melanoma_edge.errors import InputError
from melanoma_edge.made import Made
from melanoma_edge.options import CompileOptions, DataOptions, EmulationOptions, Gates
from melanoma_edge.progress import Progress, silent

if TYPE_CHECKING:
    from torch import nn

    from melanoma_edge.report.document import Report
    from melanoma_edge.shipped import Answered
    from melanoma_edge.targets import Target
    from melanoma_edge.verify.document import VerifyReport


@dataclass(frozen=True)
class Bundle:
    """A folder that ships: files, policy, report, and a manifest that names their hashes."""

    folder: Path

    @cached_property
    def report(self) -> "Report":
        """report.json."""
        from melanoma_edge.report.document import read_report

        return read_report(self.folder)

    def predict(
        self, images: Sequence[Path | str] | Path | str, *, artifact: str | None = None, heat_maps: Path | None = None
    ) -> "Answered":
        """Probability of melanoma and what the policy says to it, for every image; a folder stands for its images.

        artifact: a file of the bundle by its name, by default the INT8 one. heat_maps: a folder for PNGs of where it
        sees melanoma. Raises InputError when the bundle was altered, or a path holds no image.
        """
        from melanoma_edge import shipped

        paths = [images] if isinstance(images, str | Path) else images
        return shipped.predict(self.folder, [Path(path) for path in paths], artifact, heat_maps)

    def verify(
        self,
        *,
        data: str | None = None,
        operating_point: str | None = None,
        gates: Gates | None = None,
        emulating: EmulationOptions | None = None,
        progress: Progress = silent,
    ) -> "VerifyReport":
        """Run the bundle's files again and judge them against the reference's stored answers.

        data: where the images are now, by default where the build found them. operating_point: the threshold's rule, by
        default the build's own. gates: limits, by default those of `Gates`. emulating: with an architecture, also on
        its emulated cores. Raises InputError when the bundle was altered, or the images are others.
        """
        from melanoma_edge import shipped

        return shipped.verify(
            self.folder, None, data, operating_point, gates or Gates(), emulating or EmulationOptions(), progress
        )


def compile(
    network: "Path | str | nn.Module",
    *,
    data: str | DataOptions,
    normalization: Normalization | None = None,
    image_size: int | None = None,
    classes: Sequence[str] | None = None,
    targets: "Sequence[str | Target[Any]] | str" = ("tflite",),
    output: Path | str | None = None,
    options: CompileOptions | None = None,
    progress: Progress = silent,
) -> Made:
    """Make the files of a trained network, judge each against the network itself, and write a bundle when all hold.

    network: an .onnx file, a .safetensors that `train` wrote, or a module that takes float32 `[N, 3, S, S]`, which is
    exported to OUTPUT.onnx first. data: "ham10000:PATH", "folder:PATH", "synthetic", several joined by "+", or options.
    normalization: of the network's own input, by default (pixel - 128) / 128. image_size: S, of a module alone.
    classes: the names of its logits in its own order, where that is not the task's. targets: by name, or with options
    of their own. output: a new folder, or an earlier bundle's, by default artifacts/NAME.
    Raises InputError for what the caller can mend; a gate that fails is in the result.
    """
    from melanoma_edge import pipeline

    name = Path(network).stem if isinstance(network, Path | str) else type(network).__name__.lower()
    folder = Path(output) if output is not None else Path("artifacts") / name
    given = Path(network) if isinstance(network, Path | str) else _exported(network, image_size, folder)
    return pipeline.compile_network(
        folder,
        [targets] if isinstance(targets, str) else targets,
        given,
        normalization or Normalization(),
        DataOptions(data=data) if isinstance(data, str) else data,
        options or CompileOptions(),
        progress,
        classes=None if classes is None else ",".join(classes),
    )


def open(folder: Path | str) -> Bundle:
    """A finished bundle, after comparing every file in it with its manifest.

    Raises InputError when there is none, or a file was altered.
    """
    from melanoma_edge.report.bundle import verify_bundle

    verify_bundle(Path(folder))
    return Bundle(Path(folder))


def _exported(module: "nn.Module", image_size: int | None, folder: Path) -> Path:
    """A module as an ONNX file beside the bundle, so that the command in its report can be run again."""
    from melanoma_edge.export.onnx import export_onnx

    if image_size is None:
        raise InputError("image_size is missing: the side in pixels of the images that the module takes")
    path = folder.with_name(f"{folder.name}.onnx")
    export_onnx(module, image_size, path)
    return path
