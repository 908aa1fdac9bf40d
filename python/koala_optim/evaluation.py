"""What evaluation at the mean needs beside :meth:`koala_optim.Koala.averaged`."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.hooks import RemovableHandle

if TYPE_CHECKING:
    from .optimizer import Koala


@torch.no_grad()
def recompute_batch_norm(
    model: nn.Module, loader: Iterable[Any], device: torch.device | str | int | None = None
) -> None:
    """Finds the running statistics of batch normalisation anew, at the parameters as they are now.

    Those of the training belong to the parameters of the training. Use it within :meth:`koala_optim.Koala.averaged`,
    with some batches of the training data. Every batch counts alike; all else in the model works as in an evaluation,
    so that dropout is off. Does nothing for a model without running statistics.

    Args:
        model: the model; its modes are afterwards what they were.
        loader: batches: tensors, or tuples or lists that begin with one, or mappings, which are the model's keyword
            arguments (without ``labels``).
        device: where they are moved to; ``None``: they stay where they are.

    Raises:
        ValueError: if there is no batch; the statistics are then what they were, as after an exception of the model.
    """
    layers = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    layers = [layer for layer in layers if layer.running_mean is not None]
    if not layers:
        return
    modes = {module: module.training for module in model.modules()}
    momenta = [layer.momentum for layer in layers]
    before = [[buffer.clone() for buffer in layer.buffers(recurse=False)] for layer in layers]
    batches = 0
    try:
        model.eval()
        for layer in layers:
            layer.reset_running_stats()
            layer.train()
            layer.momentum = None  # the mean of all batches
        for batch in loader:
            _forward(model, batch, device)
            batches += 1
        if batches == 0:
            raise ValueError("recompute_batch_norm: no batch in the loader; give it batches of the training data")
    except BaseException:
        for layer, buffers in zip(layers, before):
            for buffer, value in zip(layer.buffers(recurse=False), buffers):
                buffer.copy_(value)
        raise
    finally:
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
        for module, training in modes.items():
            module.training = training


def _forward(model: nn.Module, batch: Any, device: torch.device | str | int | None) -> None:
    def there(value: Any) -> Any:
        return value.to(device) if device is not None and isinstance(value, Tensor) else value

    if isinstance(batch, Mapping):
        model(**{name: there(value) for name, value in batch.items() if name != "labels"})
    else:
        model(there(batch[0] if isinstance(batch, (tuple, list)) else batch))


def warn_if_not_averaged(model: nn.Module, optimizer: Koala) -> RemovableHandle:
    """Warns, once, if ``model`` is evaluated (``model.eval()`` and a forward pass) outside of ``optimizer.averaged()``.

    Returns:
        A handle, whose ``remove()`` ends this.

    Raises:
        RuntimeError: if the optimizer keeps no mean.
    """
    if not optimizer.keeps_mean:
        raise RuntimeError(
            f"warn_if_not_averaged: this {type(optimizer).__name__} keeps no mean; its model is evaluated as it is"
        )
    return model.register_forward_pre_hook(_Check(optimizer))


class _Check:
    """A hook that goes with neither copies nor files of its model."""

    def __init__(self, optimizer: Koala | None = None) -> None:
        self._optimizer = None if optimizer is None else weakref.ref(optimizer)

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def __call__(self, model: nn.Module, inputs: Any) -> None:
        optimizer = None if self._optimizer is None else self._optimizer()
        if model.training or optimizer is None or not optimizer.stands_beside_mean():
            return
        self._optimizer = None
        warnings.warn(
            f"a model that {type(optimizer).__name__} trains was evaluated at its parameters, not at their mean; "
            "evaluate it within `with optimizer.averaged():`",
            UserWarning,
            stacklevel=2,
        )

    def __reduce__(self) -> tuple[type[_Check], tuple[()]]:
        return _Check, ()
