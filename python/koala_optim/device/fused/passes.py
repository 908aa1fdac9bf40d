"""A step by kernels: what :mod:`..blockwise` and its like do by foreach operations, in three to six launches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..adaptive import SMALLEST, Adaptive
from ..blockwise import Blockwise, Momentum
from ..losses import LEAST, Losses
from ..method import VANISHING, Method
from ..plan import Part, Plan, Present
from ..products import PlusPlus
from ..record import Record
from . import scalars, tensors
from .tables import BLOCK, Addresses, Chunks

KINDS = {
    torch.float32: tl.float32,
    torch.float64: tl.float64,
    torch.bfloat16: tl.bfloat16,
    torch.float16: tl.float16,
}
WARPS = 4
# Of the one program that keeps the filter's numbers.
_FILTER_WARPS = 16
# Where the constants of a method itself begin.
_OTHERS = scalars.OTHERS.value
_RULES = {"constant": 1, "offset": 2}
_NOISES = {"adaptive": 0, "fixed": 1, "bias-corrected": 2}


class Passes(ABC):
    """The kernels of a method, over the numbers that it has."""

    slots: tuple[int, ...] = ()
    """Of the vectors that the method may keep, those that the kernels go over."""

    def __init__(self, method: Method, gains: Tensor) -> None:
        self.method, self._gains = method, gains
        self._pending = False
        self._plan: Plan | None = None
        self._moved: tuple[Chunks, Addresses] | None = None
        self._known: dict[int, tuple[Present, _Tensors]] = {}
        self._still: dict[int, tuple[Chunks, Addresses]] = {}
        ((self._rule, target),) = method.options["target"].items()
        ((self._noise, noise),) = method.options["measurement-noise"].items()
        beta = 0.0 if self._noise == "fixed" else noise["smoothing"]
        bound = method.options["max-update-norm"]
        constants = [
            method.config.get("velocity-decay", 0.0),
            target,
            beta,
            _logarithm(beta),
            LEAST[torch.float64],
            VANISHING,
            math.inf if bound is None else bound,
            *self.constants(),
        ]
        self._constants = torch.tensor(constants, dtype=torch.float64, device=method.device)
        size = len(method.numbers.names)
        self._common = {
            "SIZE": size,
            "PADDED": triton.next_power_of_2(size),
            "ROWS": triton.next_power_of_2(3 * size),
            "GROUPS": len(gains),
            "RULE": 0 if method.target.is_zero else _RULES[self._rule],
            "KIND": _NOISES[self._noise],
            "CLAMP": method.options["negative-residual"] == "clamp",
            "BOUNDED": bound is not None,
            "num_warps": _FILTER_WARPS,
        }

    def constants(self) -> list[float]:
        """Numbers of the method that its kernel for the filter needs."""
        return []

    def predict(self, plan: Plan) -> None:
        """The time update of the tensors. That of the numbers waits for the update, or for who looks."""
        self._pending = True
        if self._plan is not plan:
            self._plan, self._known, self._still, self._moved = plan, {}, {}, None
        self.advance(plan)

    def advance(self, plan: Plan) -> None:
        """Moves the tensors, if the method does."""
        return

    def complete(self) -> None:
        """The time update of the numbers, if it is still to be done."""
        if self._pending:
            self._pending = False
            self.settle()
            self.method.numbers.predict()

    def settle(self) -> None:
        """Puts what was measured in the prediction into the numbers, if anything was."""
        return

    def update(
        self,
        plan: Plan,
        present: Present,
        gradients: list[list[Tensor]],
        losses: Losses,
        found: Tensor | None,
        record: Record,
    ) -> None:
        """The measurement update, and its record."""
        of = self._of(present)
        # Kept until the kernels are launched: these may be copies.
        flat, kinds = of.in_order(gradients)
        addresses, aligned = of.addresses.of(flat)
        launch = _Launch(of, addresses, aligned, kinds)
        self.step(plan, present, launch, losses, found, record)
        self._pending = False

    @abstractmethod
    def step(
        self, plan: Plan, present: Present, launch: _Launch, losses: Losses, found: Tensor | None, record: Record
    ) -> None:
        """The kernels of an update."""

    def _of(self, present: Present) -> _Tensors:
        if id(present) not in self._known:
            self._known[id(present)] = present, _Tensors(present, self.slots, self.method.device)
        return self._known[id(present)][1]

    def _planned(self, parts: list[Part]) -> tuple[Chunks, Addresses]:
        if self._moved is None:
            self._moved = Chunks(parts, self.method.device), Addresses(parts, list(self.slots), self.method.device)
        return self._moved


class _Tensors:
    """What the kernels of an update know of the tensors."""

    def __init__(self, present: Present, slots: tuple[int, ...], device: torch.device) -> None:
        self._parts = present.parts
        self._parameters = [parameter for part in present.parts for parameter in part.parameters]
        self._strides = list(map(Tensor.stride, self._parameters))
        self.chunks = Chunks(present.parts, device)
        self.addresses = Addresses(present.parts, list(slots), device, with_gradients=True)
        count = present.count
        places = torch.tensor([present.group_indices, list(present.positions)], dtype=torch.int64, device=device)
        self.spans = torch.cat([self.chunks.spans, places])
        traits = [present.rates("measured"), present.rates("directed"), present.rates("shrinking")]
        apart = [float(flag) for part in present.parts for flag in part.apart]
        self.traits = torch.tensor([*traits, apart], dtype=torch.float64, device=device)
        self.decay, self.apart, self.shrinks = any(traits[0]), any(apart), any(traits[2])
        self.directed = any(traits[1])
        self.partials = torch.zeros(10, max(self.chunks.count, 1), dtype=torch.float64, device=device)
        self.table = torch.zeros(6, count, dtype=torch.float64, device=device)
        self.metric = torch.zeros(count + 2, dtype=torch.float64, device=device)

    def in_order(self, gradients: list[list[Tensor]]) -> tuple[list[Tensor], list[torch.dtype]]:
        """The gradients with their elements in the order of the parameters', and the type that each part has of them."""
        kinds = []
        for part, alike in zip(self._parts, gradients):
            kind = alike[0].dtype
            if any(gradient.dtype is not kind for gradient in alike):
                kind = part.wide
                alike[:] = [gradient.to(kind) for gradient in alike]
            kinds.append(kind)
        flat = [gradient for alike in gradients for gradient in alike]
        if list(map(Tensor.stride, flat)) != self._strides:
            flat = [_in_order(parameter, gradient) for parameter, gradient in zip(self._parameters, flat)]
        return flat, kinds


class _Launch:
    """Launches kernels over the tensors of an update, part by part."""

    def __init__(self, of: _Tensors, addresses: Tensor, aligned: bool, kinds: list[torch.dtype]) -> None:
        self.of, self._addresses = of, addresses
        self._aligned = aligned
        self._kinds = kinds

    def __call__(self, kernel: Any, *given: Tensor, **settings: Any) -> None:
        chunks = self.of.chunks
        for (part, first, count), kind in zip(chunks.parts, self._kinds):
            if count:
                kernel[(count,)](
                    self._addresses,
                    chunks.table,
                    *given,
                    chunks.tensors,
                    chunks.count,
                    first,
                    KIND=KINDS[part.dtype],
                    OF_G=KINDS[kind],
                    WIDE=KINDS[part.wide],
                    BLOCK=BLOCK,
                    ALIGNED=self.of.addresses.aligned,
                    ALIGNED_G=self._aligned,
                    num_warps=WARPS,
                    **settings,
                )


def _in_order(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient with its elements in the order of the parameter's, in its own type."""
    if gradient.stride() == parameter.stride() or (gradient.is_contiguous() and parameter.is_contiguous()):
        return gradient
    return torch.empty_like(parameter, dtype=gradient.dtype, memory_format=torch.preserve_format).copy_(gradient)


class BlockwisePasses(Passes):
    """KOALA-V in three launches, KOALA-M in four."""

    method: Blockwise

    def __init__(self, method: Blockwise, gains: Tensor) -> None:
        super().__init__(method, gains)
        self._momentum = isinstance(method, Momentum)
        self._average = 0
        if isinstance(method, Momentum):
            self._average = 2 if method.is_paper else int(method.follows)
            self.slots = (0, 1) if self._average else (0,)
        self._deviations = torch.zeros(1, dtype=torch.float64, device=method.device)
        self._deviating = 0
        self._bare: Tensor | None = None

    def advance(self, plan: Plan) -> None:
        if not self._momentum:
            return
        parts = plan.parts if self._average else plan.moving
        chunks, addresses = self._planned(parts)
        bare = plan.bare if self._average else []
        if self._deviations.numel() <= chunks.count:
            self._deviations = torch.zeros(chunks.count + 1, dtype=torch.float64, device=self.method.device)
            self._bare = None
        self._deviating = chunks.count + bool(bare)
        if bare and plan.bare_norms(torch.float64) is not self._bare:
            # Their a is 0, and nothing is stored of them.
            self._bare = plan.bare_norms(torch.float64)
            self._deviations[chunks.count].copy_(self._bare.square().sum())
        for part, first, count in chunks.parts:
            if count:
                tensors.advance[(count,)](
                    addresses.table,
                    chunks.table,
                    plan.moves,
                    chunks.places,
                    self._constants,
                    self._deviations,
                    chunks.tensors,
                    chunks.count,
                    first,
                    KIND=KINDS[part.dtype],
                    WIDE=KINDS[part.wide],
                    AVERAGE=self._average,
                    BLOCK=BLOCK,
                    ALIGNED=addresses.aligned,
                    num_warps=WARPS,
                )

    def settle(self) -> None:
        if self._average:
            assert isinstance(self.method, Momentum)
            squared = self._deviations[: self._deviating].sum()
            self.method.set_deviation(squared if self._average == 2 else squared.sqrt())

    def step(
        self, plan: Plan, present: Present, launch: _Launch, losses: Losses, found: Tensor | None, record: Record
    ) -> None:
        of, numbers = launch.of, self.method.numbers
        launch(tensors.reduce, of.traits, of.partials, DECAY=of.decay)
        vector = record.room([len(numbers.names), len(self._gains), 1, 1, 1, (3 if of.decay else 1) * present.count, 1])
        scalars.blockwise[(1,)](
            of.partials,
            self._deviations,
            of.spans,
            of.traits,
            numbers.state,
            numbers.transition,
            numbers.futures,
            self._constants,
            self._gains,
            losses.loss,
            losses.norm,
            losses.loss if found is None else found,
            vector,
            of.table,
            present.count,
            of.partials.shape[1],
            self._deviating,
            losses.count,
            int(self._pending),
            MOMENTUM=self._momentum,
            AVERAGE=self._average,
            DECAY=of.decay,
            SPLIT=of.apart,
            SHRINKS=of.shrinks,
            WHOLE=self.method.whole,
            FOUND=found is not None,
            **self._common,
        )
        launch(
            tensors.displace,
            of.traits,
            of.table,
            DECAY=of.directed,
            SHRINKS=of.shrinks,
            MOMENTUM=self._momentum,
            AVERAGE=self._average == 1,
        )


class PlusPlusPasses(Passes):
    """KOALA++ in three launches."""

    method: PlusPlus
    slots = (0, 1)

    def constants(self) -> list[float]:
        return [self.method.config["process-noise"], self.method.config["initial-covariance"]]

    def step(
        self, plan: Plan, present: Present, launch: _Launch, losses: Losses, found: Tensor | None, record: Record
    ) -> None:
        of, numbers, variances = launch.of, self.method.numbers, self.method.variances
        launch(tensors.products, of.traits, of.partials, DECAY=of.decay)
        sizes = [len(numbers.names), len(variances), len(self._gains), 1, 1, 1, 8 * present.count, 1]
        scalars.plus_plus[(1,)](
            of.partials,
            of.spans,
            of.traits,
            numbers.state,
            numbers.transition,
            numbers.futures,
            variances,
            self._constants,
            self._gains,
            losses.loss,
            losses.norm,
            losses.loss if found is None else found,
            record.room(sizes),
            of.table,
            present.count,
            of.partials.shape[1],
            len(variances),
            losses.count,
            int(self._pending),
            SYMMETRIC=self.method.config["variant"] == "symmetric",
            DECAY=of.decay,
            WHOLE=self.method.whole,
            FOUND=found is not None,
            **self._common,
        )
        launch(tensors.turn, of.traits, of.table, self._constants, OTHER=_OTHERS, DECAY=of.directed, SHRINKS=of.shrinks)


class AdaptivePasses(Passes):
    """KOALA-A in six launches; four without its metric."""

    method: Adaptive

    def __init__(self, method: Adaptive, gains: Tensor) -> None:
        self.diagonal, self._mean = method.config["metric"] == "diagonal", method.config["mean"] is not None
        self.slots = (0, *((1,) if self.diagonal else ()), *((2,) if self._mean else ()))
        super().__init__(method, gains)
        self._weights = torch.zeros(method.tensors.shape[1], dtype=torch.float64, device=method.device)

    def constants(self) -> list[float]:
        given = self.method.config
        beta, smoothing = given["second-moment-smoothing"], given["whiteness-smoothing"]
        return [
            beta,
            _logarithm(beta),
            given["epsilon"],
            SMALLEST,
            given["growth-rate"],
            given["decline-rate"],
            given["rate-horizon"],
            smoothing,
            _logarithm(smoothing),
            given["mean"] or 0.0,
            *self.method.range,
        ]

    def advance(self, plan: Plan) -> None:
        chunks, addresses = self._planned(plan.moving)
        for part, first, count in chunks.parts:
            if count:
                tensors.advance[(count,)](
                    addresses.table,
                    chunks.table,
                    self.method.moving,
                    chunks.places,
                    self._constants,
                    self._constants,
                    chunks.tensors,
                    chunks.count,
                    first,
                    KIND=KINDS[part.dtype],
                    WIDE=KINDS[part.wide],
                    AVERAGE=0,
                    BLOCK=BLOCK,
                    ALIGNED=addresses.aligned,
                    num_warps=WARPS,
                )

    def step(
        self, plan: Plan, present: Present, launch: _Launch, losses: Losses, found: Tensor | None, record: Record
    ) -> None:
        of, numbers, of_tensors = launch.of, self.method.numbers, self.method.tensors
        everything = of_tensors.shape[1]
        metric = of.metric
        launch(
            tensors.moments,
            of.traits,
            of.partials,
            self._constants,
            OTHER=_OTHERS,
            DECAY=of.decay,
            DIAGONAL=self.diagonal,
        )
        if self.diagonal:
            scalars.find_floor[(1,)](
                of.partials,
                of.spans,
                of_tensors,
                self._constants,
                metric,
                present.count,
                of.partials.shape[1],
                num_warps=_FILTER_WARPS,
            )
            launch(tensors.weigh, of.traits, of.partials, self._constants, metric, OTHER=_OTHERS, DECAY=of.decay)
        sizes = [len(numbers.names), *[everything] * 3, len(self._gains), 1, 1, 1, 10 * present.count, 1]
        scalars.adaptive[(1,)](
            of.partials,
            of.spans,
            of.traits,
            plan.masks(present.positions),
            numbers.state,
            numbers.transition,
            numbers.futures,
            of_tensors,
            self._constants,
            self._gains,
            losses.loss,
            losses.norm,
            losses.loss if found is None else found,
            record.room(sizes),
            of.table,
            metric,
            self._weights,
            present.count,
            of.partials.shape[1],
            everything,
            losses.count,
            int(self._pending),
            DIAGONAL=self.diagonal,
            MEAN=self._mean,
            DECAY=of.decay,
            FOUND=found is not None,
            **self._common,
        )
        launch(
            tensors.descend,
            of.traits,
            of.table,
            self._constants,
            metric,
            self._weights,
            of.chunks.places,
            OTHER=_OTHERS,
            DECAY=of.directed,
            SHRINKS=of.shrinks,
            DIAGONAL=self.diagonal,
            MEAN=self._mean,
        )
        if self._mean and present.count < everything:
            self._follow(plan, present)

    def _follow(self, plan: Plan, present: Present) -> None:
        """The means of tensors that have no gradient."""
        if id(present) not in self._still:
            parts = plan.without(present.positions)
            device = self.method.device
            self._still[id(present)] = Chunks(parts, device), Addresses(parts, list(self.slots), device)
        chunks, addresses = self._still[id(present)]
        for part, first, count in chunks.parts:
            if count:
                tensors.follow[(count,)](
                    addresses.table,
                    chunks.table,
                    self._weights,
                    chunks.places,
                    chunks.tensors,
                    chunks.count,
                    first,
                    KIND=KINDS[part.dtype],
                    WIDE=KINDS[part.wide],
                    BLOCK=BLOCK,
                    ALIGNED=addresses.aligned,
                    num_warps=WARPS,
                )


def _logarithm(number: float) -> float:
    return math.log(number) if number > 0.0 else -math.inf


def made(method: Method, gains: Tensor) -> Passes:
    """The kernels of a method."""
    if isinstance(method, Blockwise):
        return BlockwisePasses(method, gains)
    return PlusPlusPasses(method, gains) if isinstance(method, PlusPlus) else AdaptivePasses(method, gains)  # type: ignore[arg-type]
