"""One plain training loop, on a CPU or a GPU; a kill at any point costs at most the epoch that was running.

All randomness is a function of (seed, epoch, position), so a checkpoint needs no generator state, and a resumed
training gives what an uninterrupted one would have given.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.functional import cross_entropy
from torch.optim import AdamW
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from melanoma_edge import models
from melanoma_edge.artifact import CHECKPOINT, sha256_json, write_atomic, write_json
from melanoma_edge.errors import EdgeError
from melanoma_edge.models import Spec
from melanoma_edge.options import TrainOptions
from melanoma_edge.progress import Progress, silent
from melanoma_edge.train import augment, checkpoint, schedule
from melanoma_edge.train.average import average_of
from melanoma_edge.train.checkpoint import State, Weights
from melanoma_edge.train.diagnoses import DiagnosisHead
from melanoma_edge.train.given import TrainingData, check
from melanoma_edge.train.history import TRAINED, Epoch, TrainingReport, best, to_csv
from melanoma_edge.train.machine import Machine, choose, settings
from melanoma_edge.train.schedule import Phase
from melanoma_edge.train.weights import save_model

VALIDATION_BATCH = 64


@dataclass(frozen=True)
class _Run:
    """What stays the same from the first epoch to the last; the weights of `model` and `average` change in place."""

    model: nn.Module
    average: AveragedModel
    second: DiagnosisHead | None
    spec: Spec
    data: TrainingData
    options: TrainOptions
    seed: int
    machine: Machine

    @property
    def key(self) -> str:
        """Names the training: a checkpoint is only resumed by the same one, on any number of threads and workers."""
        finer = () if self.data.train_diagnoses is None else self.data.train_diagnoses
        labels = [self.data.train_labels, self.data.val_labels, finer]
        return sha256_json(
            {
                "spec": asdict(self.spec),
                "options": asdict(replace(self.options, threads=None, workers=None)),
                "seed": self.seed,
                "labels": [np.asarray(values).tolist() for values in labels],
                "shapes": [self.data.train_pixels.shape, self.data.val_pixels.shape],
                "machine": [self.machine.device.type, self.machine.precision],
            }
        )

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return augment.count_batches(len(self.data.train_labels), self.options.batch_size)


@dataclass(frozen=True)
class _Learner:
    """What changes the weights during one phase."""

    optimizer: AdamW
    scheduler: LRScheduler
    scaler: GradScaler
    loss: nn.CrossEntropyLoss

    @property
    def lr(self) -> float:
        """The rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, loss: Tensor) -> None:
        """Follow the gradient of one batch."""
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(self.scaler.scale(loss))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if not isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step()


def train(
    model: nn.Module,
    spec: Spec,
    data: TrainingData,
    options: TrainOptions,
    folder: Path,
    progress: Progress = silent,
    *,
    seed: int = 0,
) -> TrainingReport:
    """Train `model` in place, leave it with its best epoch's weights, on the CPU and in eval mode, and write `folder`.

    Writes `model.safetensors`, `history.csv` and `train.json`. An interrupted training leaves a checkpoint and goes on
    from it when called again. Raises InputError for data or options that cannot be, EdgeError when the loss diverges.
    """
    check(spec, data, options)
    machine = choose(options)
    with settings(options.threads):
        model.to(machine.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = average_of(model, options.averaging)
        second = _second_head(model, spec, data, options, machine, seed)
        run = _Run(model, average, second, spec, data, options, seed, machine)
        state = checkpoint.load(folder, run.key)
        try:
            rows, weights = _learn(run, state, folder, progress)
        finally:
            if second is not None:
                second.detach()
        model.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    model.load_state_dict(weights)
    report = _report(run, rows)
    save_model(folder / CHECKPOINT, model.eval(), spec, data.classes)
    write_atomic(folder / "history.csv", to_csv(rows))
    write_json(folder / TRAINED, report)
    checkpoint.discard(folder)
    return report


def _second_head(
    model: nn.Module, spec: Spec, data: TrainingData, options: TrainOptions, machine: Machine, seed: int
) -> DiagnosisHead | None:
    """The head of the diagnoses, where there are any and they count."""
    if not data.diagnoses or not options.diagnoses:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(augment.seed_of(seed, 0))
        head = DiagnosisHead(model, models.layout(spec.arch).head, data.diagnoses)
    return head.to(machine.device)


def _learn(run: _Run, state: State | None, folder: Path, progress: Progress) -> tuple[list[Epoch], Weights]:
    """Go through the phases from where `state` stands, with a checkpoint after each epoch. History and best weights."""
    rows = list(state.history) if state else []
    kept: Weights = state.best if state else {}
    if state:
        run.model.load_state_dict(state.model)
        run.average.load_state_dict(state.average)
        if run.second is not None and state.second is not None:
            run.second.load_state_dict(state.second)
    options = run.options
    assert options.lr is not None, "`check` refuses it"
    for phase in schedule.phases(options.epochs, options.frozen_epochs, options.lr, options.frozen_lr):
        aucs = [row.val_auc for row in rows if row.phase == phase.name]
        learner = _learner(run, phase, state if aucs and rows[-1].phase == phase.name else None)
        for epoch in range(phase.start + len(aucs), phase.stop):
            if schedule.stagnant(aucs, options.patience):
                break
            row = _epoch(run, learner, phase, epoch, progress)
            if row.val_auc > max((earlier.val_auc for earlier in rows), default=-1.0):
                averaged = run.average.module.state_dict()
                kept = {name: tensor.detach().cpu().clone() for name, tensor in averaged.items()}
            rows.append(row)
            aucs.append(row.val_auc)
            checkpoint.save(folder, run.key, _state(run, learner, rows, kept))
    return rows, kept


def _state(run: _Run, learner: _Learner, rows: Sequence[Epoch], best: Weights) -> State:
    return State(
        history=tuple(rows),
        best=best,
        model=run.model.state_dict(),
        average=run.average.state_dict(),
        second=None if run.second is None else run.second.state_dict(),
        optimizer=learner.optimizer.state_dict(),
        scheduler=learner.scheduler.state_dict(),
        scaler=learner.scaler.state_dict(),
    )


def _learner(run: _Run, phase: Phase, state: State | None) -> _Learner:
    """The phase's optimizer and schedule, as they stood in `state` when the phase was interrupted."""
    schedule.set_trainable(run.model, models.layout(run.spec.arch).head, phase.frozen)
    both = run.model if run.second is None else nn.ModuleList([run.model, run.second])
    optimizer = schedule.optimizer(both, phase.lr, run.options.weight_decay)
    scheduler = schedule.scheduler(run.options.schedule, optimizer, run.steps * (phase.stop - phase.start))
    scaler = GradScaler(run.machine.device.type, enabled=run.machine.precision == "float16")
    weight = None
    if run.options.balance == "loss":
        weight = augment.class_weights(run.data.train_labels, len(run.data.classes)).to(run.machine.device)
    if state is not None:
        optimizer.load_state_dict(dict(state.optimizer))
        scheduler.load_state_dict(dict(state.scheduler))
        scaler.load_state_dict(dict(state.scaler))
    loss = nn.CrossEntropyLoss(weight=weight, label_smoothing=run.options.label_smoothing)
    return _Learner(optimizer, scheduler, scaler, loss)


def _epoch(run: _Run, learner: _Learner, phase: Phase, epoch: int, progress: Progress) -> Epoch:
    """Train on one epoch's batches, then validate."""
    started = time.monotonic()
    options, machine = run.options, run.machine
    torch.manual_seed(augment.seed_of(run.seed, epoch))
    schedule.set_trainable(run.model, models.layout(run.spec.arch).head, phase.frozen)
    lr, loss_sum, seen = phase.lr, 0.0, 0
    for step, (pixels, labels) in enumerate(_batches(run, epoch), start=1):
        with machine.autocast():
            loss = learner.loss(run.model(machine.network_input(pixels)), labels[:, 0].to(machine.device))
            second = run.second.loss(labels[:, 1]) * options.diagnoses if run.second is not None else 0.0
        value = loss.item()
        if not math.isfinite(value):
            raise EdgeError(
                f"the loss became {value} in epoch {epoch + 1}, step {step} ({machine.precision}, learning rate "
                f"{learner.lr:.2g}): try a third of the learning rate, or precision float32"
            )
        lr = learner.lr
        learner.step(loss + second)
        run.average.update_parameters(run.model)
        loss_sum, seen = loss_sum + value * len(labels), seen + len(labels)
        detail = f"epoch {epoch + 1} of {options.epochs}, loss {loss_sum / seen:.3f}"
        progress("train", epoch * run.steps + step, options.epochs * run.steps, detail)
    val_loss, val_auc = _validate(run)
    if isinstance(learner.scheduler, ReduceLROnPlateau):
        learner.scheduler.step(val_auc)
    return Epoch(epoch + 1, phase.name, lr, loss_sum / seen, val_loss, val_auc, time.monotonic() - started)


def _batches(run: _Run, epoch: int) -> augment.Batches:
    """The augmented batches of an epoch."""
    labels, options = run.data.train_labels, run.options
    order = augment.epoch_order(
        labels, len(run.data.classes), balanced=options.balance == "sampler", seed=run.seed, epoch=epoch
    )
    diagnoses = labels if run.data.train_diagnoses is None else run.data.train_diagnoses
    view = augment.EpochImages(
        run.data.train_pixels,
        np.stack([labels, diagnoses], 1),
        order,
        augment.augmentation(run.spec.image_size),
        run.seed,
        epoch,
    )
    return augment.batches(view, options.batch_size, run.machine.workers)


@torch.no_grad()
def _validate(run: _Run) -> tuple[float, float]:
    """Mean cross entropy and AUC of melanoma against the rest on the validation images, in float32, of the average."""
    network = run.average.module.eval()
    pixels = run.data.val_pixels
    logits = []
    for start in range(0, len(pixels), VALIDATION_BATCH):
        batch = torch.from_numpy(np.array(pixels[start : start + VALIDATION_BATCH])).permute(0, 3, 1, 2)
        logits.append(network(run.machine.network_input(batch)).cpu())
    scores, labels = torch.cat(logits), torch.as_tensor(np.asarray(run.data.val_labels, np.int64))
    melanoma = run.data.melanoma
    auc = roc_auc_score((labels == melanoma).numpy(), scores.softmax(1)[:, melanoma].numpy())
    return cross_entropy(scores, labels).item(), float(auc)


def _report(run: _Run, rows: Sequence[Epoch]) -> TrainingReport:
    kept = best(rows)
    return TrainingReport(
        arch=run.spec.arch,
        parameters=sum(parameter.numel() for parameter in run.model.parameters()),
        epochs=len(rows),
        best_epoch=kept.epoch,
        val_auc=kept.val_auc,
        train_images=len(run.data.train_labels),
        val_images=len(run.data.val_labels),
        seconds=round(sum(row.seconds for row in rows), 1),
        device=run.machine.device.type,
        precision=run.machine.precision,
        options=run.options,
        seed=run.seed,
        history=tuple(rows),
    )
