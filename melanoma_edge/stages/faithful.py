"""Whether a file computes what the graph that it was written from computes: ONNX Runtime runs the graph beside it."""

import numpy as np

from melanoma_edge import formats
from melanoma_edge.data.prepared import Images
from melanoma_edge.data.preprocess import Preprocessing
from melanoma_edge.stages.emit import Graph
from melanoma_edge.verify.predictions import Predictions, softmax

IMAGES = 200  # of the validation split: a file that computes something else shows it on a few


def graph_change(answers: Predictions, graph: Graph, images: Images) -> float:
    """Largest change of a probability of melanoma against `graph`. answers: the file's, on the validation split too."""
    few = np.asarray(images.pixels("val")[:IMAGES])
    exact = softmax(formats.load(graph.path, Preprocessing(images.size))(few))[:, images.task.melanoma]
    return float(np.abs(answers.only("val").p[: len(few)] - exact).max())
