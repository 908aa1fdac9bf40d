"""HuggingFace's ``Trainer``: predict where its steps begin, and a loss whose single values the optimizer sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from transformers import TrainerCallback, TrainingArguments

from ..optimizer import Koala


class KoalaCallback(TrainerCallback):
    """Both halves of what a ``Trainer`` needs to train with KOALA; give it as a callback, and its :meth:`loss` too.

    >>> koala = KoalaCallback(losses_of)
    >>> trainer = Trainer(
    ...     model, arguments, optimizers=(KoalaM(model.parameters()), None),
    ...     callbacks=[koala], compute_loss_func=koala.loss, ...
    ... )

    Args:
        losses_of: from the model's outputs and the labels, the losses of the samples or tokens that count, of any shape:
            those whose label is not -100.
    """

    def __init__(self, losses_of: Callable[[Any, Tensor], Tensor]) -> None:
        self._losses_of = losses_of
        self._optimizer: Koala | None = None
        self._micro_batches = 1

    def on_step_begin(
        self, args: TrainingArguments, state: Any, control: Any, optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Moves the parameters to their prediction, before the first micro-batch of a step.

        Raises:
            TypeError: if the trainer's optimizer is no KOALA optimizer.
        """
        koala = getattr(optimizer, "optimizer", optimizer)  # out of accelerate's wrapper
        if not isinstance(koala, Koala):
            raise TypeError(f"KoalaCallback needs a KOALA optimizer, but the Trainer has {type(koala).__name__}")
        self._optimizer, self._micro_batches = koala, args.gradient_accumulation_steps
        koala.predict()

    def loss(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """The ``compute_loss_func``: the micro-batch's part of the mean loss of all samples or tokens of the step.

        Raises:
            ValueError: with micro-batches, if the Trainer did not count the labels of all of them.
        """
        losses = self._losses_of(outputs, labels)
        # Evaluation computes losses too, without gradients.
        if losses.requires_grad and losses.numel() > 0:
            if self._optimizer is None:
                raise RuntimeError(
                    "KoalaCallback.loss was called before a step began; give the callback in callbacks=[...]"
                )
            if num_items_in_batch is None and self._micro_batches > 1:
                raise ValueError(
                    "the Trainer did not count the labels of the micro-batches; give batches with a tensor 'labels', or "
                    "gradient_accumulation_steps=1"
                )
            self._optimizer.observe(losses)
        return losses.sum() / (max(losses.numel(), 1) if num_items_in_batch is None else num_items_in_batch)
