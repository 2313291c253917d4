"""The calibrated reference: a temperature fitted on validation, folded into the graph that all files come from."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import onnx_ir as ir

from melanoma_edge.artifact import Stage, run_stage, write_json
from melanoma_edge.document import Pair, finite
from melanoma_edge.export.temperature import fold
from melanoma_edge.stages import predict
from melanoma_edge.stages.export import MODEL
from melanoma_edge.verify import metrics, temperature_scaling
from melanoma_edge.verify.predictions import Predictions, write_csv
from melanoma_edge.verify.temperature_scaling import Scaling, TemperatureFacts

NOTHING = 1e-4  # a change of the logits not worth folding
NO_OPTIMUM = "the validation predictions have no best temperature: they lack a class, or part the classes too well"
DONE = "they are calibrated already"
NO_LAYER = "what makes the logits is not a convolution or a dense layer with constant weights"


def run(work: Path, exported: Stage, answered: Stage, wanted: str) -> Stage:
    """Leaves model.onnx, predictions.csv (the calibrated logits) and facts.json: how the reference predicted, and
    "temperature".

    exported: the float graph. answered: the reference's predictions as it stands; no network runs again, since the
    logits of the calibrated one follow from them. wanted: "fit", "shift" for a shift of each class besides, or
    "none" for a temperature of 1. Where none can be fitted or folded it is 1 as well, and the facts say why.
    """

    def make(folder: Path) -> None:
        before = predict.predictions(answered)
        found, why = _fitted(before.only("val"), wanted)
        if found is not None:
            model = ir.load(exported.folder / MODEL)
            if fold(model, found.temperature, found.shifts):
                ir.save(model, folder / MODEL)
            else:
                found, why = None, NO_LAYER
        if found is None:
            shutil.copyfile(exported.folder / MODEL, folder / MODEL)
        after = before if found is None else temperature_scaling.scaled(before, found)
        write_csv(folder / predict.CSV, after)
        both = (before.only("test"), after.only("test"))
        told = TemperatureFacts(
            value=found.temperature if found else 1.0,
            shifts=found.shifts if found else (0.0,) * len(before.classes),
            wanted=wanted,
            why=why,
            fitted_on="val",
            nll=_pair(temperature_scaling.nll(one.logits, one.labels) for one in both),
            ece=_pair(metrics.ece(one.is_melanoma, one.p) for one in both),
            brier=_pair(metrics.brier(one.is_melanoma, one.p) for one in both),
            uncalibrated_predictions=answered.sha256(predict.CSV),
        )
        write_json(folder / predict.FACTS, replace(predict.facts(answered), temperature=finite(told)))

    return run_stage(
        work / "temperature",
        make,
        inputs={
            "model": exported.sha256(MODEL),
            "predictions": answered.sha256(predict.CSV),
            "facts": answered.sha256(predict.FACTS),
        },
        code=__name__,
        options={"temperature": wanted},
        tools=("onnx-ir", "scipy"),
    )


def temperature(stage: Stage) -> TemperatureFacts | None:
    """The stage's facts on the temperature."""
    return predict.facts(stage).temperature


def _fitted(validation: Predictions, wanted: str) -> tuple[Scaling | None, str | None]:
    """The scaling that was asked for, or why there is none."""
    if wanted == "none":
        return None, "it was not asked for"
    if wanted == "shift":
        found = temperature_scaling.shifted(validation.logits, validation.labels)
    else:
        value = temperature_scaling.temperature(validation.logits, validation.labels)
        found = None if value is None else Scaling(value, (0.0,) * len(validation.classes))
    if found is not None and max(abs(found.temperature - 1), *map(abs, found.shifts)) < NOTHING:
        return None, DONE  # a network from an earlier bundle keeps its bits
    return found, NO_OPTIMUM if found is None else None


def _pair(values: Iterable[float]) -> Pair:
    before, after = values
    return before, after
