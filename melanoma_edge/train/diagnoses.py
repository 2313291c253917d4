"""A second head that learns the diagnosis behind each label while the network trains, and is not kept.

"Not melanoma" is six diseases in HAM10000; telling them apart teaches features that the binary label alone does not
(Ha, Liu and Liu, arXiv:2010.05351, section 2.3, where diagnoses as targets won the SIIM-ISIC melanoma challenge).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class DiagnosisHead(nn.Module):
    """A linear layer over what the classifier `head` of `network` reads, `[B, features]`."""

    def __init__(self, network: nn.Module, head: str, diagnoses: int) -> None:
        super().__init__()
        classifier = network.get_submodule(head)
        width = next(layer.in_features for layer in classifier.modules() if isinstance(layer, nn.Linear))
        self.linear = nn.Linear(width, diagnoses)
        self._features = torch.empty(0)
        self._watch = classifier.register_forward_pre_hook(self._remember)

    def _remember(self, classifier: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._features = inputs[0]

    def loss(self, diagnoses: Tensor) -> Tensor:
        """Cross entropy of the diagnoses `[B]` of the batch that the network saw last."""
        return cross_entropy(self.linear(self._features), diagnoses.to(self._features.device))

    def detach(self) -> None:
        """Leave the network as it was."""
        self._watch.remove()


def numbered(diagnoses: Sequence[str]) -> NDArray[np.int64]:
    """Each diagnosis as its index among the sorted names."""
    return np.unique(np.asarray(diagnoses, dtype=str), return_inverse=True)[1].astype(np.int64)
