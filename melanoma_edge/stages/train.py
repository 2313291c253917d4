"""Train a backbone on the data stage's images, resuming where a killed run stopped."""

from dataclasses import asdict, replace
from pathlib import Path

import torch

from melanoma_edge import models
from melanoma_edge.artifact import Stage, run_stage, sha256_file, write_json
from melanoma_edge.data.prepared import Images
from melanoma_edge.options import FINE_TUNING_LR, SCRATCH_LR, NetworkOptions, TrainOptions
from melanoma_edge.progress import Progress
from melanoma_edge.train.diagnoses import numbered
from melanoma_edge.train.given import TrainingData
from melanoma_edge.train.loop import train
from melanoma_edge.train.weights import load_weights


def run(
    work: Path, images: Images, network: NetworkOptions, options: TrainOptions, seed: int, progress: Progress
) -> Stage:
    """Leaves model.safetensors (the best epoch), history.csv, train.json and weights.json."""
    spec = models.spec(
        network.arch,
        len(images.task.classes),
        image_size=images.size,
        dropout=network.dropout,
        head=network.head,
    )

    chosen = _settled(options, network)

    def make(folder: Path) -> None:
        torch.manual_seed(seed)
        model = models.create(spec.arch, spec.num_classes, dropout=spec.dropout, head=spec.head)
        loaded = load_weights(model, spec.arch, network.weights)
        write_json(folder / "weights.json", loaded)
        data = TrainingData(
            images.pixels("train"),
            images.labels("train"),
            images.pixels("val"),
            images.labels("val"),
            images.task.classes,
            images.task.melanoma,
            numbered([sample.diagnosis for sample in images.samples("train")]),
        )
        train(model, spec, data, chosen, folder, progress, seed=seed)

    inputs = {name: images.stage.sha256(name) for name in ("samples.csv", "train.npy", "val.npy")}
    if network.weights and network.weights != "imagenet" and Path(network.weights).is_file():
        inputs["weights"] = sha256_file(Path(network.weights))
    return run_stage(
        work / "train",
        make,
        inputs=inputs,
        code=__name__,
        options={"spec": asdict(spec), "pretrained": network.weights is not None, "seed": seed, **_recipe(chosen)},
        tools=("torch", "torchvision"),
        resumes=True,
    )


def _settled(options: TrainOptions, network: NetworkOptions) -> TrainOptions:
    """The options with what depends on the start: random features are not worth keeping, pretrained ones are."""
    usual, frozen = (FINE_TUNING_LR, options.frozen_epochs) if network.weights else (SCRATCH_LR, 0)
    return replace(options, lr=usual if options.lr is None else options.lr, frozen_epochs=frozen)


def _recipe(options: TrainOptions) -> dict[str, object]:
    """The options that change the trained weights; threads and workers only change the time."""
    return {name: value for name, value in asdict(options).items() if name not in {"threads", "workers"}}
