"""KOALA for PyTorch: an optimizer that is a Kalman filter.

>>> optimizer = koala_optim.KoalaM(model.parameters())
>>> for inputs, labels in batches:
...     optimizer.zero_grad()
...     optimizer.predict()
...     losses = torch.nn.functional.cross_entropy(model(inputs), labels, reduction="none")
...     optimizer.observe(losses)
...     losses.mean().backward()
...     optimizer.step()

KOALA-A is this project's own. Sources of the others: Davtyan et al., "KOALA: A Kalman Optimization Algorithm with Loss
Adaptivity", AAAI 2022 (arXiv 2107.03331); Xia et al., "KOALA++", NeurIPS 2025 (arXiv 2506.04432).
"""

from . import lab
from ._native import TooManyMissing
from .adaptive import KoalaA
from .decayed import param_groups
from .distributed import ReplicaDrift
from .evaluation import recompute_batch_norm, warn_if_not_averaged
from .losses import causal_lm_losses, classification_losses
from .momentum import KoalaM
from .optimizer import Koala
from .plusplus import KoalaPP
from .report import filter_state, scalars
from .vanilla import KoalaV
from .version import __version__ as __version__

__all__ = [
    "Koala",
    "KoalaA",
    "KoalaM",
    "KoalaPP",
    "KoalaV",
    "ReplicaDrift",
    "TooManyMissing",
    "causal_lm_losses",
    "classification_losses",
    "filter_state",
    "lab",
    "param_groups",
    "recompute_batch_norm",
    "scalars",
    "warn_if_not_averaged",
]
