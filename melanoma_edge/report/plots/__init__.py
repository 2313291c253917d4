"""The figures of the report, by topic."""

from melanoma_edge.report.plots.agreement import bland_altman
from melanoma_edge.report.plots.answers import answering
from melanoma_edge.report.plots.costs import cost
from melanoma_edge.report.plots.decisions import confusion, roc
from melanoma_edge.report.plots.epochs import training
from melanoma_edge.report.plots.photographs import robustness

__all__ = ["answering", "bland_altman", "confusion", "cost", "robustness", "roc", "training"]
