"""Losses of single samples or tokens, as the filter wants them: only those that count.

What is ignored is left out, not counted as 0: zeros would lower the mean loss that the filter sees, and its noise R, by the
share of the padding, and differently in each batch.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

IGNORED = -100
"""The label of what does not count, in PyTorch and in HuggingFace's libraries."""


def classification_losses(
    outputs: Any, labels: Tensor, *, ignore_index: int = IGNORED, label_smoothing: float = 0.0
) -> Tensor:
    """The cross-entropies of single samples, or of the pixels or tokens of a dense classification, as one vector.

    >>> losses = koala_optim.classification_losses(model(inputs), labels)
    >>> optimizer.observe(losses)
    >>> losses.mean().backward()

    Args:
        outputs: logits, their classes in the second dimension; or what has them as ``logits``, as HuggingFace's models.
        labels: class indices, without the classes' dimension; or probabilities of all classes, as mixup makes them.
        ignore_index: the label of what does not count.
        label_smoothing: as of :func:`torch.nn.functional.cross_entropy`.

    Returns:
        The losses of what counts; empty if nothing does.
    """
    logits = _logits(outputs)
    if labels.is_floating_point():
        return cross_entropy(logits, labels.float(), reduction="none", label_smoothing=label_smoothing).flatten()
    losses = cross_entropy(logits, labels, reduction="none", ignore_index=ignore_index, label_smoothing=label_smoothing)
    return losses[labels != ignore_index]


def causal_lm_losses(
    outputs: Any, labels: Tensor, *, ignore_index: int = IGNORED, shifted: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """The cross-entropies of single tokens of a causal language model, as one vector: each token from those before it.

    >>> outputs = model(input_ids=ids, attention_mask=mask)
    >>> losses = koala_optim.causal_lm_losses(outputs, ids.masked_fill(mask == 0, -100))
    >>> optimizer.observe(losses)
    >>> losses.mean().backward()

    Args:
        outputs: logits of shape (rows, tokens, vocabulary); or what has them as ``logits``, as HuggingFace's models.
        labels: the tokens, of shape (rows, tokens), those that do not count replaced by ``ignore_index``.
        ignore_index: the label of what does not count, such as padding or a prompt.
        shifted: whether the labels are shifted already, so that each stands where it is to be predicted.
        label_smoothing: as of :func:`torch.nn.functional.cross_entropy`.

    Returns:
        The losses of the tokens that count; empty if none does.
    """
    logits = _logits(outputs)
    if not shifted:
        logits, labels = logits[:, :-1], labels[:, 1:]
    counted = labels != ignore_index
    # Chosen before the loss: nothing is computed of padding.
    return cross_entropy(logits[counted], labels[counted], reduction="none", label_smoothing=label_smoothing)


def _logits(outputs: Any) -> Tensor:
    logits = outputs if isinstance(outputs, Tensor) else getattr(outputs, "logits", None)
    if not isinstance(logits, Tensor):
        raise TypeError(
            f"expected logits, or a model's outputs that have them as .logits, not {type(outputs).__name__}; of a tuple, give "
            "the logits in it"
        )
    # Half precision is too coarse for a sum over many classes, and for the square of a loss.
    return logits.float() if logits.element_size() < 4 else logits
