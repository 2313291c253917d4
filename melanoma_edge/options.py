"""Everything a user can choose, with its default and its help text: the command line and the manifests read it here.

Each class is one step's options; a changed value runs that step and those behind it again.
"""

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from melanoma_edge import registry
from melanoma_edge.errors import InputError

AUTO, NONE = "auto", "none"  # of a tool: the one that is found, and none
FINE_TUNING_LR, SCRATCH_LR = 3e-4, 2e-3
ENOUGH = 100  # images for a comparison between instruction sets


def choice(default: Any, text: str, *values: str) -> Any:
    """A field whose command-line option takes one of `values`, or anything when there are none."""
    return field(default=default, metadata={"help": text, "values": values})


@dataclass(frozen=True)
class DataOptions:
    """Which images, for which question, and how many training images calibrate the quantiser.

    Raises InputError for less than one calibration image.
    """

    data: str = choice("synthetic", "synthetic, ham10000:PATH, folder:PATH, or several joined by +")
    task: str = choice("binary", "melanoma against the rest, or the seven HAM10000 classes", "binary", "seven")
    seed: int = choice(0, "splits, initial weights, augmentation and calibration follow from it")
    strict: bool = choice(False, "refuse the dataset when any image in it is unusable, instead of leaving it out")
    calibration_images: int = choice(400, "images of the training split that set the INT8 ranges")

    def __post_init__(self) -> None:
        if self.calibration_images < 1:
            raise InputError(f"calibration_images is {self.calibration_images}: a whole number from 1 up is accepted")


@dataclass(frozen=True)
class NetworkOptions:
    """Which network, and what it starts from."""

    arch: str = choice("mobilenet_v2", f"backbone: {', '.join(registry.names('melanoma_edge.models'))}")
    weights: str | None = choice(None, "imagenet (downloads), a .safetensors file, or nothing: start at random")
    image_size: int | None = choice(None, "side of the network's square input in pixels [default: the backbone's]")
    dropout: float | None = choice(None, "dropout before the last layer [default: the backbone's]")
    head: str | None = choice(None, "the network's own head, or one linear layer", "default", "linear")


@dataclass(frozen=True)
class TrainOptions:
    """How the network is trained: the head alone for a while when the rest was pretrained, then everything.

    Raises InputError for a number that cannot be.
    """

    epochs: int = choice(8, "passes over the training split, frozen ones included")
    frozen_epochs: int = choice(1, "first epochs, in which only the head learns; 0 when no weights are given")
    batch_size: int = choice(32, "images in a step")
    lr: float | None = choice(
        None, f"highest learning rate of the whole network [default: {FINE_TUNING_LR}; {SCRATCH_LR} without weights]"
    )
    frozen_lr: float = choice(3e-3, "learning rate of the head alone")
    weight_decay: float = choice(0.05, "of AdamW; norms and biases have none")
    diagnoses: float = choice(
        0.5, "weight of a second head's loss, which learns the diagnoses and is not kept; 0 is none"
    )
    averaging: float = choice(0.998, "decay of the moving average of the weights, which is what is kept; 0 is none")
    label_smoothing: float = choice(0.0, "of the cross entropy")
    schedule: str = choice("one-cycle", "learning rate over time", "one-cycle", "plateau")
    balance: str = choice("loss", "how the rare class is made up for", "sampler", "loss", "none")
    patience: int = choice(6, "epochs without a better validation AUC before training stops")
    precision: str = choice("auto", "arithmetic of training", "auto", "float32", "bfloat16", "float16")
    device: str = choice("auto", "where to train", "auto", "cpu", "cuda")
    threads: int | None = choice(None, "processor threads of training [default: torch's own choice]")
    workers: int | None = choice(None, "processes that augment images [default: half of the cores, none on two]")

    def __post_init__(self) -> None:
        for name, number, least in (
            ("epochs", self.epochs, 1),
            ("frozen_epochs", self.frozen_epochs, 0),
            ("batch_size", self.batch_size, 2),
            ("patience", self.patience, 1),
            ("threads", self.threads, 1),
            ("workers", self.workers, 0),
        ):
            if number is not None and number < least:
                raise InputError(f"{name} is {number}: a whole number from {least} up is accepted")
        if not 0 <= self.diagnoses < math.inf:
            raise InputError(f"diagnoses is {self.diagnoses}: a weight from 0 up is accepted")
        if not 0 <= self.averaging < 1:
            raise InputError(f"averaging is {self.averaging}: a decay from 0 (none) to below 1 is accepted")
        if not (self.lr is None or 0 < self.lr < math.inf) or not 0 < self.frozen_lr < math.inf:
            raise InputError(f"lr is {self.lr}, frozen_lr {self.frozen_lr}: positive numbers are accepted")


@dataclass(frozen=True)
class QuantizeOptions:
    """How the INT8 graph is made."""

    quantizer: str = choice(
        "auto",
        "how to make the INT8 graph: auto tries the known ones until one is well inside the gates on validation; or "
        "one recipe by its name, such as static or mixed_30",
    )


@dataclass(frozen=True)
class Gates:
    """The largest values with which an INT8 or float artifact is shipped; None is not judged and leaves no row, but for
    `max_graph_dp`, where it is the default of `verify.gates`: wider for graphs with operators that are not exact.

    Raises InputError for a limit that is negative or not finite.
    """

    max_auc_drop: float | None = choice(0.002, "gate: AUC of the reference minus AUC of the artifact")
    max_flip_rate: float | None = choice(0.01, "gate: share of test images whose decision is not the reference's")
    max_sensitivity_drop: float | None = choice(0.01, "gate: sensitivity of the reference minus the artifact's")
    max_graph_dp: float | None = choice(
        None,
        "gate: largest change of a probability between a .tflite file and the graph that it was written from [default: "
        "0.001, or 0.05 for a graph with operators whose last bits are each kernel's own]",
    )
    max_bytes: int | None = choice(None, "gate: size of an INT8 file in bytes [default: none]")

    def __post_init__(self) -> None:
        for name, limit in vars(self).items():
            if limit is not None and not 0 <= limit < math.inf:
                raise InputError(f"gate {name} is {limit}: a finite number from 0 up is accepted")


@dataclass(frozen=True)
class ProofOptions:
    """How probabilities are calibrated and decisions compared, what an app advises, how often each file is timed.

    Raises InputError for a margin that is not between 0 and 1, a least share that is not above 0 or exceeds 1, a
    negative number of images, and less than one timed run.
    """

    operating_point: str = choice(
        "sensitivity=0.90", "threshold rule, on validation: sensitivity=X, specificity=X, youden, fbeta=B, threshold=X"
    )
    temperature: str = choice(
        "fit",
        "fitted on validation and folded into the last layer: a temperature that divides the logits; with `shift` one "
        "number for each class besides, which makes up for the weights of rare classes in training",
        *("fit", "shift", "none"),
    )
    min_kept: float = choice(0.8, "least share of the validation images that is answered, not refused as uncertain")
    advice: str | None = choice(None, "JSON file with the tiers of advice and their texts [default: our own]")
    accept_suspicious_reference: bool = choice(
        False, "ship although the reference cannot tell the classes apart: an AUC of 0.5 or less on the test split"
    )
    margin: float = choice(0.01, "sensitivity that an artifact may lose and still be called not inferior")
    bench_runs: int = choice(100, "timed runs per file and thread count, at least 100 for a published figure")
    robustness_images: int = choice(100, "test images that are blurred, compressed, lit otherwise; 0 skips that")

    def __post_init__(self) -> None:
        if self.bench_runs < 1:
            raise InputError(f"bench_runs is {self.bench_runs}: a whole number from 1 up is accepted")
        if self.robustness_images < 0:
            raise InputError(f"robustness_images is {self.robustness_images}: a whole number from 0 up is accepted")
        if not 0 < self.margin < 1:
            raise InputError(f"margin is {self.margin}: a sensitivity between 0 and 1 is accepted")
        if not 0 < self.min_kept <= 1:
            raise InputError(f"min_kept is {self.min_kept}: a share above 0, at most 1, is accepted")


@dataclass(frozen=True)
class EmulationOptions:
    """On which other instruction set `verify` runs the files besides.

    Raises InputError for fewer images than ENOUGH: a handful proves nothing.
    """

    arch: str | None = choice(None, "run the files on emulated ARM64 too, and compare them with this machine", "arm64")
    arch_images: int = choice(ENOUGH, "test images for --arch, half of them melanomas if there are so many")

    def __post_init__(self) -> None:
        if self.arch_images < ENOUGH:
            raise InputError(f"arch_images is {self.arch_images}: a whole number from {ENOUGH} up is accepted")


@dataclass(frozen=True)
class FileOptions:
    """What the shipped files give besides the logits."""

    heat_map: bool = choice(
        False, "second output: where each file sees melanoma; exact for a global pooling and one linear layer only"
    )


@dataclass(frozen=True)
class CompileOptions:
    """How the files of a trained network are made and judged."""

    quantizing: QuantizeOptions = QuantizeOptions()
    proof: ProofOptions = ProofOptions()
    gates: Gates = Gates()
    files: FileOptions = FileOptions()


def spell(command: str, given: Mapping[str, Any], *options: Any) -> str:
    """The command line that runs `command` again: the `given` flags, and whatever in `options` is not the default."""
    flags = dict(given)
    for chosen in options:
        flags |= {f.name: getattr(chosen, f.name) for f in fields(chosen) if getattr(chosen, f.name) != f.default}
    words = ["melanoma-edge", command]
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, tuple) else (value,):
            words += [flag] if one is True else [flag, str(one)]
    return shlex.join(words)
