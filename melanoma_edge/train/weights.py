"""Weights in and out of a network: ImageNet or a file to start from, and the checkpoint that a training ends with."""

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from melanoma_edge import models
from melanoma_edge.artifact import write_atomic
from melanoma_edge.data.preprocess import MEAN, STD
from melanoma_edge.errors import InputError
from melanoma_edge.models import IMAGENET_MEAN, IMAGENET_STD, Spec

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class LoadReport:
    """What `load_weights` did. `mean` and `std` (pixel units) are what the weights were trained with."""

    source: str  # "imagenet", a file's name, or "none"
    loaded: int = 0
    left_random: tuple[str, ...] = ()
    mean: Triple | None = None
    std: Triple | None = None
    assumed: bool = False  # the file does not state its normalisation: ImageNet's was taken
    folded: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """What our checkpoints say about themselves. `classes` in logit order; mean and std in pixel units."""

    spec: Spec
    classes: tuple[str, ...]
    mean: Triple
    std: Triple


def load_weights(model: nn.Module, arch: str, weights: str | None) -> LoadReport:
    """Fill `model` from "imagenet", a .safetensors file or a .pt/.pth state dict; None leaves it random.

    Tensors match by name and shape, so a file without the classifier or with another number of classes is welcome. The
    normalisation of the weights is folded into the first convolution: the network takes `(pixel - 128) / 128`.
    Raises InputError when the file cannot be read or does not hold the backbone's features.
    """
    if weights is None:
        return LoadReport("none")
    if weights == "imagenet":
        published = models.pretrained(arch)
        state, mean, std, assumed, source = published.state_dict, published.mean, published.std, False, weights
    else:
        state, metadata = _read(Path(weights))
        mean, std, assumed = _normalization(metadata, Path(weights))
        source = Path(weights).name
    wanted = model.state_dict()
    layout = models.layout(arch)
    matching = {name: state[name] for name in wanted if name in state and state[name].shape == wanted[name].shape}
    _require_features(wanted, state, layout.head, arch, source)
    model.load_state_dict(matching, strict=False)
    folded = (mean, std) != ((MEAN,) * 3, (STD,) * 3)
    if folded:
        fold_normalization(model, arch, mean, std)
    left_random = tuple(name for name in wanted if name not in matching and not name.endswith("num_batches_tracked"))
    return LoadReport(source, len(matching), left_random, mean, std, assumed, folded)


def fold_normalization(model: nn.Module, arch: str, mean: Sequence[float], std: Sequence[float]) -> None:
    """Change the first convolution, trained on `(pixel - mean) / std`, so that it takes `(pixel - 128) / 128`.

    With `x = (pixel - 128) / 128`, `(pixel - mean) / std = x * 128 / std + (128 - mean) / std`: the factor goes into
    the weights, the constant into the batch norm's running mean. Exact except where the convolution sees its zero
    padding, which stands for grey 128 instead of `mean`.
    """
    layout = models.layout(arch)
    conv, norm = model.get_submodule(layout.stem), model.get_submodule(layout.norm)
    weight, running_mean = conv.weight, norm.running_mean
    if not isinstance(weight, Tensor) or not isinstance(running_mean, Tensor):
        raise TypeError(f"{arch}: {layout.stem} and {layout.norm} are no convolution and batch norm")
    exact = weight.detach().double()
    old_mean, old_std = (torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in (mean, std))
    constant = (exact * (MEAN - old_mean) / old_std).sum((1, 2, 3))
    with torch.no_grad():
        weight.copy_(exact * STD / old_std)
        running_mean.sub_(constant.to(running_mean.dtype))


def save_model(path: Path, model: nn.Module, spec: Spec, classes: Sequence[str]) -> None:
    """Write a safetensors file, atomically, that `load_model` builds the network from. Equal weights, equal bytes."""
    facts = {
        "arch": spec.arch,
        "num_classes": spec.num_classes,
        "image_size": spec.image_size,
        "dropout": spec.dropout,
        "head": spec.head,
        "classes": list(classes),
        "mean": MEAN,
        "std": STD,
    }
    metadata = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_atomic(path, _sorted_header(save(state, metadata)))


def load_model(path: Path) -> tuple[nn.Module, Checkpoint]:
    """The network of a file that `save_model` wrote, on the CPU and in eval mode, and what the file says about it.

    Raises InputError when the file is not a checkpoint of ours.
    """
    state, metadata = _read(path)
    try:
        spec = models.spec(
            metadata["arch"],
            int(metadata["num_classes"]),
            image_size=int(metadata["image_size"]),
            dropout=float(metadata["dropout"]),
            head=metadata["head"],
        )
        classes = tuple(str(name) for name in json.loads(metadata["classes"]))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no checkpoint that melanoma-edge wrote (metadata: {error!r})") from None
    if len(classes) != spec.num_classes:
        raise InputError(f"{path} is damaged: its metadata name {len(classes)} classes for {spec.num_classes} logits")
    mean, std, _ = _normalization(metadata, path)
    model = models.create(spec.arch, spec.num_classes, dropout=spec.dropout, head=spec.head)
    try:
        model.load_state_dict(dict(state))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{path} does not fit the {spec.arch} that its metadata describes: {reason}") from None
    return model.eval(), Checkpoint(spec, classes, mean, std)


def _read(path: Path) -> tuple[Mapping[str, Tensor], Mapping[str, str]]:
    """Tensors and metadata of a .safetensors file, or of a pickled state dict read without running its code."""
    if not path.is_file():
        raise InputError(f"no weights file {path}: give a .safetensors file, 'imagenet', or leave --weights out")
    if path.suffix in {".pt", ".pth"}:
        return _read_pickle(path), {}
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file that can be read ({error}): save it again") from None


def _read_pickle(path: Path) -> Mapping[str, Tensor]:
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is not a plain state dict ({reason}): save the weights as .safetensors") from None
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path} does not hold a state dict (name to tensor): save model.state_dict()")
    return state


def _normalization(metadata: Mapping[str, str], path: Path) -> tuple[Triple, Triple, bool]:
    """Mean and std in pixel units as the file states them, else ImageNet's; True when assumed."""
    if "mean" not in metadata or "std" not in metadata:
        return IMAGENET_MEAN, IMAGENET_STD, True
    mean, std = (_triple(metadata[key], f"{key} in the metadata of {path}") for key in ("mean", "std"))
    if min(std) <= 0:
        raise InputError(f"std in the metadata of {path} is {std}: positive numbers in pixel units are accepted")
    return mean, std, False


def _triple(text: str, what: str) -> Triple:
    try:
        value = json.loads(text)
        numbers = [float(number) for number in value] if isinstance(value, list) else [float(value)] * 3
        red, green, blue = numbers
    except (ValueError, TypeError):
        raise InputError(f"{what} is {text!r}: a number or a list of three, in pixel units, is accepted") from None
    return red, green, blue


def _require_features(
    wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], head: str, arch: str, source: str
) -> None:
    """Raise InputError unless every tensor of the backbone is there in its shape."""
    problems = []
    for name, tensor in wanted.items():
        if name.startswith(f"{head}.") or name.endswith("num_batches_tracked"):
            continue
        if name not in state:
            problems.append(f"{name} is missing")
        elif state[name].shape != tensor.shape:
            problems.append(f"{name} is {list(state[name].shape)}, not {list(tensor.shape)}")
    if problems:
        first = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
        raise InputError(f"{source} does not hold the features of {arch}: {first}")


def _sorted_header(data: bytes) -> bytes:
    """The same safetensors file with its metadata in order: the library writes them in a random one."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]
