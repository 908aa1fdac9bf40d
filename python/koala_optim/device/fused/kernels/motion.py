"""The prediction of tensors that have a velocity."""

import triton
import triton.language as tl

from .memory import FIRST, PARAMETER, SECOND, among_all, chunk_of, load, memory_of, places_of, store
from .rounding import PREDICTION, narrow, settle, step_of


@triton.jit
def _advance(
    x,
    v,
    a,
    at,
    end,
    kappa,
    moves,
    seed,
    step,
    draw,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    AVERAGE: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    position = load(x, offsets, end, WIDE, FULL)
    deviation = tl.zeros([BLOCK], WIDE)
    if AVERAGE > 0:
        average = load(a, offsets, end, WIDE, FULL)
        if AVERAGE == 2:
            average = narrow(average * 0.9 + position * 0.1, KIND).to(WIDE)
            store(a, offsets, end, average, KIND, FULL)
        deviation = average - position
    if moves > 0.0:
        velocity = load(v, offsets, end, WIDE, FULL)
        moved = settle(position + velocity, seed, step, draw, at, PREDICTION, KIND, WIDE, SCATTERS, BLOCK)
        store(x, offsets, end, moved, KIND, FULL)
        store(v, offsets, end, velocity * kappa, KIND, FULL)
    return deviation * deviation


@triton.jit
def coast(
    x,
    v,
    a,
    start,
    end,
    kappa,
    moves,
    seed,
    step,
    draw,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    AVERAGE: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The prediction of a chunk; returns its |a - x|^2 from before."""
    whole = start + (end - start) // BLOCK * BLOCK
    sums = tl.zeros([BLOCK], WIDE)
    for at in range(start, whole, BLOCK):
        sums += _advance(x, v, a, at, end, kappa, moves, seed, step, draw, KIND, WIDE, AVERAGE, SCATTERS, BLOCK, True)
    if whole < end:
        sums += _advance(
            x, v, a, whole, end, kappa, moves, seed, step, draw, KIND, WIDE, AVERAGE, SCATTERS, BLOCK, False
        )
    return tl.sum(sums, 0).to(tl.float64)


@triton.jit(do_not_specialize=["seed", "tensors", "count", "first"])
def advance(
    addresses,
    chunks,
    moving,
    free,
    places,
    constants,
    partials,
    state,
    seed,
    tensors,
    count,
    first,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    AVERAGE: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """x <- x + v, v <- kappa v; and |a - x|^2 before it, with ``AVERAGE`` 2 after a has taken x up.

    ``moving``, ``free``: 1 for each tensor that moves, and that is not frozen.
    """
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    place = tl.load(places + tensor)
    draw = tl.load(places + tensors + tensor)
    moves = tl.load(moving + place) * tl.load(free + place)
    kappa = tl.load(constants).to(WIDE)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    a = v
    if AVERAGE > 0:
        a = memory_of(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
    step = step_of(state)
    deviation = coast(x, v, a, start, end, kappa, moves, seed, step, draw, KIND, WIDE, AVERAGE, SCATTERS, BLOCK)
    if AVERAGE > 0:
        tl.store(partials + among_all(chunks, program, count), deviation)
