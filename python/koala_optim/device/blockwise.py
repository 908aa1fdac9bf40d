"""KOALA-V and KOALA-M on the device: an innovation for each block, and steps along the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .method import VANISHING, Given, Method, Sums, finite
from .pages import WIDTH
from .plan import HALF, Part, Plan, Present
from .rounding import PREDICTION
from .sums import norms, of_gradients
from .vector import Row

AVERAGING = 0.1
"""Weight of x in KOALA-M's running mean."""


class Blockwise(Method):
    """What both do in an update."""

    first: str
    """The covariances with the position stand from here ..."""
    last: str
    """... to there."""
    keeps_velocity = False
    follows = False
    """Whether a running mean of x is updated with it."""
    moving: Tensor | None = None
    """Which tensors the next prediction moves; ``None``: all."""

    def reduce(self, present: Present, gradients: list[list[Tensor]]) -> Sums:
        matrix, h = of_gradients(present, gradients, self.dtype)
        matrix = self.of_processes(present, matrix)
        if present.apart is not None:
            h = [
                [of_g if apart else of_h for apart, of_g, of_h in zip(part.apart, g, decayed)]
                for part, g, decayed in zip(present.parts, gradients, h)
            ]
        return Sums(matrix, h)

    def of_processes(self, present: Present, sums: Tensor) -> Tensor:
        """The sums of the whole tensors."""
        return present.shares.add_up(sums)

    def nothing(self) -> Sums:
        return Sums(torch.zeros(1, 1, dtype=self.dtype, device=self.device), [])

    def statistics(self, matrix: list[list[float]]) -> list[list[float]]:
        wide = matrix if len(matrix) > 1 else [matrix[0], matrix[0], [0.0] * len(matrix[0])]
        return [[*column, *[0.0] * 5] for column in zip(*wide)]

    def update(self, plan: Plan, present: Present, sums: Sums, given: Given) -> None:
        numbers, gains = self.numbers, present.gains(given.gains)
        poison = [*given.poison, *self.noise.measure(numbers, given.losses)]
        g2 = h2 = sums.matrix[0]
        penalty = None
        if len(sums.matrix) > 1:
            h2 = sums.matrix[1]
            penalty = self.of_blocks(sums.matrix[2] * present.weights("measured", self.dtype, 0.5))
            poison += [penalty.sum(), g2.sum()]
        covariances, r = numbers.slice(self.first, self.last), numbers.after["measurement_noise"]
        vanishing = self.of_blocks(g2) < VANISHING
        gradients = torch.where(vanishing, 0.0, self.of_blocks(h2))
        s = torch.addcmul(r, covariances[0], gradients)
        # S of the block with the largest gradient; not finite if something is not.
        largest = s.amax()
        torch.amax(gradients, 0, out=numbers.after["gradient"])
        self.correct(largest)
        ok = finite(largest, poison)
        use = ok > vanishing
        residual = self.residual(given.losses, penalty, use)
        numbers.conclude(ok)
        # Multiplied before it is divided: with no covariance and no noise 0 / S is 0.
        steps = covariances.unsqueeze(-1) * (residual * gains)
        table = self._table(present, steps, s)
        if self.options["max-update-norm"] is not None:
            along = h2 if present.apart is None else torch.where(present.apart, g2, h2)
            table[: len(steps)] *= self.bound(table[0], along, use)
        self._displace(present, sums.held, table, len(steps), use, gains)
        if self.moving is not None:
            taking_part = torch.zeros_like(self.moving)
            if not present.empty:
                taking_part[present.places] = use.expand(present.count).to(taking_part.dtype)
            self.moving.copy_(torch.where(ok, taking_part, self.moving))

    def correct(self, s: Tensor) -> None:
        """The covariance after a measurement with the largest S; with G = 0 it is as predicted."""
        raise NotImplementedError

    def _table(self, present: Present, steps: Tensor, s: Tensor) -> Tensor:
        """A column of numbers for each tensor: steps of position and velocity, and the weight of x in the mean."""
        table = present.table(len(steps) + self.follows, AVERAGING)
        if self.whole or s.shape[-1] != present.count:
            table[: len(steps)] = steps / s
        else:
            torch.div(steps, s, out=table[: len(steps)])
        return table

    def _displace(
        self, present: Present, directions: list[list[Tensor]], table: Tensor, moves: int, use: Tensor, gains: Tensor
    ) -> None:
        shrinking = present.any("shrinking")
        if shrinking:
            # x <- (1 - e w) (x + c h)  is  x + (1 - e w) c h - e w x.
            less = (gains * present.weights("shrinking", self.dtype)).to(table.dtype)
            table = torch.cat([table[:1] * (1.0 + less), table[1:], less.expand(1, -1)])
        table = torch.where(use, table, 0.0)
        for part, alike in zip(present.parts, directions):
            columns = part.pages.column(table[:, part.columns])
            # Nothing is moved by what is no number: a gradient, or a coefficient beyond them, which is of a vector of zeros.
            moved = _times(part.pages.gather(alike, padded=False), columns[:moves]).nan_to_num_(0.0, 0.0, 0.0)
            if shrinking:
                moved[0].addcmul_(part.pages.gather(part.parameters), columns[-1])
            self.displace(part, moved, *([part.memory(0)] if self.keeps_velocity else []))
            if self.follows:
                follow(part, part.memory(1), columns[moves])


def _times(matrix: Tensor, columns: Tensor) -> Tensor:
    """A matrix times each of some columns, in its own memory if it is but one."""
    return matrix.mul_(columns[0]).unsqueeze(0) if len(columns) == 1 else matrix * columns


def move(method: Method, part: Part, moving: Tensor, kappa: float) -> None:
    """x <- x + v, v <- kappa v, of those of the tensors that move."""
    pages = part.pages
    moves = pages.column(moving.index_select(0, part.places))
    velocity = pages.gather(part.memory(0), padded=False)
    method.displace(part, (velocity * moves).unsqueeze(0), write=PREDICTION)
    velocity.mul_(torch.where(moves > 0.0, kappa * moves, 1.0))
    torch._foreach_copy_(part.memory(0), pages.views(velocity))


def follow(part: Part, means: list[Tensor], weights: Tensor) -> None:
    """a <- a + weight (x - a), with a weight for each tensor."""
    if part.dtype in HALF:
        # In half precision neither the weight nor the difference would be what it is.
        matrix = part.pages.gather(means).lerp_(part.pages.gather(part.parameters), weights)
        torch._foreach_copy_(means, part.pages.views(matrix))
    else:
        matrix = weights.expand(-1, WIDTH).contiguous()
        torch._foreach_lerp_(means, part.parameters, part.pages.views(matrix))


class Vanilla(Blockwise):
    """KOALA-V: a scalar covariance."""

    slots = ("covariance",)
    first = last = "covariance"

    def values(self, state: dict[str, Any]) -> dict[str, float]:
        return {"covariance": state["covariance"]}

    def written(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        return {"covariance": numbers["covariance"]}

    def prediction(self) -> dict[str, Row]:
        return {"covariance": {"covariance": 1.0, "one": self.config["process-noise"]}}

    def predict(self, plan: Plan) -> None:
        self.numbers.predict()

    def correct(self, s: Tensor) -> None:
        after = self.numbers.after
        torch.mul(self.numbers.before["covariance"], after["measurement_noise"] / s, out=after["covariance"])


class Momentum(Blockwise):
    """KOALA-M: velocities, and a 2x2 covariance of position and velocity."""

    # The cross covariance twice, for one product that makes all of a correction.
    slots = ("p11", "p12", "p12_again", "p22", "spread", "deviation")
    first, last = "p11", "p12"
    keeps_velocity = True

    def __init__(self, stored: dict[str, Any], device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(stored, device, dtype)
        self.is_paper = self.config["position-noise"] == "paper"
        self.follows = "authors" in self.config["position-noise"]
        flags = stored["method"][self.name].get("moving")
        # Squared deviations of a prediction that are still those of this process's parts.
        self._squares: tuple[Plan, Tensor] | None = None
        if flags is not None:
            self.moving = torch.tensor(flags, dtype=torch.float64, device="cpu").to(device, dtype)

    def values(self, state: dict[str, Any]) -> dict[str, float]:
        return {
            **{name: state[name] for name in ("p11", "p12", "p22")},
            "p12_again": state["p12"],
            # n q_x: of the unit of the deviation.
            "spread": state["position_noise"] * self.elements,
            "deviation": 0.0,
        }

    def written(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        noise = numbers["spread"] / self.elements if self.elements else 0.0
        return {**{name: numbers[name] for name in ("p11", "p12", "p22")}, "position_noise": noise}

    def prediction(self) -> dict[str, Row]:
        kappa, noise = self.config["velocity-decay"], self.config["position-noise"]
        share = 1.0 / self.elements if self.elements else 0.0
        if noise == "paper":
            spread: dict[str, float] = {"deviation": 1.0}
        else:
            spread = {"spread": 1.0} if "fixed" in noise else {"spread": 0.9, "deviation": 0.1}
        return {
            "spread": spread,
            "p11": {"p11": 1.0, "p12": 2.0, "p22": 1.0, **{name: share * part for name, part in spread.items()}},
            **{key: {"p12": kappa, "p22": kappa} for key in ("p12", "p12_again")},
            "p22": {"p22": kappa * kappa, "one": self.config["velocity-noise"]},
        }

    def predict(self, plan: Plan) -> None:
        if self.follows or self.is_paper:
            differences = map(self._differences, plan.parts)
            of_tensors = norms(differences, self.dtype) if plan.parts else self.numbers.state[:0]
            if plan.shares:
                self._squares = plan, of_tensors.square()
            else:
                self._deviate(plan, of_tensors)
        else:
            self.numbers.predict()
        plan.reshard()
        kappa = self.config["velocity-decay"]
        for part in plan.moving:
            if self.moving is None and part.dtype not in HALF:
                torch._foreach_add_(part.parameters, part.memory(0))
                torch._foreach_mul_(part.memory(0), kappa)
            else:
                move(self, part, plan.moves.to(self.dtype) if self.moving is None else self.moving, kappa)

    def _differences(self, part: Part) -> list[Tensor]:
        """a - x, with the paper's q_x after a has followed."""
        if part.dtype in HALF:
            pages = part.pages
            positions, averages = (pages.gather(of, padded=False) for of in (part.parameters, part.memory(1)))
            if self.is_paper:
                averages.mul_(1.0 - AVERAGING).add_(positions, alpha=AVERAGING)
                torch._foreach_copy_(part.memory(1), pages.views(averages))
                averages = pages.gather(part.memory(1), padded=False)
            return pages.views(averages.sub_(positions))
        if self.is_paper:
            torch._foreach_mul_(part.memory(1), 1.0 - AVERAGING)
            torch._foreach_add_(part.memory(1), part.parameters, alpha=AVERAGING)
        return list(torch._foreach_sub(part.memory(1), part.parameters))

    def _deviate(self, plan: Plan, of_tensors: Tensor) -> None:
        """The time update of the numbers, with |a - x| of all tensors."""
        if plan.bare:
            # Their a is 0. In the order of all tensors: the same bits as if it were stored.
            of_tensors = torch.cat([of_tensors, plan.bare_norms(self.dtype)]).index_select(0, plan.order)
        deviation = torch.linalg.vector_norm(of_tensors)
        self.set_deviation(deviation.square() if self.is_paper else deviation)
        self.numbers.predict()

    def of_processes(self, present: Present, sums: Tensor) -> Tensor:
        if self._squares is None:
            return super().of_processes(present, sums)
        plan, squares = self._squares
        shares, size = present.shares_with(len(sums), plan.parts), sums.numel()
        together = shares.add_up(torch.cat([sums.reshape(-1), squares]))
        self._squares = None
        self._deviate(plan, together[size:].sqrt())
        return together[:size].view_as(sums)

    @property
    def apart(self) -> bool:
        return self._squares is not None

    def complete(self) -> None:
        if self._squares is not None:
            plan, squares = self._squares
            self._squares = None
            self._deviate(plan, plan.shares.add_up(squares).sqrt())

    def extras(self) -> list[Tensor]:
        return [] if self.moving is None else [self.moving]

    def put_back_extras(self, stored: dict[str, Any], extras: list[list[float]]) -> None:
        for moving in extras:
            stored["method"][self.name]["moving"] = [flag > 0.0 for flag in moving]

    def set_deviation(self, deviation: Tensor) -> None:
        """Tells the next prediction |a - x|, or with the paper's q_x its square. If it is not finite, q_x stays as it is."""
        now = self.numbers.now
        torch.where(deviation < torch.inf, deviation, now["spread"], out=now["deviation"])

    def correct(self, s: Tensor) -> None:
        numbers = self.numbers
        before, after = numbers.before, numbers.after
        # p11 R / S, p12 R / S, p12 G / S
        shares = numbers.slice("measurement_noise", "gradient", after=True) / s
        torch.mul(numbers.slice("p11", "p12_again"), shares, out=numbers.slice("p11", "p12_again", after=True))
        # Where nothing is left of it, rounding may leave less.
        left = torch.addcmul(before["p22"], before["p12"], after["p12_again"], value=-1.0)
        torch.clamp_min(left, 0.0, out=after["p22"])
