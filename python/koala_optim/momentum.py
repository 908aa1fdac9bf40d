"""KOALA-M: positions and velocities (Davtyan et al., AAAI 2022, Algorithm 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from torch import Tensor
from torch.optim.optimizer import ParamsT
from typing_extensions import Unpack

from .optimizer import Koala
from .reports import KoalaMReport
from .settings import CommonSettings, DecayRule, options, real

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class KoalaM(Koala):
    r"""KOALA-M, the filter with velocities: momentum. It stores ``velocity`` and ``average``, two numbers a parameter.

    .. code-block:: text

        predict   x <- x + v ,  v <- kappa v
                  p11, p12, p22 <- p11 + 2 p12 + p22 + q_x ,  kappa (p12 + p22) ,  kappa^2 p22 + q_v
        update    R <- beta R + (1 - beta) mean(l^2)
                  h_b = g_b + w x_b ,  L_b = mean(l) + w/2 |x_b|^2 ,  S_b = p11 |h_b|^2 + R
                  x_b <- x_b - lr (L_b - T) p11 / S_b h_b
                  v_b <- v_b - lr (L_b - T) p12 / S_b h_b
                  G = max_b |h_b|^2 ,  r = R / G :
                  p11, p12, p22 <- p11 r / (p11 + r) ,  p12 r / (p11 + r) ,  p22 - p12^2 / (p11 + r)

    Args:
        params: parameters or parameter groups, as every optimizer of PyTorch takes them.
        lr: e, the gain multiplier. 1 is its natural value; schedulers move it.
        weight_decay: w.
        decay_rule: ``coupled`` as above; ``decoupled``: ``x_b <- x_b (1 - lr w)`` after the step; ``gain-only``: w in
            the gain alone.
        velocity_decay: kappa.
        initial_position_covariance: p11 at the start.
        initial_cross_covariance: p12 at the start.
        initial_velocity_covariance: p22 at the start.
        velocity_noise: q_v, the process noise that matters.
        coast: whether a parameter that got no gradient in the last step goes on along its velocity, the paper's rule.
            ``False``: it stands still, and its velocity is kept, until it has got one.
        position_noise: q_x: ``"authors"``, a running mean of ``|a - x| / n`` with the running mean a of x (what the
            published runs used); ``"paper"``, ``|a - x|^2 / n``; or a number. With a number, ``average`` is not stored.
        initial_position_noise: q_x at the start, under ``"authors"``.
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
        velocity_decay: float = 0.9,
        initial_position_covariance: float = 0.1,
        initial_cross_covariance: float = 0.0,
        initial_velocity_covariance: float = 0.1,
        velocity_noise: float = 1e-2,
        coast: bool = True,
        position_noise: Literal["authors", "paper"] | float = "authors",
        initial_position_noise: float = 1e-2,
        foreach: bool | None = None,
        fused: bool | None = None,
        process_group: ProcessGroup | bool | None = None,
        check_every: int = 100,
        stay_predicted: bool = False,
        stochastic_rounding: bool = False,
        rounding_seed: int = 0,
        **common: Unpack[CommonSettings],
    ) -> None:
        if not isinstance(coast, bool):
            raise ValueError(f"coast = {coast!r}: must be True or False")
        noise: Any
        if position_noise == "authors":
            noise = {"authors": {"initial": real("initial_position_noise", initial_position_noise)}}
        elif position_noise == "paper":
            noise = "paper"
        elif isinstance(position_noise, str):
            raise ValueError(f"position_noise = {position_noise!r}: must be 'authors', 'paper' or a number")
        else:
            noise = {"fixed": real("position_noise", position_noise)}
        config = {
            "initial-position-covariance": real("initial_position_covariance", initial_position_covariance),
            "initial-cross-covariance": real("initial_cross_covariance", initial_cross_covariance),
            "initial-velocity-covariance": real("initial_velocity_covariance", initial_velocity_covariance),
            "velocity-decay": real("velocity_decay", velocity_decay),
            "position-noise": noise,
            "velocity-noise": real("velocity_noise", velocity_noise),
            "coast": coast,
            "options": options(**common),
        }
        super().__init__(
            params,
            {"koala-m": config},
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

    def report(self) -> KoalaMReport | None:
        """What the last step did and why, as :meth:`Koala.report` tells; ``None`` before the first."""
        return cast("KoalaMReport | None", super().report())
