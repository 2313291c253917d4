"""The warnings of a report: what makes the reference doubtful."""

from melanoma_edge.artifact import Stage
from melanoma_edge.data.dataset import SPLITS
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.errors import Caution
from melanoma_edge.options import ProofOptions
from melanoma_edge.stages import export, predict
from melanoma_edge.verify import suspicion


def found(
    exported: Stage, spec: Preprocessing, answered: Stage, images: Images, proof: ProofOptions
) -> tuple[Caution, ...]:
    """Doubts about how a network was brought, about its data and its answers.

    spec: the normalisation that was stated for it. answered: its predictions, before any temperature.
    """
    labels = {split: images.labels(split).tolist() for split in SPLITS}
    return (
        *suspicion.of_normalization(spec.mean, spec.std),
        *suspicion.of_cut(export.facts(exported).cut),
        *suspicion.of_samples(labels, images.task.classes),
        *suspicion.of_answers(predict.predictions(answered), proof.accept_suspicious_reference),
    )
