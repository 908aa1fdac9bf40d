"""HuggingFace's ``Trainer``: predict where its steps begin, a loss whose single values the optimizer sees, and evaluation
and saving at the mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainingArguments

from ..clipping import warn_of_clipping
from ..evaluation import recompute_batch_norm
from ..optimizer import Koala


class KoalaCallback(TrainerCallback):
    """What a ``Trainer`` needs to train with KOALA; give it as the last callback, and its :meth:`loss` too.

    >>> koala = KoalaCallback(koala_optim.causal_lm_losses)
    >>> trainer = Trainer(
    ...     model, arguments, optimizers=(KoalaM(model.parameters()), None),
    ...     callbacks=[koala], compute_loss_func=koala.loss, ...
    ... )

    With an optimizer that keeps a mean (:class:`koala_optim.KoalaA`), the Trainer evaluates at it, and so are the models
    in its checkpoints. The optimizer's state in a checkpoint then has the parameters beside, so that a resumed training
    goes on to the bit. After the training the model stands at the mean; a further ``train()`` goes on from the parameters.

    A step that the Trainer has begun and does not finish is given up: with ``auto_find_batch_size`` after a batch that did
    not fit into memory, and where no label of a whole step counts. A Trainer that clips gradients is warned of.

    Args:
        losses_of: from the model's outputs and the labels, the losses of the samples or tokens that count, of any shape:
            :func:`koala_optim.causal_lm_losses`, :func:`koala_optim.classification_losses` or a function of your own.
        batches: of a model with batch normalisation that is evaluated at the mean, some batches of its inputs in training,
            by which the running statistics are found there: see :func:`koala_optim.recompute_batch_norm`.
    """

    def __init__(self, losses_of: Callable[[Any, Tensor], Tensor], batches: Iterable[Any] | None = None) -> None:
        self._losses_of = losses_of
        self._batches = batches
        self._optimizer: Koala | None = None
        self._micro_batches = 1
        self._items: Tensor | int | None = None
        self._parameters: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def on_train_begin(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Takes back what :meth:`on_train_end` did, unless the model has got other parameters since."""
        koala = _koala(kwargs.pop("optimizer", None))
        koala._from_mean()  # if a training before this ended with an error
        _give_up(koala)
        if args.max_grad_norm is not None and args.max_grad_norm > 0.0:
            warn_of_clipping(f"the Trainer clips gradients to a norm of {args.max_grad_norm}", "max_grad_norm=0.0")
        parameters, self._parameters = self._parameters, []
        means = {id(parameter): mean for parameter, mean in koala._means()}
        if all(_equal(parameter, means.get(id(parameter))) for parameter, _ in parameters):
            for parameter, value in parameters:
                parameter.copy_(value)
        if args.eval_on_start:
            self._to_mean(koala, **kwargs)

    def on_step_begin(
        self, args: TrainingArguments, state: Any, control: Any, optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Moves the parameters to their prediction, before the first micro-batch of a step.

        Raises:
            TypeError: if the trainer's optimizer is no KOALA optimizer.
        """
        koala = _koala(optimizer)
        self._optimizer, self._micro_batches = koala, args.gradient_accumulation_steps
        koala._from_mean()
        _give_up(koala)
        koala.predict()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: Any, control: Any, optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Makes the gradients those of the mean of the losses observed, if the Trainer has counted other labels than have a
        loss, as versions do that count the first token of a text. Gives up a step none of whose labels counted."""
        koala = _koala(optimizer)
        if koala.predicted and not koala.observed:
            koala.abandon()
        elif self._items is not None and args.world_size == 1 and args.n_gpu <= 1:
            factor = float(self._items) / koala.observed
            for parameter in koala._parameters() if factor != 1.0 else ():
                if parameter.grad is not None:
                    parameter.grad.mul_(factor)
        self._items = None

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Puts the parameters at the mean, where the Trainer evaluates or saves now."""
        if control.should_evaluate or control.should_save:
            self._to_mean(_koala(kwargs.pop("optimizer", None)), **kwargs)

    on_epoch_end = on_step_end

    def on_train_end(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        """Leaves the model at the mean, or as the best that the Trainer has loaded."""
        koala = _koala(kwargs.pop("optimizer", None))
        _give_up(koala)
        has_best = args.load_best_model_at_end and state.best_model_checkpoint is not None
        if not has_best:
            self._to_mean(koala, **kwargs)
        outside, koala._progress.outside = koala._progress.outside or [], None
        self._parameters = [] if has_best else outside

    def _to_mean(self, koala: Koala, model: Any = None, **kwargs: Any) -> None:
        if koala.keeps_mean and koala._progress.outside is None:
            koala._to_mean(saving=True)
            if self._batches is not None:
                recompute_batch_norm(model, self._batches, model.device)

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
            self._items = num_items_in_batch
        return losses.sum() / (max(losses.numel(), 1) if num_items_in_batch is None else num_items_in_batch)


def _give_up(koala: Koala) -> None:
    """Ends a step that was begun in a run that broke off. One of a state that was loaded goes on."""
    if koala.predicted and not koala._progress.resumed:
        koala.abandon()


def _koala(optimizer: Any) -> Koala:
    koala = getattr(optimizer, "optimizer", optimizer)  # out of accelerate's wrapper
    if not isinstance(koala, Koala):
        raise TypeError(f"KoalaCallback needs a KOALA optimizer, but the Trainer has {type(koala).__name__}")
    return koala


def _equal(parameter: Tensor, mean: Tensor | None) -> bool:
    return mean is not None and torch.equal(parameter, mean.to(parameter.dtype))
