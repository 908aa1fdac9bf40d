"""KOALA-A on the device: one innovation for the whole model, in Adam's metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .blockwise import move
from .losses import LEAST, MANY
from .method import LARGEST, Given, Method, Sums, finite
from .plan import Part, Plan, Present
from .vector import Row

SMALLEST = 1e-30
"""What D is at least."""
# Of the state of each tensor.
_UPDATES, _MOVING, _AVERAGED = range(3)
# How large gradients were: smoothed, the largest of that, and R then.
_SIZES = ("smoothed", "largest", "noise")


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
        self.share = self.config["gradient-floor"] ** 2 if self._sizes else 0.0
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
        held = [self._moments(present, part, alike) for part, alike in zip(present.parts, gradients)]
        if not self._diagonal:
            matrix = torch.cat([self._weighed(part, pages) for part, pages in zip(present.parts, held)], 1)
            return Sums(present.shares.add_up(matrix), held)
        largest = torch.stack(
            [pages["moments"].amax().to(self.dtype) for pages in held if pages["moments"].numel()]
            or [torch.zeros((), dtype=self.dtype, device=self.device)]
        ).amax()
        largest = present.shares.largest(largest)
        floor = largest.sqrt() * self.config["epsilon"] + SMALLEST
        matrix = torch.cat([self._weighed(part, pages, floor) for part, pages in zip(present.parts, held)], 1)
        matrix = present.shares.add_up(matrix)
        matrix[3] = largest
        return Sums(matrix, held)

    def _moments(self, present: Present, part: Part, gradients: list[Tensor]) -> dict[str, Any]:
        """h, the first sums, and with a metric s and s^ of this step."""
        pages = part.pages
        h = pages.gather(gradients)
        rows = [_dot(h, h, self.dtype)]
        if any(part.measured):
            x = pages.gather(part.parameters)
            h.addcmul_(x, pages.column(present.weights("measured", part.wide)[part.columns]))
            rows += [_dot(h, h, self.dtype), _dot(x, x, self.dtype)]
        else:
            rows += [rows[0], torch.zeros_like(rows[0])]
        if not self._diagonal:
            return {"h": h, "rows": rows}
        beta = self.config["second-moment-smoothing"]
        updates = self.tensors[_UPDATES].index_select(0, part.places) + 1.0
        correction = pages.column(1.0 / (1.0 - torch.pow(beta, updates)))
        second = pages.gather(part.memory(1)).mul_(beta).addcmul_(h, h, value=1.0 - beta)
        return {"h": h, "rows": rows, "second": second, "moments": second * correction}

    def _weighed(self, part: Part, pages: dict[str, Any], floor: Tensor | None = None) -> Tensor:
        """All sums of a part; leaves the direction h / D in place of s^."""
        h, v = pages["h"], part.pages.gather(part.memory(0))
        rows = pages.pop("rows")
        none = torch.zeros_like(rows[0])
        if floor is None:
            rows += [none, none, none, rows[1], rows[1], _dot(v, h, self.dtype), _dot(v, v, self.dtype)]
            pages["direction"] = h
        else:
            moments = pages.pop("moments")
            denominator = moments.sqrt().add_(floor)
            rows += [none, moments.sum(1, dtype=self.dtype), moments.div_(denominator).sum(1, dtype=self.dtype)]
            direction = torch.div(h, denominator, out=moments)
            rows += [_dot(direction, h, self.dtype), _dot(direction, direction, self.dtype), _dot(v, h, self.dtype)]
            rows.append(_dot(v.square_(), denominator, self.dtype))
            pages["direction"] = direction
        return part.pages.sums(torch.stack(rows))

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
                self._average(part, weights)

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

    def _displace(self, present: Present, held: list[Any], steps: Tensor, ok: Tensor, gains: Tensor) -> None:
        rows, shrinking = [steps.expand(2, present.count)], present.any("shrinking")
        if shrinking:
            less = (gains * present.weights("shrinking", self.dtype)).expand(1, -1)
            rows = [rows[0][:1] * (1.0 + less), rows[0][1:], less]
        table = torch.where(ok, torch.cat(rows) if shrinking else rows[0], 0.0)
        for part, matrices in zip(present.parts, held):
            pages = part.pages
            columns = pages.column(table[:, part.columns])
            if self._diagonal:
                kept = torch.where(ok, matrices.pop("second"), pages.gather(part.memory(1)))
                torch._foreach_copy_(part.memory(1), pages.views(kept))
            moved = matrices.pop("direction").nan_to_num_(0.0, 0.0, 0.0) * columns[:2]
            if shrinking:
                moved[0].addcmul_(pages.gather(part.parameters), columns[2])
            self.displace(part, moved, part.memory(0))

    def _average(self, part: Part, weights: Tensor) -> None:
        """The mean follows: of tensors that stand still too."""
        pages = part.pages
        difference = pages.gather(part.parameters).sub_(pages.gather(part.memory(2)))
        difference.mul_(pages.column(weights.index_select(0, part.places)))
        torch._foreach_add_(part.memory(2), pages.views(difference))


def _dot(left: Tensor, right: Tensor, dtype: torch.dtype) -> Tensor:
    """The sums over the rows of a product."""
    return (left * right).sum(1, dtype=dtype)


def _quotient(numerator: Tensor, denominator: Tensor) -> Tensor:
    """0 where the denominator is 0."""
    return torch.where(denominator == 0.0, 0.0, numerator / denominator)
