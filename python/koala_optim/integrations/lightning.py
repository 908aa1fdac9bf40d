"""Lightning: validation, test and prediction at the mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from ..clipping import warn_of_clipping
from ..evaluation import recompute_batch_norm
from ..optimizer import Koala


class EvaluateAtMean(Callback):
    """Puts the parameters at their mean while Lightning validates, tests or predicts; for :class:`koala_optim.KoalaA`.

    >>> trainer = Trainer(callbacks=[EvaluateAtMean()])

    Checkpoints have the parameters of the training, from which it resumes to the bit; ``averaged_state_dict`` of the
    optimizer gives the model at the mean. A ``test`` or ``predict`` by the Trainer that trained is at the mean too.

    Args:
        batches: of a model with batch normalisation, some batches of its inputs in training, by which the running
            statistics are found there: see :func:`koala_optim.recompute_batch_norm`.
    """

    def __init__(self, batches: Iterable[Any] | None = None) -> None:
        self._batches = batches
        self._optimizers: list[Koala] = []
        self._at_mean: list[Koala] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Notes the optimizers that keep a mean."""
        self._optimizers = [
            optimizer for optimizer in trainer.optimizers if isinstance(optimizer, Koala) and optimizer.keeps_mean
        ]
        clipped = trainer.gradient_clip_val
        if clipped and any(isinstance(optimizer, Koala) for optimizer in trainer.optimizers):
            warn_of_clipping(f"Lightning clips gradients ({clipped})", "gradient_clip_val=None")

    def _enter(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for optimizer in self._optimizers:
            optimizer._to_mean()
            self._at_mean.append(optimizer)
        if self._at_mean and self._batches is not None:
            recompute_batch_norm(pl_module, self._batches, pl_module.device)

    def _leave(self, trainer: Trainer, pl_module: LightningModule) -> None:
        while self._at_mean:
            self._at_mean.pop()._from_mean()

    on_validation_start = on_test_start = on_predict_start = _enter
    on_validation_end = on_test_end = on_predict_end = _leave

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Puts the parameters back, whatever went wrong, and gives up a step that was begun."""
        self._leave(trainer, pl_module)
        for optimizer in trainer.optimizers:
            if isinstance(optimizer, Koala):
                optimizer.abandon()
