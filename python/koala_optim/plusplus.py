"""KOALA++: gradient-covariance products (Xia et al., NeurIPS 2025)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from torch import Tensor
from torch.optim.optimizer import ParamsT
from typing_extensions import Unpack

from .optimizer import Koala
from .reports import KoalaPPReport
from .settings import CommonSettings, DecayRule, options, real

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class KoalaPP(Koala):
    r"""KOALA++, the filter that tracks the product of the gradient with a covariance of full rank. It stores
    ``covariance`` (v') and ``gradient`` (H'), two numbers a parameter.

    .. code-block:: text

        update    R <- beta R + (1 - beta) mean(l^2) ,  H = h_b = g_b + w x_b ,  L_b = mean(l) + w/2 |x_b|^2
                  alpha = H.H' / |H'|^2 ,  lambda = (H.v' + Q H.H') / S'
                  rho = H.v'/|H'|^2 - (H.H')(H'.v')/|H'|^4        (0 in the minimum-norm variant)
                  v = (alpha - lambda) v' + Q (H - lambda H') + rho H'
                  S = H.v + Q |H|^2 + R
                  x_b <- x_b - lr (L_b - T) (v + Q H) / S

    Args:
        params: parameters or parameter groups, as every optimizer of PyTorch takes them.
        lr: e, the gain multiplier. 1 is its natural value; schedulers move it.
        weight_decay: w.
        decay_rule: ``coupled`` as above, or ``decoupled``: ``x_b <- x_b (1 - lr w)`` after the step.
        initial_covariance: sigma, v' = sigma H in a block's first step.
        process_noise: Q.
        variant: ``symmetric`` or ``minimum-norm``.
        foreach: ``None`` chooses for each parameter: Rust for dense ``float32`` and ``float64`` on the CPU, PyTorch's
            foreach operations elsewhere. ``True``: foreach operations everywhere; ``False``: Rust, or an error.
        fused: ``None``: kernels of Triton, where it is installed, for dense parameters on CUDA; ``True``: these, or an
            error; ``False``: never.
        process_group: the processes whose losses make up a minibatch; ``None``: all, ``False``: this one alone.
        check_every: steps after which processes compare their filters; 0 for never.
        stochastic_rounding: whether parameters in ``bfloat16`` are rounded up or down by chance, so that steps below their
            precision add up: see the README. Of other types nothing is changed.
        rounding_seed: what the chances are a function of, with step, tensor and place; the same on all processes.
        measurement_noise: a fixed R; ``None`` measures it as above.
        measurement_noise_smoothing: beta.
        initial_measurement_noise: R at the start; ``None``: the mean of what was measured, with nothing assumed before it.
        target: T, the value that the loss is driven to; or under ``target_rule="offset"`` the distance u below the loss
            at which the target follows it, for losses without a lower bound; or under ``"relative"`` the share of the first
            loss below which all is fitted, in whatever unit the loss is.
        target_rule: ``constant``, ``offset`` or ``relative``.
        negative_residual: what a loss below its target does: ``clamp`` moves nothing, ``allow`` ascends, ``error``.
        partition: ``per-tensor``, a block for each parameter, or ``global``, one block.
        missing_limit: losses or gradients in a row that are not finite, at which :class:`TooManyMissing` is raised.
        max_update_norm: bound on the norm of the whole step.

    Raises:
        ValueError: naming the argument that is wrong.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        *,
        weight_decay: float = 0.0,
        decay_rule: DecayRule = "coupled",
        initial_covariance: float = 0.1,
        process_noise: float = 0.1,
        variant: Literal["symmetric", "minimum-norm"] = "symmetric",
        foreach: bool | None = None,
        fused: bool | None = None,
        process_group: ProcessGroup | bool | None = None,
        check_every: int = 100,
        stochastic_rounding: bool = False,
        rounding_seed: int = 0,
        **common: Unpack[CommonSettings],
    ) -> None:
        if variant not in ("symmetric", "minimum-norm"):
            raise ValueError(f"variant = {variant!r}: must be 'symmetric' or 'minimum-norm'")
        config = {
            "initial-covariance": real("initial_covariance", initial_covariance),
            "process-noise": real("process_noise", process_noise),
            "variant": variant,
            "options": options(**common),
        }
        super().__init__(
            params,
            {"koala-pp": config},
            lr=lr,
            weight_decay=weight_decay,
            decay_rule=decay_rule,
            foreach=foreach,
            fused=fused,
            process_group=process_group,
            check_every=check_every,
            stochastic_rounding=stochastic_rounding,
            rounding_seed=rounding_seed,
        )

    def report(self) -> KoalaPPReport | None:
        """What the last step did and why, as :meth:`Koala.report` tells; ``None`` before the first."""
        return cast("KoalaPPReport | None", super().report())
