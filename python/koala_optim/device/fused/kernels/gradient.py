"""The sums of KOALA-V and KOALA-M over tensors, and their steps."""

import triton
import triton.language as tl

from .memory import (
    DIRECTED,
    FIRST,
    GRADIENT,
    MEASURED,
    PARAMETER,
    SECOND,
    among_all,
    chunk_of,
    load,
    memory_of,
    places_of,
    store,
)
from .motion import coast
from .rounding import PREDICTION, UPDATE, narrow, settle, step_of


@triton.jit
def _square(
    x,
    g,
    at,
    end,
    decay,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    gradient = load(g, offsets, end, WIDE, FULL)
    if DECAY:
        position = load(x, offsets, end, WIDE, FULL)
        h = gradient + decay * position
        return gradient * gradient, h * h, position * position
    else:
        return gradient * gradient, gradient, gradient


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def reduce(
    addresses,
    chunks,
    traits,
    partials,
    tensors,
    count,
    first,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """Rows |g|^2 and, with decay, |h|^2 and |x|^2."""
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    whole = start + (end - start) // BLOCK * BLOCK
    g2 = tl.zeros([BLOCK], WIDE)
    h2 = tl.zeros([BLOCK], WIDE)
    x2 = tl.zeros([BLOCK], WIDE)
    for at in range(start, whole, BLOCK):
        of_g, of_h, of_x = _square(x, g, at, end, decay, KIND, OF_G, WIDE, DECAY, BLOCK, True)
        g2 += of_g
        if DECAY:
            h2 += of_h
            x2 += of_x
    if whole < end:
        of_g, of_h, of_x = _square(x, g, whole, end, decay, KIND, OF_G, WIDE, DECAY, BLOCK, False)
        g2 += of_g
        if DECAY:
            h2 += of_h
            x2 += of_x
    tl.store(partials + program, tl.sum(g2, 0).to(tl.float64))
    if DECAY:
        tl.store(partials + count + program, tl.sum(h2, 0).to(tl.float64))
        tl.store(partials + 2 * count + program, tl.sum(x2, 0).to(tl.float64))


# The steps of KOALA-V and KOALA-M. Rows of their table: whether the tensor moves, and what its direction is multiplied by
# for x and for v; what x is multiplied by afterwards.


@triton.jit
def _displace(
    x,
    g,
    v,
    a,
    at,
    end,
    decay,
    along,
    velocity,
    shrinkage,
    kappa,
    moves,
    seed,
    step,
    draw,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    MOMENTUM: tl.constexpr,
    AVERAGE: tl.constexpr,
    STAYS: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    h = load(g, offsets, end, WIDE, FULL)
    position = load(x, offsets, end, WIDE, FULL)
    if DECAY:
        h += decay * position
    moved = position + along * h
    if SHRINKS:
        moved *= shrinkage
    # What follows is of x and v as they are stored, or would be.
    moved = settle(moved, seed, step, draw, at, UPDATE, KIND, WIDE, SCATTERS, BLOCK)
    speed = moved
    deviation = tl.zeros([BLOCK], WIDE)
    if MOMENTUM:
        speed = narrow(load(v, offsets, end, WIDE, FULL) + velocity * h, KIND).to(WIDE)
        if AVERAGE == 1 or (AVERAGE == 2 and STAYS):
            average = narrow(load(a, offsets, end, WIDE, FULL) * 0.9 + moved * 0.1, KIND).to(WIDE)
            store(a, offsets, end, average, KIND, FULL)
            deviation = average - moved
    if STAYS:
        if moves > 0.0:
            moved = settle(moved + speed, seed, step, draw, at, PREDICTION, KIND, WIDE, SCATTERS, BLOCK)
            speed *= kappa
    store(x, offsets, end, moved, KIND, FULL)
    if MOMENTUM:
        store(v, offsets, end, speed, KIND, FULL)
    return deviation * deviation


@triton.jit(do_not_specialize=["seed", "tensors", "count", "first"])
def displace(
    addresses,
    chunks,
    traits,
    table,
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
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    MOMENTUM: tl.constexpr,
    AVERAGE: tl.constexpr,
    STAYS: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """x <- shrinkage (x + along h), v <- v + velocity h, a <- 0.9 a + 0.1 x, where the tensor moves.

    With ``STAYS`` the next prediction is done with it, also where the tensor does not move; |a - x|^2 of between goes to
    ``partials``.
    """
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    v = x
    a = x
    if MOMENTUM:
        v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
        if AVERAGE > 0:
            a = memory_of(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
    kappa = tl.load(constants).to(WIDE)
    place = tl.load(places + tensor)
    step = step_of(state)
    draw = tl.load(places + tensors + tensor)
    moves = kappa * 0.0
    if STAYS:
        moves = (tl.load(moving + place) * tl.load(free + place)).to(WIDE)
    if tl.load(table + tensor) > 0.0:
        along = tl.load(table + tensors + tensor).to(WIDE)
        velocity = tl.load(table + 2 * tensors + tensor).to(WIDE)
        shrinkage = tl.load(table + 3 * tensors + tensor).to(WIDE)
        decay = tl.load(traits + DIRECTED * tensors + tensor).to(WIDE)
        g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
        whole = start + (end - start) // BLOCK * BLOCK
        sums = tl.zeros([BLOCK], WIDE)
        for at in range(start, whole, BLOCK):
            sums += _displace(
                x,
                g,
                v,
                a,
                at,
                end,
                decay,
                along,
                velocity,
                shrinkage,
                kappa,
                moves,
                seed,
                step,
                draw,
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                MOMENTUM,
                AVERAGE,
                STAYS,
                SCATTERS,
                BLOCK,
                True,
            )
        if whole < end:
            sums += _displace(
                x,
                g,
                v,
                a,
                whole,
                end,
                decay,
                along,
                velocity,
                shrinkage,
                kappa,
                moves,
                seed,
                step,
                draw,
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                MOMENTUM,
                AVERAGE,
                STAYS,
                SCATTERS,
                BLOCK,
                False,
            )
        if STAYS and AVERAGE > 0:
            tl.store(partials + among_all(chunks, program, count), tl.sum(sums, 0).to(tl.float64))
    elif STAYS:
        deviation = coast(x, v, a, start, end, kappa, moves, seed, step, draw, KIND, WIDE, AVERAGE, SCATTERS, BLOCK)
        if AVERAGE > 0:
            tl.store(partials + among_all(chunks, program, count), deviation)
