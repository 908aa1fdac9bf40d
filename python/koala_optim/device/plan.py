"""Which tensors a step is about, and what of it is known without looking at numbers."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from ..distributed import is_spread, local_part
from ..resharding import reshard_modules
from ..rows import Row, pieces
from .exchange import Shares
from .pages import Pages
from .rounding import draws

HALF = (torch.bfloat16, torch.float16)
_REQUIRES = attrgetter("requires_grad")


@dataclass(frozen=True)
class Options:
    """The options of a parameter group that are known to Python. The gain is not: schedulers may keep it on the device."""

    decay: float
    rule: str
    frozen: bool

    @property
    def measured(self) -> float:
        """w of h and L_b in the gain."""
        return 0.0 if self.rule == "decoupled" else self.decay

    @property
    def directed(self) -> float:
        """w of the direction along which x moves."""
        return self.decay if self.rule == "coupled" else 0.0

    @property
    def shrinking(self) -> float:
        """w of x <- x (1 - e w) after the step."""
        return self.decay if self.rule == "decoupled" else 0.0


class Part:
    """Tensors of one type, on the CPU some of them, and their places among all tensors of a pass."""

    def __init__(self, rows: list[Row], options: list[Options], start: int = 0) -> None:
        self.rows = rows
        self.columns = slice(start, start + len(rows))
        self.parameters = [row.parameter for row in rows]
        self.measured = [given.measured for given in options]
        self.apart = [given.measured != given.directed for given in options]
        self.dtype = rows[0].parameter.dtype
        self.wide = torch.float32 if self.dtype in HALF else self.dtype

    def memory(self, slot: int) -> list[Tensor]:
        """One vector of each tensor."""
        return [row.memory[slot] for row in self.rows]  # type: ignore[misc]

    @cached_property
    def pages(self) -> Pages:
        """Where the tensors lie in a matrix; numbers in it are wide enough for sums."""
        return Pages(self.parameters, self.wide)

    @cached_property
    def draws(self) -> tuple[Tensor, Tensor]:
        """By what the pages' rows draw where they are rounded by chance."""
        return draws(self.rows, self.pages)

    @cached_property
    def places(self) -> Tensor:
        """Positions of the tensors among all parameters."""
        return torch.tensor([row.position for row in self.rows], device=self.parameters[0].device)


class Present:
    """The tensors that an update is about: those with a gradient that are not frozen."""

    def __init__(self, rows: list[Row], options: list[Options], groups: list[int], device: torch.device) -> None:
        alike = pieces(rows)
        order = [at for piece in alike for at in piece]
        self.positions = tuple(rows[at].position for at in order)
        self.parts: list[Part] = []
        start = 0
        for piece in alike:
            self.parts.append(Part([rows[at] for at in piece], [options[at] for at in piece], start))
            start += len(piece)
        self.empty = not rows
        self.rows = [rows[at] for at in order]
        self.group_indices = [groups[at] for at in order]
        self._options = [options[at] for at in order]
        self.count = len(rows)
        self._device = device
        self._table: Tensor | None = None
        self._joined: dict[int, Shares] = {}
        self._weights: dict[tuple[str, torch.dtype, float], Tensor] = {}

    @cached_property
    def groups(self) -> Tensor | None:
        """The group of each tensor; ``None`` if they all are of the first."""
        return torch.tensor(self.group_indices, device=self._device) if any(self.group_indices) else None

    def gains(self, gains: Tensor) -> Tensor:
        """Of numbers of the groups those of the tensors; one for all where there is but one group."""
        return gains[0] if self.groups is None else gains.index_select(0, self.groups)

    @cached_property
    def shares(self) -> Shares:
        """How sums of the tensors become those of all processes."""
        return Shares(self.rows)

    def shares_with(self, sums: int, parts: list[Part]) -> Shares:
        """The same of one vector: so many sums of each tensor, and behind them one of each of the plan's; made once."""
        if sums not in self._joined:
            self._joined[sums] = Shares([*self.rows * sums, *(row for part in parts for row in part.rows)])
        return self._joined[sums]

    @cached_property
    def places(self) -> Tensor:
        """Positions of the tensors among all parameters."""
        return torch.tensor(self.positions, dtype=torch.int64, device=self._device)

    def rates(self, of: str) -> list[float]:
        """One w of each tensor."""
        return [getattr(options, of) for options in self._options]

    def any(self, of: str) -> bool:
        """Whether such a decay is there at all."""
        return any(self.rates(of))

    def weights(self, of: str, dtype: torch.dtype, factor: float = 1.0) -> Tensor:
        """The same on the device, made once."""
        key = of, dtype, factor
        if key not in self._weights:
            rates = [factor * rate for rate in self.rates(of)]
            self._weights[key] = torch.tensor(rates, dtype=dtype, device=self._device)
        return self._weights[key]

    def table(self, rows: int, filled: float) -> Tensor:
        """A column of numbers for each tensor, in the widest type of their matrices; made once."""
        if self._table is None:
            wide = torch.float64 if any(part.wide is torch.float64 for part in self.parts) else torch.float32
            self._table = torch.full((rows, self.count), filled, dtype=wide, device=self._device)
        return self._table

    @cached_property
    def apart(self) -> Tensor | None:
        """Which tensors move along g though h is measured; ``None`` if none does."""
        found = [options.measured != options.directed for options in self._options]
        return torch.tensor(found, device=self._device) if any(found) else None


class Plan:
    """The tensors of an optimizer, for as long as they, their memory and the options of their groups stay what they are."""

    def __init__(
        self,
        parameters: list[Tensor],
        rows: list[Row],
        options: list[Options],
        groups: list[int],
        state: MutableMapping[Tensor, dict[str, Any]],
        *,
        stores: bool,
    ) -> None:
        self.rows, self.options, self._groups = rows, options, groups
        self.spread = any(map(is_spread, parameters))
        """Whether there are ``DTensor`` among the parameters, be it that one process has all of them."""
        self._seen = self._see(parameters, state)
        # Of tensors that were never trained nothing is stored: they are only looked at.
        held = [not stores or bool(row.memory) for row in rows]
        self.parts = _chosen(rows, options, held)
        self.bare = _chosen(rows, options, [not there for there in held])
        moving = [not row.frozen and not given.frozen for row, given in zip(rows, options)]
        self.moving = _chosen(rows, options, moving)
        self.frozen = tuple(at for at, given in enumerate(options) if given.frozen)
        self._present: dict[tuple[int, ...], Present] = {}
        self._masks: dict[tuple[int, ...], Tensor] = {}
        self._numbers: dict[tuple[int, ...], Tensor] = {}
        self._bare_norms: tuple[list[int], Tensor] | None = None

    def holds(self, parameters: list[Tensor], state: MutableMapping[Tensor, dict[str, Any]]) -> bool:
        """Whether parameters and vectors are what they were, where they were."""
        return self._seen == self._see(parameters, state)

    @staticmethod
    def _see(parameters: list[Tensor], state: MutableMapping[Tensor, dict[str, Any]]) -> list[list[Any]]:
        # In every step twice: by loops that are not Python's.
        vectors = list(map(id, chain.from_iterable(map(dict.values, state.values()))))
        seen = [vectors, list(map(_REQUIRES, parameters)), list(map(Tensor.stride, parameters))]
        # What PyTorch only pretends to have in memory is nowhere.
        if type(parameters[0]) is FakeTensor:
            return seen
        addresses = list(map(Tensor.data_ptr, parameters))
        # A tensor that is spread over processes has none itself.
        return [*seen, addresses if all(addresses) else [local_part(x).data_ptr() for x in parameters]]

    @cached_property
    def shares(self) -> Shares:
        """How sums of all tensors, part by part, become those of all processes."""
        return Shares([row for part in self.parts for row in part.rows])

    def reshard(self) -> None:
        """Before a prediction moves parts: modules give up what they gathered of them."""
        if self.spread:
            reshard_modules()

    def bare_norms(self, dtype: torch.dtype) -> Tensor:
        """The norms of tensors of which nothing is stored, part by part. They stand still: found once, they cost no step."""
        parameters = [parameter for part in self.bare for parameter in part.parameters]
        marks = [0 if parameter.is_inference() else parameter._version for parameter in parameters]
        if self._bare_norms is None or self._bare_norms[0] != marks:
            found = [norm for part in self.bare for norm in torch._foreach_norm(part.parameters, 2, dtype=dtype)]
            of_rows = torch.stack(found)
            if shares := Shares([row for part in self.bare for row in part.rows]):
                of_rows = shares.add_up(of_rows.square()).sqrt()
            self._bare_norms = marks, of_rows
        return self._bare_norms[1]

    @cached_property
    def order(self) -> Tensor:
        """Where tensors, part by part, stand among those that have vectors and then those that have none."""
        places = [row.position for part in (*self.parts, *self.bare) for row in part.rows]
        alike = [row.position for part in _alike(self.rows, self.options) for row in part.rows]
        found = {position: at for at, position in enumerate(places)}
        return torch.tensor([found[position] for position in alike], device=self.rows[0].parameter.device)

    @cached_property
    def moves(self) -> Tensor:
        """1 for each tensor that is not frozen, 0 for each that is."""
        flags = [not row.frozen and not given.frozen for row, given in zip(self.rows, self.options)]
        return torch.tensor(flags, dtype=torch.float64, device=self.rows[0].parameter.device)

    def mask(self, positions: tuple[int, ...]) -> Tensor:
        """Which of all tensors these are; made once."""
        if positions not in self._masks:
            chosen = [at in positions for at in range(len(self.rows))]
            self._masks[positions] = torch.tensor(chosen, device=self.rows[0].parameter.device)
        return self._masks[positions]

    def masks(self, positions: tuple[int, ...]) -> Tensor:
        """Rows of which of all tensors these are, and which are frozen, as numbers; made once."""
        if positions not in self._numbers:
            rows = torch.stack([self.mask(positions), self.mask(self.frozen)])
            self._numbers[positions] = rows.to(torch.float64)
        return self._numbers[positions]

    def without(self, parts: list[Part], positions: tuple[int, ...]) -> list[Part]:
        """The tensors of some parts but for these."""
        held = {row.position for part in parts for row in part.rows}
        return _chosen(self.rows, self.options, [at in held and at not in positions for at in range(len(self.rows))])

    def present(self, positions: tuple[int, ...]) -> Present:
        """Those among ``positions``, which have a gradient, that are not frozen."""
        if positions not in self._present:
            chosen = [at for at in positions if not self.options[at].frozen and not self.rows[at].frozen]
            self._present[positions] = Present(
                [self.rows[at] for at in chosen],
                [self.options[at] for at in chosen],
                [self._groups[at] for at in chosen],
                self.rows[0].parameter.device,
            )
        return self._present[positions]


def _chosen(rows: list[Row], options: list[Options], chosen: list[bool]) -> list[Part]:
    """Those of the tensors, part by part."""
    places = [at for at, taken in enumerate(chosen) if taken]
    return _alike([rows[at] for at in places], [options[at] for at in places])


def _alike(rows: list[Row], options: list[Options]) -> list[Part]:
    return [Part([rows[at] for at in piece], [options[at] for at in piece]) for piece in pieces(rows)]
