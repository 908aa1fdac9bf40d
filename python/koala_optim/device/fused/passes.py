"""Launching a step's kernels: what :mod:`..blockwise` and its like do by foreach operations, in three to six launches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..losses import LEAST, Losses
from ..method import VANISHING, Method
from ..plan import Part, Plan, Present
from ..record import Record
from .kernels.filter import OTHERS, foresee
from .shares import Partials, Together
from .tables import BLOCK, Addresses, Chunks

KINDS = {
    torch.float32: tl.float32,
    torch.float64: tl.float64,
    torch.bfloat16: tl.bfloat16,
    torch.float16: tl.float16,
}
WARPS = 4
# Of the one program that keeps the filter's numbers.
FILTER_WARPS = 16
# Of kernels that move tensors: products are rounded before they are added, so that a step with the next prediction in it gives
# the bits of the two.
UNFUSED = {"enable_fp_fusion": False}
# Where the constants of a method itself begin.
OF_METHOD = OTHERS.value
_RULES = {"constant": 1, "offset": 2, "relative": 3}
_NOISES = {"adaptive": 0, "fixed": 1, "bias-corrected": 2}


class Passes(ABC):
    """The kernels of a method, over the numbers that it has."""

    slots: tuple[int, ...] = ()
    """Of the vectors that the method may keep, those that the kernels go over."""

    def __init__(self, method: Method, gains: Tensor) -> None:
        self.method, self._gains = method, gains
        self._pending = False
        self._seed = 0 if method.rounding is None else method.rounding.seed
        self._scatters = method.rounding is not None
        self._plan: Plan | None = None
        self._moved: tuple[Chunks, Addresses] | None = None
        self._known: dict[tuple[int, bool], tuple[Present, Tensors]] = {}
        self._left_over: dict[tuple[int, str], tuple[Chunks, Addresses]] = {}
        ((self._rule, target),) = method.options["target"].items()
        ((self._noise, noise),) = method.options["measurement-noise"].items()
        beta = 0.0 if self._noise == "fixed" else noise["smoothing"]
        bound = method.options["max-update-norm"]
        constants = [
            method.config.get("velocity-decay", 0.0),
            target,
            beta,
            logarithm(beta),
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
            "num_warps": FILTER_WARPS,
        }

    def constants(self) -> list[float]:
        """Numbers of the method that its kernel for the filter needs."""
        return []

    def predict(self, plan: Plan) -> None:
        """The time update of the tensors. That of the numbers waits for the update, or for who looks."""
        self._take(plan)
        self._pending = True
        self.advance(plan)

    def _take(self, plan: Plan) -> None:
        if self._plan is not plan:
            # What a prediction measured lies as the chunks of its plan do.
            self.complete()
            self._plan, self._known, self._left_over, self._moved = plan, {}, {}, None

    def advance(self, plan: Plan) -> None:
        """Moves the tensors, if the method does."""
        return

    def predicted(self, plan: Plan) -> list[Part]:
        """The tensors that a prediction goes over."""
        return []

    @property
    def apart(self) -> bool:
        """Whether a prediction has left numbers that other processes have parts of."""
        return False

    def complete(self) -> None:
        """The time update of the numbers, if it is still to be done."""
        if self._pending:
            self._pending = False
            self.foresee()

    def foresee(self) -> None:
        """The time update of the numbers, as the filter's kernel does it."""
        self.launch_foresee(self.method.numbers.state, 0, -1, 0)

    def launch_foresee(self, deviations: Tensor, deviating: int, place: int, average: int) -> None:
        """The same with what a prediction measured, and ``place``, where among the numbers it is put."""
        numbers, common = self.method.numbers, self._common
        foresee[(1,)](
            numbers.state,
            numbers.transition,
            numbers.futures,
            deviations,
            deviating,
            DEVIATION=place,
            AVERAGE=average,
            **{name: common[name] for name in ("SIZE", "PADDED", "ROWS", "num_warps")},
        )

    def update(
        self,
        plan: Plan,
        present: Present,
        gradients: list[list[Tensor]],
        losses: Losses,
        found: Tensor | None,
        record: Record,
        *,
        stays: bool,
    ) -> None:
        """The measurement update, and its record; ``stays``: with the next time update in the same pass."""
        if stays:
            self._take(plan)
        of = self._of(plan, present, stays)
        # Kept until the kernels are launched: these may be copies.
        flat, kinds = of.in_order(gradients)
        addresses, aligned = of.addresses.of(flat)
        launch = Launch(of, addresses, aligned, kinds)
        self.step(plan, present, launch, losses, found, record, stays)
        self._pending = stays

    @abstractmethod
    def step(
        self,
        plan: Plan,
        present: Present,
        launch: Launch,
        losses: Losses,
        found: Tensor | None,
        record: Record,
        stays: bool,
    ) -> None:
        """The kernels of an update."""

    def whole(self, present: Present, of: Tensors, rows: int) -> tuple[Tensor, Tensor, int]:
        """The sums for the filter's kernel, of which tensors they are, and how many columns they have: those of chunks, or one
        of each tensor where some are spread over processes."""
        if not present.shares:
            return of.partials, of.spans, of.partials.shape[-1]
        if of.together is None:
            of.together = Together(self.method.device, Partials(present.rows, of.chunks.spans, rows))
        (sums,) = of.together.add_up(of.partials)
        return sums, of.spans_of_wholes, present.count

    def _of(self, plan: Plan, present: Present, stays: bool) -> Tensors:
        key = id(present), stays
        if key not in self._known:
            parts = self.predicted(plan) if stays else []
            among = self._planned(parts)[0] if parts else None
            self._known[key] = present, Tensors(present, self.slots, self.method.device, among)
        return self._known[key][1]

    def _planned(self, parts: list[Part]) -> tuple[Chunks, Addresses]:
        if self._moved is None:
            self._moved = Chunks(parts, self.method.device), Addresses(parts, list(self.slots), self.method.device)
        return self._moved

    def _left(self, plan: Plan, present: Present, kind: str) -> tuple[Chunks, Addresses]:
        """The tensors that have no gradient: of those that are ``predicted``, or of ``all``."""
        key = id(present), kind
        if key not in self._left_over:
            everything = self.predicted(plan) if kind == "predicted" else plan.parts
            parts, device = plan.without(everything, present.positions), self.method.device
            among = self._planned(everything)[0] if kind == "predicted" else None
            self._left_over[key] = Chunks(parts, device, among), Addresses(parts, list(self.slots), device)
        return self._left_over[key]


class Tensors:
    """What the kernels of an update know of the tensors."""

    def __init__(
        self, present: Present, slots: tuple[int, ...], device: torch.device, among: Chunks | None = None
    ) -> None:
        self._parts = present.parts
        self._parameters = [parameter for part in present.parts for parameter in part.parameters]
        self._strides = list(map(Tensor.stride, self._parameters))
        self.chunks = Chunks(present.parts, device, among)
        self.addresses = Addresses(present.parts, list(slots), device, with_gradients=True)
        count = present.count
        places = torch.tensor([present.group_indices, list(present.positions)], dtype=torch.int64, device=device)
        self.spans = torch.cat([self.chunks.spans, places])
        alone = torch.tensor([range(count), [1] * count], dtype=torch.int64, device=device)
        self.spans_of_wholes = torch.cat([alone, places])
        """Of tensors that have but one sum each."""
        self.together: Together | None = None
        self.deviating: tuple[Chunks, Together] | None = None
        """Sums of whole tensors; and with them the deviations that a prediction measured as its chunks lie."""
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


class Launch:
    """Launches kernels over the tensors of an update, part by part."""

    def __init__(self, of: Tensors, addresses: Tensor, aligned: bool, kinds: list[torch.dtype]) -> None:
        self.of, self._addresses = of, addresses
        self._aligned = aligned
        self._kinds = kinds

    def __call__(self, kernel: Any, *given: Tensor | int, **settings: Any) -> None:
        of_gradients = [{"OF_G": KINDS[kind], "ALIGNED_G": self._aligned} for kind in self._kinds]
        _launch(kernel, self.of.chunks, self._addresses, self.of.addresses.aligned, given, settings, of_gradients)


def launch_over(kernel: Any, chunks: Chunks, addresses: Addresses, *given: Tensor | int, **settings: Any) -> None:
    """Launches a kernel that needs no gradients."""
    _launch(kernel, chunks, addresses.table, addresses.aligned, given, settings, [{}] * len(chunks.parts))


def _launch(
    kernel: Any,
    chunks: Chunks,
    addresses: Tensor,
    aligned: bool,
    given: tuple[Tensor | int, ...],
    settings: dict[str, Any],
    of_parts: list[dict[str, Any]],
) -> None:
    for (part, first, count), of_part in zip(chunks.parts, of_parts):
        if count:
            kernel[(count,)](
                addresses,
                chunks.table,
                *given,
                chunks.tensors,
                chunks.count,
                first,
                KIND=KINDS[part.dtype],
                WIDE=KINDS[part.wide],
                BLOCK=BLOCK,
                ALIGNED=aligned,
                num_warps=WARPS,
                **of_part,
                **settings,
            )


def _in_order(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient with its elements in the order of the parameter's, in its own type."""
    if gradient.stride() == parameter.stride() or (gradient.is_contiguous() and parameter.is_contiguous()):
        return gradient
    return torch.empty_like(parameter, dtype=gradient.dtype, memory_format=torch.preserve_format).copy_(gradient)


def logarithm(number: float) -> float:
    return math.log(number) if number > 0.0 else -math.inf
