"""KOALA-A on the device: one innovation for the whole model, in Adam's metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .blockwise import follow, move
from .losses import LEAST, MANY
from .method import LARGEST, Given, Method, Sums, finite
from .pages import dots, squares
from .plan import Part, Plan, Present
from .vector import Row

SMALLEST = 1e-30
"""What D is at least."""
# Of the state of each tensor.
_UPDATES, _MOVING, _AVERAGED = range(3)
# How large gradients were: smoothed, the largest of that, and R then.
_SIZES = ("smoothed", "largest", "noise")


@dataclass(slots=True)
class Held:
    """What the sums of a part leave for its step."""

    direction: Tensor
    """h; in the metric h / D."""
    rows: list[Tensor]
    """Sums over the rows of the matrices."""
    second: Tensor | None = None
    """s of this step, if there is a metric."""
    correction: Tensor | None = None
    """What each row of it is multiplied by to be s^."""


class Adaptive(Method):
    """KOALA-A."""

    slots = ("p11", "p12", "p22", "process_noise", "updates", "correlation", "tests", "floor", *_SIZES)

    def __init__(self, stored: dict[str, Any], device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(stored, device, dtype)
        tensors = stored["method"][self.name]["tensors"]
        rows = [[float(tensor[name]) for tensor in tensors] for name in ("updates", "moving", "averaged")]
        self.tensors = torch.tensor(rows, dtype=torch.float64, device="cpu").to(device, dtype)
        self._diagonal = self.config["metric"] == "diagonal"
        # A state that was stored before S asked for them goes on as it was.
        self._sizes = stored["method"][self.name].get("gradients") is not None
        floor = float(self.config["gradient-floor"])
        # Not a power, which is an error where the square is infinite.
        self.share = floor * floor if self._sizes else 0.0
        """gamma^2."""
        # Q stays within what the type holds.
        self.range = (1e-100, 1e100) if dtype is torch.float64 else (1e-30, 1e30)

    @property
    def moving(self) -> Tensor:
        """Which tensors the next prediction moves."""
        return self.tensors[_MOVING]

    def values(self, state: dict[str, Any]) -> dict[str, float]:
        sizes = state.get("gradients") or dict.fromkeys(_SIZES, 0.0)
        return {name: float(sizes[name] if name in _SIZES else state[name]) for name in self.slots}

    def written(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        counts = {name: round(numbers[name]) for name in ("updates", "tests")}
        sizes = {name: numbers[name] for name in _SIZES}
        own = {name: numbers[name] for name in self.slots if name not in _SIZES}
        return {**own, **counts, "gradients": sizes if self._sizes else None}

    def prediction(self) -> dict[str, Row]:
        kappa = self.config["velocity-decay"]
        return {
            "p11": {"p11": 1.0, "p12": 2.0, "p22": 1.0},
            "p12": {"p12": kappa, "p22": kappa},
            "p22": {"p22": kappa * kappa, "process_noise": (1.0 - kappa) ** 2},
        }

    def measured(self) -> dict[str, Row]:
        return {"updates": {"updates": 1.0, "one": 1.0}}

    def extras(self) -> list[Tensor]:
        return list(self.tensors.unbind())

    def put_back_extras(self, stored: dict[str, Any], extras: list[list[float]]) -> None:
        stored["method"][self.name]["tensors"] = [
            {"updates": round(updates), "moving": moving > 0.0, "averaged": averaged > 0.0}
            for updates, moving, averaged in zip(*extras)
        ]

    def predict(self, plan: Plan) -> None:
        self.numbers.predict()
        plan.reshard()
        for part in plan.moving:
            move(self, part, self.moving, self.config["velocity-decay"])

    # The sums.

    def reduce(self, present: Present, gradients: list[list[Tensor]]) -> Sums:
        held = [self._measured(present, part, alike) for part, alike in zip(present.parts, gradients)]
        if not self._diagonal:
            matrix = torch.cat([self._lengths(part, pages) for part, pages in zip(present.parts, held)], 1)
            return Sums(present.shares.add_up(matrix), held)
        moments = [self._moments(part, pages) for part, pages in zip(present.parts, held)]
        largest = torch.stack(
            [largest.amax().to(self.dtype) for _, largest in moments if largest.numel()]
            or [torch.zeros((), dtype=self.dtype, device=self.device)]
        ).amax()
        largest = present.shares.largest(largest)
        floor = largest.sqrt() * self.config["epsilon"] + SMALLEST
        weighed = [
            self._weighed(part, pages, correction, floor)
            for part, pages, (correction, _) in zip(present.parts, held, moments)
        ]
        matrix = present.shares.add_up(torch.cat(weighed, 1))
        matrix[3] = largest
        return Sums(matrix, held)

    def _measured(self, present: Present, part: Part, gradients: list[Tensor]) -> Held:
        """h, and the first sums."""
        pages = part.pages
        h = pages.gather(gradients)
        rows = [squares(h)]
        if any(part.measured):
            x = pages.gather(part.parameters)
            h.addcmul_(x, pages.column(present.weights("measured", part.wide)[part.columns]))
            rows += [squares(h), squares(x)]
        else:
            rows += [rows[0], pages.none]
        return Held(h, rows)

    def _lengths(self, part: Part, held: Held) -> Tensor:
        """All sums of a part without a metric."""
        h, v, h2 = held.direction, part.pages.gather(part.memory(0)), held.rows[1]
        none = part.pages.none
        rows = [*held.rows, none, none, none, h2, h2, dots(v, h), squares(v)]
        return part.pages.sums(rows, self.dtype)

    def _moments(self, part: Part, held: Held) -> tuple[Tensor, Tensor]:
        """Makes s of this step; returns what s of each tensor is multiplied by to be s^, and the largest s^ of each row."""
        beta, pages, h = self.config["second-moment-smoothing"], part.pages, held.direction
        updates = self.tensors[_UPDATES].index_select(0, part.places) + 1.0
        correction = 1.0 / (1.0 - torch.pow(beta, updates))
        held.second = pages.gather(part.memory(1)).mul_(beta).addcmul_(h, h, value=1.0 - beta)
        held.correction = pages.column(correction)
        return correction, held.second.amax(1, keepdim=True) * held.correction

    def _weighed(self, part: Part, held: Held, correction: Tensor, floor: Tensor) -> Tensor:
        """All sums of a part; leaves the direction h / D in place of h. Each matrix is fresh memory: they are few."""
        h, v, second = held.direction, part.pages.gather(part.memory(0)), held.second
        assert second is not None and held.correction is not None
        denominator = second.sqrt().mul_(held.correction.sqrt()).add_(floor)
        products = second / denominator
        moments = [second.sum(1), products.sum(1)]
        of_velocity = [dots(v, h, products), dots(v.square_(), denominator, products)]
        held.direction = torch.div(h, denominator, out=v)
        along = dots(held.direction, h, products)
        # What stands in the fourth line is overwritten by the largest s^.
        rows = [*held.rows, along, *moments, along, squares(held.direction), *of_velocity]
        sums = part.pages.sums(rows, self.dtype)
        sums[4:6].mul_(correction)
        return sums

    def nothing(self) -> Sums:
        return Sums(torch.zeros(10, 1, dtype=self.dtype, device=self.device), [])

    def statistics(self, matrix: list[list[float]]) -> list[list[float]]:
        # The floor is that of the step itself: what another would change is not asked.
        return [[*column, *[0.0] * 4] for column in zip(*matrix)]

    # The update.

    def update(self, plan: Plan, present: Present, sums: Sums, given: Given) -> None:
        gains = present.gains(given.gains)
        before, after = self.numbers.before, self.numbers.after
        poison = [*given.poison, *self.noise.measure(self.numbers, given.losses)]
        r = self.numbers.after["measurement_noise"]
        penalty = None
        if present.any("measured"):
            penalty = (sums.matrix[2] * present.weights("measured", self.dtype, 0.5)).sum()
        ok = finite(sums.matrix.abs().sum(), [r, *poison])
        totals = sums.matrix.sum(1)
        scale = _quotient(totals[4], totals[5]) if self._diagonal else torch.ones_like(r)
        gradient = scale * totals[6]
        some = gradient > 0.0
        self._test_whiteness(totals, scale, gradient, some)
        if self._diagonal:
            torch.add(sums.matrix[3, 0].sqrt() * self.config["epsilon"], SMALLEST, out=after["floor"])
        noise = self._noise(totals[1], some, r)
        s = torch.addcmul(noise, before["p11"], gradient)
        taking_part = torch.full_like(ok, not present.empty)
        residual = self.residual(given.losses, penalty, taking_part)
        covariances = self.numbers.slice("p11", "p12")
        # With G = 0 there is no gradient to move along.
        steps = (covariances * torch.where(some, scale / s, 0.0)).unsqueeze(-1) * (residual * gains)
        torch.mul(covariances, noise / s, out=self.numbers.slice("p11", "p12", after=True))
        lost = before["p12"] * (gradient / s)
        torch.clamp_min(torch.addcmul(before["p22"], before["p12"], lost, value=-1.0), 0.0, out=after["p22"])
        weights = self._follow(plan, present, ok, some)
        self.numbers.conclude(ok)
        if self.options["max-update-norm"] is not None:
            steps = steps * self.bound(steps[0], sums.matrix[7], ok)
        if not present.empty:
            self._displace(present, sums.held, steps.clamp(-LARGEST, LARGEST), ok, gains)
        if self.config["mean"] is not None:
            for part in plan.parts:
                # Of tensors that stand still too.
                follow(part, part.memory(2), part.pages.column(weights.index_select(0, part.places)))

    def _test_whiteness(self, totals: Tensor, scale: Tensor, gradient: Tensor, some: Tensor) -> None:
        """Tells Q by how much the gradient still points along the velocity."""
        before, after, given = self.numbers.before, self.numbers.after, self.config
        tested = (after["updates"] > 1.0) & some
        length = (_quotient(totals[9], scale) * gradient).sqrt()
        rho = torch.where(length > 0.0, (-totals[8] / length).clamp(-1.0, 1.0), 0.0)
        beta = given["whiteness-smoothing"]
        smoothed = torch.where(tested, beta * before["correlation"] + (1.0 - beta) * rho, before["correlation"])
        after["correlation"].copy_(smoothed)
        tests = torch.add(before["tests"], tested, out=after["tests"])
        corrected = _quotient(smoothed, 1.0 - torch.pow(beta, tests))
        rate = given["growth-rate"] * corrected.clamp_min(0.0) + given["decline-rate"] * corrected.clamp_max(0.0)
        grown = before["process_noise"] * (rate / (1.0 + after["updates"] / given["rate-horizon"])).exp()
        torch.where(tested, grown.clamp(*self.range), before["process_noise"], out=after["process_noise"])

    def _noise(self, squared: Tensor, some: Tensor, r: Tensor) -> Tensor:
        """p11 F + R, and the sizes of gradients with this one's square."""
        before, after, beta = self.numbers.before, self.numbers.after, self.config["whiteness-smoothing"]
        smoothed = torch.where(some, beta * before["smoothed"] + (1.0 - beta) * squared, before["smoothed"])
        grown = smoothed > before["largest"]
        after["smoothed"].copy_(smoothed)
        largest = torch.where(grown, smoothed, before["largest"], out=after["largest"])
        # A loss that was at its target all the time has no R, of which the device keeps the least there is.
        then = torch.where(r > MANY * LEAST[self.dtype], r, 0.0)
        noise = torch.where(grown, then, before["noise"], out=after["noise"])
        if self.share == 0.0:
            return r
        # How far the target is, squared, beside how far it was when gradients were the largest.
        distance = _quotient(r, smoothed) * _quotient(largest, noise)
        return r + before["p11"] * (self.share * largest * distance.clamp_max(1.0))

    def _follow(self, plan: Plan, present: Present, ok: Tensor, some: Tensor) -> Tensor:
        """The new state of each tensor; returns the weight of its x in its mean."""
        updates, moving, averaged = self.tensors.unbind()
        taking_part = plan.mask(present.positions) & ok
        if self.config["mean"] is None:
            weights, following = torch.zeros_like(updates), taking_part
        else:
            eta = self.config["mean"]
            weight = ((eta + 1.0) / (self.numbers.after["updates"] + eta)).clamp_max(1.0)
            # One that is frozen and never took anything up is x itself.
            following = ok & ~(plan.mask(plan.frozen) & (averaged == 0.0))
            weights = torch.where(following, torch.where(averaged > 0.0, weight, 1.0), 0.0)
        updates.add_(taking_part)
        moving.copy_(torch.where(ok, taking_part & some, moving))
        averaged.copy_((averaged > 0.0) | following)
        return weights

    def _displace(self, present: Present, held: list[Held], steps: Tensor, ok: Tensor, gains: Tensor) -> None:
        rows, shrinking = [steps.expand(2, present.count)], present.any("shrinking")
        if shrinking:
            less = (gains * present.weights("shrinking", self.dtype)).expand(1, -1)
            rows = [rows[0][:1] * (1.0 + less), rows[0][1:], less]
        table = torch.where(ok, torch.cat(rows) if shrinking else rows[0], 0.0)
        for part, matrices in zip(present.parts, held):
            pages = part.pages
            columns = pages.column(table[:, part.columns])
            if matrices.second is not None:
                before = pages.gather(part.memory(1), padded=False)
                torch._foreach_copy_(part.memory(1), pages.views(torch.where(ok, matrices.second, before, out=before)))
                matrices.second = None
            moved = matrices.direction.nan_to_num_(0.0, 0.0, 0.0) * columns[:2]
            if shrinking:
                moved[0].addcmul_(pages.gather(part.parameters), columns[2])
            self.displace(part, moved, part.memory(0))


def _quotient(numerator: Tensor, denominator: Tensor) -> Tensor:
    """0 where the denominator is 0."""
    return torch.where(denominator == 0.0, 0.0, numerator / denominator)
