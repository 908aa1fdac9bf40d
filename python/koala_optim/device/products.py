"""KOALA++ on the device: products of gradient and covariance, with the previous S of each block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .method import LARGEST, VANISHING, Given, Method, Sums, finite
from .pages import dots, squares
from .plan import Plan, Present
from .vector import Row

REACH = LARGEST / 8.0
"""What the norm of each part of v may be, as in the filter's ``PlusPlus``: v + Q H is then a number in f32."""

NONE = -1.0
"""S' of a block that has not begun."""


class PlusPlus(Method):
    """KOALA++."""

    slots = ()

    def __init__(self, stored: dict[str, Any], device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(stored, device, dtype)
        variances = stored["method"][self.name]["innovation_variances"]
        numbers = [NONE if variance is None else variance for variance in variances]
        self.variances = torch.tensor(numbers, dtype=torch.float64, device="cpu").to(device, dtype)

    def values(self, state: dict[str, Any]) -> dict[str, float]:
        return {}

    def written(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        return {}

    def prediction(self) -> dict[str, Row]:
        return {}

    def extras(self) -> list[Tensor]:
        return [self.variances]

    def put_back_extras(self, stored: dict[str, Any], extras: list[list[float]]) -> None:
        (variances,) = extras
        stored["method"][self.name]["innovation_variances"] = [None if s < 0.0 else s for s in variances]

    def predict(self, plan: Plan) -> None:
        self.numbers.predict()

    def reduce(self, present: Present, gradients: list[list[Tensor]]) -> Sums:
        columns, held = [], []
        for part, alike in zip(present.parts, gradients):
            pages = part.pages
            h = pages.gather(alike)
            rows = [squares(h)]
            if any(part.measured):
                x = pages.gather(part.parameters)
                h.addcmul_(x, pages.column(present.weights("measured", part.wide)[part.columns]))
                rows += [squares(h), squares(x)]
            else:
                rows += [rows[0], pages.none]
            v, p = pages.gather(part.memory(0)), pages.gather(part.memory(1))
            products = h * p
            rows += [products.sum(1), squares(p), dots(h, v, products), dots(p, v, products), squares(v)]
            columns.append(pages.sums(rows, self.dtype))
            held.append((h, v, p))
        return Sums(present.shares.add_up(torch.cat(columns, 1)), held)

    def nothing(self) -> Sums:
        return Sums(torch.zeros(8, 1, dtype=self.dtype, device=self.device), [])

    def statistics(self, matrix: list[list[float]]) -> list[list[float]]:
        return [list(column) for column in zip(*matrix)]

    def update(self, plan: Plan, present: Present, sums: Sums, given: Given) -> None:
        gains = present.gains(given.gains)
        poison = [*given.poison, *self.noise.measure(self.numbers, given.losses)]
        r = self.numbers.after["measurement_noise"]
        penalty = None
        if present.any("measured"):
            penalty = self.of_blocks(sums.matrix[2] * present.weights("measured", self.dtype, 0.5))
        ok = finite(sums.matrix[:3].sum(), [r, *poison])
        of_blocks = self.of_blocks(sums.matrix)
        use = (of_blocks[0] >= VANISHING) & ok
        previous = self.variances if self.whole else self.variances.index_select(0, present.places)
        s, a, b, c, reached = self._gains(of_blocks, previous, r)
        residual = self.residual(given.losses, penalty, use)
        self.numbers.conclude(ok)
        kept = torch.where(use, s, previous)
        if self.whole:
            self.variances.copy_(kept)
        else:
            self.variances.index_copy_(0, present.places, kept)
        q = self.config["process-noise"]
        step = torch.where(reached, residual * gains / s, 0.0).unsqueeze(0)
        if self.options["max-update-norm"] is not None:
            step = step * self.bound(step[0], _squared(sums.matrix, a, b + q, c), use)
        self._displace(present, sums.held, (step[0].clamp(-LARGEST, LARGEST), a, b, c), use, gains)

    def _gains(self, sums: Tensor, previous: Tensor, r: Tensor) -> tuple[Tensor, ...]:
        """S, the coefficients of v', H and H' in v, and whether v is within reach; else the block stands still."""
        _, h2, _, hp, pp, hv, pv, vv = sums.unbind()
        sigma, q = self.config["initial-covariance"], self.config["process-noise"]
        alpha = hp / pp
        lam = torch.add(hv, hp, alpha=q) / previous
        rho = (hv - alpha * pv) / pp if self.config["variant"] == "symmetric" else torch.zeros_like(alpha)
        a, c = alpha - lam, torch.add(rho, lam, alpha=-q)
        s = torch.add(a * hv + c * hp, h2, alpha=2.0 * q) + r
        parts, lengths = torch.stack([a, c, torch.full_like(a, q)]), torch.stack([vv, pp, h2])
        continued = (previous >= 0.0) & (s > 0.0) & (s < torch.inf) & _within_reach(parts, lengths).all(0)
        first = (sigma + q) * (r / torch.add(r, h2, alpha=sigma + q))
        # An S that is stored has to be a number.
        s = torch.where(continued, s, ((first + q) * h2 + r).clamp_max(torch.finfo(s.dtype).max))
        reached = continued | _within_reach(first + q, h2)
        b = torch.where(continued, q, torch.where(reached, first, 0.0))
        return s, torch.where(continued, a, 0.0), b, torch.where(continued, c, 0.0), reached

    def _displace(
        self, present: Present, held: list[Any], coefficients: tuple[Tensor, ...], use: Tensor, gains: Tensor
    ) -> None:
        q, shrinking = self.config["process-noise"], present.any("shrinking")
        if q > REACH:
            # No block moves then, and no type may have such a number.
            q = 0.0
        step, a, b, c = (torch.where(use, x, other) for x, other in zip(coefficients, (0.0, 1.0, 0.0, 0.0)))
        rows = [step, a, b, c, use.to(self.dtype)]
        if shrinking:
            less = torch.where(use, gains * present.weights("shrinking", self.dtype), 0.0)
            rows = [step * (1.0 + less), *rows[1:], less]
        table = torch.stack([row.expand(present.count) for row in rows])
        for part, (h, v, p) in zip(present.parts, held):
            pages = part.pages
            columns = pages.column(table[:, part.columns])
            for matrix in (h, v, p):
                # Of a missing measurement h is not to be read; nor is what stands in v' and H' of a block that begins.
                matrix.nan_to_num_(0.0, 0.0, 0.0)
            v.mul_(columns[1]).addcmul_(h, columns[2]).addcmul_(p, columns[3])
            moved = torch.add(v, h, alpha=q).mul_(columns[0])
            if shrinking:
                moved.addcmul_(pages.gather(part.parameters), columns[5])
            self.displace(part, moved.unsqueeze(0))
            torch._foreach_copy_(part.memory(0), pages.views(v))
            torch._foreach_copy_(part.memory(1), pages.views(torch.where(columns[4] > 0.0, h, p)))


def _within_reach(coefficients: Tensor, lengths: Tensor) -> Tensor:
    """Whether coefficients times vectors of these squared norms may be part of v; not, if either is no number."""
    return (coefficients.abs() <= REACH) & (coefficients.square() * lengths <= REACH * REACH)


def _squared(sums: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The squared length of a v' + b H + c H', of each tensor."""
    _, h2, _, hp, pp, hv, pv, vv = sums.unbind()
    of_parts = a * a * vv + b * b * h2 + c * c * pp
    return (of_parts + 2.0 * (a * b * hv + a * c * pv + b * c * hp)).clamp_min(0.0)
