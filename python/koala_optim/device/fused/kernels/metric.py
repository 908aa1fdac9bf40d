"""KOALA-A over tensors: a first reading for the largest second moment, a second in its metric, and the steps.

Second moment and mean are kept in WIDE. Rows of the table: as of KOALA-M. ``metric`` has the floor, and behind it each
tensor's correction.
"""

import triton
import triton.language as tl

from .memory import (
    DIRECTED,
    FIRST,
    GRADIENT,
    MEASURED,
    PARAMETER,
    SECOND,
    THIRD,
    chunk_of,
    load,
    memory_of,
    places_of,
    store,
)
from .motion import coast
from .rounding import PREDICTION, UPDATE, narrow, settle, step_of


@triton.jit
def _moments(
    x,
    g,
    s,
    at,
    end,
    decay,
    beta,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    DIAGONAL: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    gradient = load(g, offsets, end, WIDE, FULL)
    h = gradient
    position = gradient
    if DECAY:
        position = load(x, offsets, end, WIDE, FULL)
        h = gradient + decay * position
    second = h
    if DIAGONAL:
        second = beta * load(s, offsets, end, WIDE, FULL) + (1.0 - beta) * h * h
    return gradient, h, position, second


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def moments(
    addresses,
    chunks,
    traits,
    partials,
    constants,
    tensors,
    count,
    first,
    OTHER: tl.constexpr,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    DIAGONAL: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """Rows |g|^2, |h|^2, |x|^2 and the largest s of this step, not corrected; without a metric, v.h and |v|^2 in rows 8, 9."""
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    beta = tl.load(constants + OTHER).to(WIDE)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    s = memory_of(addresses, SECOND, tensors, tensor, WIDE, ALIGNED)
    whole = start + (end - start) // BLOCK * BLOCK
    gg = tl.zeros([BLOCK], WIDE)
    hh = tl.zeros([BLOCK], WIDE)
    xx = tl.zeros([BLOCK], WIDE)
    vh = tl.zeros([BLOCK], WIDE)
    vv = tl.zeros([BLOCK], WIDE)
    largest = tl.zeros([BLOCK], WIDE)
    for at in range(start, whole, BLOCK):
        of_g, of_h, of_x, of_s = _moments(x, g, s, at, end, decay, beta, KIND, OF_G, WIDE, DECAY, DIAGONAL, BLOCK, True)
        hh += of_h * of_h
        if DECAY:
            gg += of_g * of_g
            xx += of_x * of_x
        if DIAGONAL:
            largest = tl.maximum(largest, of_s)
        else:
            of_v = load(v, places_of(at, BLOCK), end, WIDE, True)
            vh += of_v * of_h
            vv += of_v * of_v
    if whole < end:
        of_g, of_h, of_x, of_s = _moments(
            x, g, s, whole, end, decay, beta, KIND, OF_G, WIDE, DECAY, DIAGONAL, BLOCK, False
        )
        hh += of_h * of_h
        if DECAY:
            gg += of_g * of_g
            xx += of_x * of_x
        if DIAGONAL:
            largest = tl.maximum(largest, of_s)
        else:
            of_v = load(v, places_of(whole, BLOCK), end, WIDE, False)
            vh += of_v * of_h
            vv += of_v * of_v
    if not DECAY:
        gg = hh
    tl.store(partials + program, tl.sum(gg, 0).to(tl.float64))
    tl.store(partials + count + program, tl.sum(hh, 0).to(tl.float64))
    tl.store(partials + 2 * count + program, tl.sum(xx, 0).to(tl.float64))
    if DIAGONAL:
        tl.store(partials + 3 * count + program, tl.max(largest, 0).to(tl.float64))
    else:
        tl.store(partials + 8 * count + program, tl.sum(vh, 0).to(tl.float64))
        tl.store(partials + 9 * count + program, tl.sum(vv, 0).to(tl.float64))


@triton.jit
def _weighed(
    x,
    g,
    v,
    s,
    at,
    end,
    decay,
    beta,
    correction,
    floor,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    _, h, _, second = _moments(x, g, s, at, end, decay, beta, KIND, OF_G, WIDE, DECAY, True, BLOCK, FULL)
    second = second * correction
    denominator = tl.sqrt(second) + floor
    return h, load(v, offsets, end, WIDE, FULL), second, denominator


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def weigh(
    addresses,
    chunks,
    traits,
    partials,
    constants,
    metric,
    tensors,
    count,
    first,
    OTHER: tl.constexpr,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """Rows 4 to 9: the sums of s^, s^/D, h^2/D, h^2/D^2, v.h and v^2 D."""
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    beta = tl.load(constants + OTHER).to(WIDE)
    floor = tl.load(metric).to(WIDE)
    correction = tl.load(metric + 1 + tensor).to(WIDE)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    s = memory_of(addresses, SECOND, tensors, tensor, WIDE, ALIGNED)
    whole = start + (end - start) // BLOCK * BLOCK
    ss = tl.zeros([BLOCK], WIDE)
    sd = tl.zeros([BLOCK], WIDE)
    hd = tl.zeros([BLOCK], WIDE)
    dd = tl.zeros([BLOCK], WIDE)
    vh = tl.zeros([BLOCK], WIDE)
    vd = tl.zeros([BLOCK], WIDE)
    for at in range(start, whole, BLOCK):
        h, of_v, second, denominator = _weighed(
            x, g, v, s, at, end, decay, beta, correction, floor, KIND, OF_G, WIDE, DECAY, BLOCK, True
        )
        direction = h / denominator
        ss += second
        sd += second / denominator
        hd += direction * h
        dd += direction * direction
        vh += of_v * h
        vd += of_v * of_v * denominator
    if whole < end:
        h, of_v, second, denominator = _weighed(
            x, g, v, s, whole, end, decay, beta, correction, floor, KIND, OF_G, WIDE, DECAY, BLOCK, False
        )
        direction = h / denominator
        ss += second
        sd += second / denominator
        hd += direction * h
        dd += direction * direction
        vh += of_v * h
        vd += of_v * of_v * denominator
    tl.store(partials + 4 * count + program, tl.sum(ss, 0).to(tl.float64))
    tl.store(partials + 5 * count + program, tl.sum(sd, 0).to(tl.float64))
    tl.store(partials + 6 * count + program, tl.sum(hd, 0).to(tl.float64))
    tl.store(partials + 7 * count + program, tl.sum(dd, 0).to(tl.float64))
    tl.store(partials + 8 * count + program, tl.sum(vh, 0).to(tl.float64))
    tl.store(partials + 9 * count + program, tl.sum(vd, 0).to(tl.float64))


@triton.jit
def _descend(
    x,
    g,
    v,
    s,
    m,
    at,
    end,
    decay,
    beta,
    correction,
    floor,
    along,
    velocity,
    shrinkage,
    weight,
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
    DIAGONAL: tl.constexpr,
    MEAN: tl.constexpr,
    STAYS: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    _, h, _, second = _moments(x, g, s, at, end, decay, beta, KIND, OF_G, WIDE, DECAY, DIAGONAL, BLOCK, FULL)
    position = load(x, offsets, end, WIDE, FULL)
    if DIAGONAL:
        store(s, offsets, end, second, WIDE, FULL)
        h = h / (tl.sqrt(second * correction) + floor)
    moved = position + along * h
    if SHRINKS:
        moved *= shrinkage
    # What follows is of x and v as they are stored, or would be.
    moved = settle(moved, seed, step, draw, at, UPDATE, KIND, WIDE, SCATTERS, BLOCK)
    speed = narrow(load(v, offsets, end, WIDE, FULL) + velocity * h, KIND).to(WIDE)
    if MEAN:
        mean = load(m, offsets, end, WIDE, FULL)
        store(m, offsets, end, mean + weight * (moved - mean), WIDE, FULL)
    if STAYS:
        if moves > 0.0:
            moved = settle(moved + speed, seed, step, draw, at, PREDICTION, KIND, WIDE, SCATTERS, BLOCK)
            speed *= kappa
    store(x, offsets, end, moved, KIND, FULL)
    store(v, offsets, end, speed, KIND, FULL)


@triton.jit(do_not_specialize=["seed", "tensors", "count", "first"])
def descend(
    addresses,
    chunks,
    traits,
    table,
    constants,
    metric,
    weights,
    moving,
    places,
    state,
    seed,
    tensors,
    count,
    first,
    OTHER: tl.constexpr,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    DIAGONAL: tl.constexpr,
    MEAN: tl.constexpr,
    STAYS: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """s, x <- shrinkage (x + along h / D), v <- v + velocity h / D, and the mean of x, where the tensor moves.

    With ``STAYS`` the next prediction is done with it, also where the tensor does not move.
    """
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    kappa = tl.load(constants).to(WIDE)
    place = tl.load(places + tensor)
    step = step_of(state)
    draw = tl.load(places + tensors + tensor)
    moves = kappa * 0.0
    if STAYS:
        moves = tl.load(moving + place).to(WIDE)
    if tl.load(table + tensor) > 0.0:
        along = tl.load(table + tensors + tensor).to(WIDE)
        velocity = tl.load(table + 2 * tensors + tensor).to(WIDE)
        shrinkage = tl.load(table + 3 * tensors + tensor).to(WIDE)
        decay = tl.load(traits + DIRECTED * tensors + tensor).to(WIDE)
        beta = tl.load(constants + OTHER).to(WIDE)
        floor = tl.load(metric).to(WIDE)
        correction = tl.load(metric + 1 + tensor).to(WIDE)
        weight = tl.load(weights + place).to(WIDE)
        g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
        s = memory_of(addresses, SECOND, tensors, tensor, WIDE, ALIGNED)
        m = memory_of(addresses, THIRD, tensors, tensor, WIDE, ALIGNED)
        whole = start + (end - start) // BLOCK * BLOCK
        for at in range(start, whole, BLOCK):
            _descend(
                x,
                g,
                v,
                s,
                m,
                at,
                end,
                decay,
                beta,
                correction,
                floor,
                along,
                velocity,
                shrinkage,
                weight,
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
                DIAGONAL,
                MEAN,
                STAYS,
                SCATTERS,
                BLOCK,
                True,
            )
        if whole < end:
            _descend(
                x,
                g,
                v,
                s,
                m,
                whole,
                end,
                decay,
                beta,
                correction,
                floor,
                along,
                velocity,
                shrinkage,
                weight,
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
                DIAGONAL,
                MEAN,
                STAYS,
                SCATTERS,
                BLOCK,
                False,
            )
    elif STAYS:
        coast(x, v, v, start, end, kappa, moves, seed, step, draw, KIND, WIDE, 0, SCATTERS, BLOCK)


@triton.jit
def _follow(x, m, at, end, weight, KIND: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr, FULL: tl.constexpr):
    offsets = places_of(at, BLOCK)
    mean = load(m, offsets, end, WIDE, FULL)
    store(m, offsets, end, mean + weight * (load(x, offsets, end, WIDE, FULL) - mean), WIDE, FULL)


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def follow(
    addresses,
    chunks,
    weights,
    places,
    tensors,
    count,
    first,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """The mean of tensors that stand still."""
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    weight = tl.load(weights + tl.load(places + tensor)).to(WIDE)
    if weight > 0.0:
        x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
        m = memory_of(addresses, THIRD, tensors, tensor, WIDE, ALIGNED)
        whole = start + (end - start) // BLOCK * BLOCK
        for at in range(start, whole, BLOCK):
            _follow(x, m, at, end, weight, KIND, WIDE, BLOCK, True)
        if whole < end:
            _follow(x, m, whole, end, weight, KIND, WIDE, BLOCK, False)
