"""KOALA-A: Adam's metric as the covariance, and a process noise that is found by the whiteness of the innovations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from torch import Tensor
from torch.optim.optimizer import ParamsT
from typing_extensions import Unpack

from .optimizer import Koala
from .reports import KoalaAReport
from .settings import CommonSettings, DecayRule, options, real

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class KoalaA(Koala):
    r"""KOALA-A, the adaptive filter: this project's own, and no paper's. It stores ``velocity``, ``second_moment`` and
    ``mean``, three numbers a parameter; two without the metric or without the mean.

    .. code-block:: text

        predict   x <- x + v ,  v <- kappa v           (parameters that had a gradient in the last step)
                  p11, p12, p22 <- p11 + 2 p12 + p22 ,  kappa (p12 + p22) ,  kappa^2 p22 + Q (1 - kappa)^2
        update    R: the bias-corrected running mean of mean(l^2)
                  s <- beta s + (1 - beta) g^2 ,  s^ = s corrected for its start at 0
                  D = sqrt(s^) + epsilon max sqrt(s^) + 1e-30 ,  A = c / D ,  c = sum s^ / sum(s^ / D)
                  G = g . A g ,  m: the running mean of |g|^2 ,  Gamma: the largest m so far, when R was R'
                  F = gamma^2 Gamma min(1, (R / m) / (R' / Gamma)) ,  S = p11 (G + F) + R ,  f = lr (mean(l) - T) / S
                  rho = - v . g / sqrt(v . (v / A) G) , smoothed:  log Q rises with growth_rate rho where rho is
                  positive (the filter moves too little), falls with decline_rate |rho| where it is negative
                  (too much), both rates going on as 1/k
                  x <- x - f p11 A g ,  v <- v - f p12 A g
                  p11, p12, p22 <- p11 - p11^2 G / S ,  p12 - p11 p12 G / S ,  p22 - p12^2 G / S
                  mean <- mean + min(1, (eta + 1)/(k + eta)) (x - mean)

    The model is to be evaluated at the mean, and needs no schedule for it: see :meth:`averaged`. Running statistics of
    batch normalisation belong to other parameters there, and are found anew by
    :func:`koala_optim.recompute_batch_norm`.

    Args:
        params: parameters or parameter groups, as every optimizer of PyTorch takes them.
        lr: e, the gain multiplier. 1 is its natural value; schedulers may move it.
        weight_decay: w.
        decay_rule: ``decoupled``, ``x <- x (1 - lr w)`` after the step; or ``coupled``: g + w x in place of g, and
            w/2 \|x\|^2 in the loss.
        initial_process_noise: Q at the start, and the position's variance.
        velocity_decay: kappa.
        metric: ``diagonal`` as above; ``none``: A = 1, and no second moment is stored.
        second_moment_smoothing: beta.
        epsilon: the least root of a second moment, beside the largest of all.
        growth_rate: how fast log Q grows while gradients go on pointing along the velocity.
        decline_rate: how fast it falls while they point against it.
        rate_horizon: steps after which both rates have halved.
        whiteness_smoothing: smoothing of rho.
        gradient_floor: gamma, the least gradient that S believes in where the target is out of reach, as a share of the
            largest there was: what lets it come to rest after a perfect fit. 0: whatever it is.
        mean: eta of the mean: the larger, the shorter its memory. ``None``: no mean is kept.
        foreach: ``None`` chooses for each parameter: Rust for dense ``float32`` and ``float64`` on the CPU, PyTorch's
            foreach operations elsewhere. ``True``: foreach operations everywhere; ``False``: Rust, or an error.
        fused: ``None``: kernels of Triton, where it is installed, for dense parameters on CUDA; ``True``: these, or an
            error; ``False``: never.
        process_group: the processes whose losses make up a minibatch; ``None``: all, ``False``: this one alone.
        check_every: steps after which processes compare their filters; 0 for never.
        stay_predicted: whether :meth:`step` ends with the next :meth:`predict`, in one pass over memory less: see
            :meth:`posterior`.
        stochastic_rounding: whether parameters in ``bfloat16`` are rounded up or down by chance, so that steps below their
            precision add up: see the README. Of other types nothing is changed.
        rounding_seed: what the chances are a function of, with step, tensor and place; the same on all processes.
        measurement_noise: a fixed R; ``None`` measures it as above.
        measurement_noise_smoothing: how much of the running mean R is kept in a step.
        initial_measurement_noise: R at the start, of which nothing is assumed if it is ``None``, as it is unless given.
        target: T, the value that the loss is driven to; or under ``target_rule="offset"`` the distance u below the loss
            at which the target follows it, for losses without a lower bound; or under ``"relative"`` the share of the first
            loss below which all is fitted, in whatever unit the loss is.
        target_rule: ``constant``, ``offset`` or ``relative``.
        negative_residual: what a loss below its target does: ``clamp`` moves nothing, ``allow`` ascends, ``error``.
        partition: by which blocks is reported: ``per-tensor``, one for each parameter, or ``global``, one for all.
        missing_limit: losses or gradients in a row that are not finite, at which :class:`TooManyMissing` is raised.
        max_update_norm: bound on the norm of the whole step.

    Raises:
        ValueError: naming the argument that is wrong.
    """

    _can_keep_mean = True

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        *,
        weight_decay: float = 0.0,
        decay_rule: DecayRule = "decoupled",
        initial_process_noise: float = 0.07,
        velocity_decay: float = 0.9,
        metric: Literal["diagonal", "none"] = "diagonal",
        second_moment_smoothing: float = 0.99,
        epsilon: float = 1e-8,
        growth_rate: float = 0.25,
        decline_rate: float = 0.1,
        rate_horizon: float = 30.0,
        whiteness_smoothing: float = 0.9,
        gradient_floor: float = 0.4,
        mean: float | None = 8.0,
        foreach: bool | None = None,
        fused: bool | None = None,
        process_group: ProcessGroup | bool | None = None,
        check_every: int = 100,
        stay_predicted: bool = False,
        stochastic_rounding: bool = False,
        rounding_seed: int = 0,
        **common: Unpack[CommonSettings],
    ) -> None:
        if metric not in ("diagonal", "none"):
            raise ValueError(f"metric = {metric!r}: must be 'diagonal' or 'none'")
        common.setdefault("initial_measurement_noise", None)
        config = {
            "initial-process-noise": real("initial_process_noise", initial_process_noise),
            "velocity-decay": real("velocity_decay", velocity_decay),
            "metric": metric,
            "second-moment-smoothing": real("second_moment_smoothing", second_moment_smoothing),
            "epsilon": real("epsilon", epsilon),
            "growth-rate": real("growth_rate", growth_rate),
            "decline-rate": real("decline_rate", decline_rate),
            "rate-horizon": real("rate_horizon", rate_horizon),
            "whiteness-smoothing": real("whiteness_smoothing", whiteness_smoothing),
            "gradient-floor": real("gradient_floor", gradient_floor),
            "mean": None if mean is None else real("mean", mean),
            "options": options(**common),
        }
        super().__init__(
            params,
            {"koala-a": config},
            lr=lr,
            weight_decay=weight_decay,
            decay_rule=decay_rule,
            foreach=foreach,
            fused=fused,
            process_group=process_group,
            check_every=check_every,
            stochastic_rounding=stochastic_rounding,
            rounding_seed=rounding_seed,
            stay_predicted=stay_predicted,
        )

    def report(self) -> KoalaAReport | None:
        """What the last step did and why, as :meth:`Koala.report` tells; ``None`` before the first."""
        return cast("KoalaAReport | None", super().report())
