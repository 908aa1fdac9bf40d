"""Parameter groups as training recipes want them: weight decay for some parameters, none for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

NoDecay = Literal["norm and bias", "norm", "bias", "nothing"]

_NORMALISATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def param_groups(
    model: nn.Module,
    *,
    weight_decay: float,
    no_decay: NoDecay | Callable[[str, Tensor], bool] = "norm and bias",
    **options: Any,
) -> list[dict[str, Any]]:
    """Two parameter groups of a model: with weight decay, and without it. An empty one is left out.

    >>> optimizer = koala_optim.KoalaM(koala_optim.param_groups(model, weight_decay=5e-4))

    The parameters have their names, by which reports tell of them. Those that do not require a gradient are left out; a
    parameter that the model has twice is there once.

    Args:
        model: the model.
        weight_decay: w of the first group.
        no_decay: what has none: parameters of normalisation and biases, one of both, ``nothing``; or a function that says so
            of a name and its parameter. Normalisation is PyTorch's own, and every module whose class has ``Norm`` in its name.
        **options: further options of both groups, such as ``lr`` or ``decay_rule``.

    Raises:
        ValueError: if ``no_decay`` is none of these, or no parameter requires a gradient.
    """
    exempt = _rule(no_decay)
    with_decay: list[tuple[str, Tensor]] = []
    without: list[tuple[str, Tensor]] = []
    for name, parameter, module in _parameters(model):
        (without if exempt(name, parameter, module) else with_decay).append((name, parameter))
    if not with_decay and not without:
        raise ValueError("param_groups: no parameter of the model requires a gradient; nothing is there to train")
    groups = ((with_decay, weight_decay), (without, 0.0))
    return [{"params": named, **options, "weight_decay": decay} for named, decay in groups if named]


def _rule(no_decay: NoDecay | Callable[[str, Tensor], bool]) -> Callable[[str, Tensor, nn.Module], bool]:
    if callable(no_decay):
        chosen = no_decay
        return lambda name, parameter, module: bool(chosen(name, parameter))
    if no_decay not in ("norm and bias", "norm", "bias", "nothing"):
        raise ValueError(
            f"no_decay = {no_decay!r}: must be 'norm and bias', 'norm', 'bias', 'nothing' or a function of name and parameter"
        )
    norms, biases = "norm" in no_decay, "bias" in no_decay
    return lambda name, parameter, module: (norms and _is_norm(module)) or (biases and _is_bias(name))


def _parameters(model: nn.Module) -> Iterator[tuple[str, Tensor, nn.Module]]:
    seen: set[int] = set()
    for path, module in model.named_modules():
        for own, parameter in module.named_parameters(prefix=path, recurse=False):
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                yield own, parameter, module


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, _NORMALISATIONS) or "norm" in type(module).__name__.lower()


def _is_bias(name: str) -> bool:
    # PyTorch's recurrent and attention layers number theirs: bias_ih_l0, in_proj_bias.
    last = name.rpartition(".")[2]
    return last == "bias" or last.startswith("bias_") or last.endswith("_bias")
