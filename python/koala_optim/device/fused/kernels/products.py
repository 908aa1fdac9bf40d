"""KOALA++ over tensors: the products with v' and H', and its steps.

Rows of their table: whether the tensor moves, what the direction is multiplied by for x, the coefficients of v', h and H' in
v, and what x is multiplied by afterwards.
"""

import triton
import triton.language as tl

from .filter import REACH
from .memory import DIRECTED, FIRST, GRADIENT, MEASURED, PARAMETER, SECOND, chunk_of, load, memory_of, places_of, store
from .rounding import UPDATE, settle, step_of


@triton.jit
def _products(
    x,
    g,
    v,
    p,
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
    h = gradient
    position = gradient
    if DECAY:
        position = load(x, offsets, end, WIDE, FULL)
        h = gradient + decay * position
    covariance = load(v, offsets, end, WIDE, FULL)
    previous = load(p, offsets, end, WIDE, FULL)
    return gradient, h, position, covariance, previous


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def products(
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
    """Rows |g|^2, |h|^2, |x|^2, h.H', |H'|^2, h.v', H'.v', |v'|^2."""
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    p = memory_of(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
    whole = start + (end - start) // BLOCK * BLOCK
    gg = tl.zeros([BLOCK], WIDE)
    hh = tl.zeros([BLOCK], WIDE)
    xx = tl.zeros([BLOCK], WIDE)
    hp = tl.zeros([BLOCK], WIDE)
    pp = tl.zeros([BLOCK], WIDE)
    hv = tl.zeros([BLOCK], WIDE)
    pv = tl.zeros([BLOCK], WIDE)
    vv = tl.zeros([BLOCK], WIDE)
    for at in range(start, whole, BLOCK):
        of_g, of_h, of_x, of_v, of_p = _products(x, g, v, p, at, end, decay, KIND, OF_G, WIDE, DECAY, BLOCK, True)
        hh += of_h * of_h
        hp += of_h * of_p
        pp += of_p * of_p
        hv += of_h * of_v
        pv += of_p * of_v
        vv += of_v * of_v
        if DECAY:
            gg += of_g * of_g
            xx += of_x * of_x
    if whole < end:
        of_g, of_h, of_x, of_v, of_p = _products(x, g, v, p, whole, end, decay, KIND, OF_G, WIDE, DECAY, BLOCK, False)
        hh += of_h * of_h
        hp += of_h * of_p
        pp += of_p * of_p
        hv += of_h * of_v
        pv += of_p * of_v
        vv += of_v * of_v
        if DECAY:
            gg += of_g * of_g
            xx += of_x * of_x
    if not DECAY:
        gg = hh
    tl.store(partials + program, tl.sum(gg, 0).to(tl.float64))
    tl.store(partials + count + program, tl.sum(hh, 0).to(tl.float64))
    tl.store(partials + 2 * count + program, tl.sum(xx, 0).to(tl.float64))
    tl.store(partials + 3 * count + program, tl.sum(hp, 0).to(tl.float64))
    tl.store(partials + 4 * count + program, tl.sum(pp, 0).to(tl.float64))
    tl.store(partials + 5 * count + program, tl.sum(hv, 0).to(tl.float64))
    tl.store(partials + 6 * count + program, tl.sum(pv, 0).to(tl.float64))
    tl.store(partials + 7 * count + program, tl.sum(vv, 0).to(tl.float64))


@triton.jit
def _turn(
    x,
    g,
    v,
    p,
    at,
    end,
    decay,
    along,
    a,
    b,
    c,
    q,
    shrinkage,
    seed,
    step,
    draw,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = places_of(at, BLOCK)
    h = load(g, offsets, end, WIDE, FULL)
    position = load(x, offsets, end, WIDE, FULL)
    if DECAY:
        h += decay * position
    covariance = b * h
    # What stands in v' and H' of a block that begins is not to be read.
    if a != 0.0:
        covariance += a * load(v, offsets, end, WIDE, FULL)
    if c != 0.0:
        covariance += c * load(p, offsets, end, WIDE, FULL)
    moved = position + along * (covariance + q * h)
    if SHRINKS:
        moved *= shrinkage
    moved = settle(moved, seed, step, draw, at, UPDATE, KIND, WIDE, SCATTERS, BLOCK)
    store(x, offsets, end, moved, KIND, FULL)
    store(v, offsets, end, covariance, KIND, FULL)
    store(p, offsets, end, h, KIND, FULL)


@triton.jit(do_not_specialize=["seed", "tensors", "count", "first"])
def turn(
    addresses,
    chunks,
    traits,
    table,
    constants,
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
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """v <- a v' + b h + c H', x <- shrinkage (x + along (v + Q h)), H' <- h, where the tensor moves."""
    program, tensor, start, end = chunk_of(chunks, first, count, BLOCK)
    if tl.load(table + tensor) > 0.0:
        along = tl.load(table + tensors + tensor).to(WIDE)
        a = tl.load(table + 2 * tensors + tensor).to(WIDE)
        b = tl.load(table + 3 * tensors + tensor).to(WIDE)
        c = tl.load(table + 4 * tensors + tensor).to(WIDE)
        shrinkage = tl.load(table + 5 * tensors + tensor).to(WIDE)
        decay = tl.load(traits + DIRECTED * tensors + tensor).to(WIDE)
        q = tl.load(constants + OTHER)
        # Out of reach no tensor moves, and no type may have such a number.
        q = tl.where(q > REACH, 0.0, q).to(WIDE)
        step = step_of(state)
        draw = tl.load(places + tensors + tensor)
        x = memory_of(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
        g = memory_of(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
        v = memory_of(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
        p = memory_of(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
        whole = start + (end - start) // BLOCK * BLOCK
        for at in range(start, whole, BLOCK):
            _turn(
                x,
                g,
                v,
                p,
                at,
                end,
                decay,
                along,
                a,
                b,
                c,
                q,
                shrinkage,
                seed,
                step,
                draw,
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                SCATTERS,
                BLOCK,
                True,
            )
        if whole < end:
            _turn(
                x,
                g,
                v,
                p,
                whole,
                end,
                decay,
                along,
                a,
                b,
                c,
                q,
                shrinkage,
                seed,
                step,
                draw,
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                SCATTERS,
                BLOCK,
                False,
            )
