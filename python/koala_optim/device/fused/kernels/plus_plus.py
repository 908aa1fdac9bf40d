"""The filter of KOALA++. Constants of its own: Q and sigma."""

import triton
import triton.language as tl

from .filter import (
    AGAIN,
    BOUND,
    CLAMPED_NOW,
    FIRST_LOSS,
    GROUP,
    INFINITE,
    LINES,
    MEASURED,
    NOISE,
    OTHERS,
    PLACE,
    REACH,
    SHRINKING,
    VANISHING,
    copy_numbers,
    each,
    first_of,
    is_finite,
    moment_of,
    noise_of,
    over_chunks,
    predict_numbers,
    representable,
    residual_of,
    target_of,
    tell,
    total,
)


@triton.jit
def within_reach(coefficient, square):
    """Whether a coefficient times a vector of this squared norm may be part of v; not, if either is no number."""
    return (tl.abs(coefficient) <= REACH) & (coefficient * coefficient * square <= REACH * REACH)


@triton.jit(do_not_specialize=["tensors", "chunks", "blocks", "count", "predicting"])
def plus_plus(
    partials,
    spans,
    traits,
    state,
    transition,
    futures,
    variances,
    constants,
    gains,
    of_loss,
    of_norm,
    of_found,
    record,
    table,
    tensors,
    chunks,
    blocks,
    count,
    predicting,
    SIZE: tl.constexpr,
    PADDED: tl.constexpr,
    ROWS: tl.constexpr,
    GROUPS: tl.constexpr,
    RULE: tl.constexpr,
    KIND: tl.constexpr,
    SYMMETRIC: tl.constexpr,
    DECAY: tl.constexpr,
    CLAMP: tl.constexpr,
    BOUNDED: tl.constexpr,
    WHOLE: tl.constexpr,
    FOUND: tl.constexpr,
):
    """KOALA++."""
    if predicting > 0:
        predict_numbers(state, transition, futures, 0.0, SIZE, PADDED, ROWS, -1)
    samples = count.to(tl.float64)
    loss = tl.load(of_loss)
    norm = tl.load(of_norm)
    found = samples * 0.0
    if FOUND:
        found = tl.load(of_found).to(tl.float64)
    vanishing = tl.load(constants + VANISHING)
    q = tl.load(constants + OTHERS)
    sigma = tl.load(constants + OTHERS + 1)
    copy_numbers(variances, record + SIZE, blocks)
    tell(record, futures, gains, loss, norm, found, samples, 8 * tensors, blocks, SIZE, GROUPS)
    sums = record + SIZE + blocks + GROUPS + 3

    check = tl.zeros([LINES], tl.float64)
    of_x = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        for row in range(0, 8):
            found_sums = over_chunks(partials + row * chunks, spans, tensors, lines, live)
            tl.store(sums + row * tensors + lines, found_sums, mask=live)
            if row < 3:
                check += found_sums
        if DECAY:
            x2 = over_chunks(partials + 2 * chunks, spans, tensors, lines, live)
            of_x += 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
    tl.debug_barrier()
    whole_x = tl.sum(of_x, 0)
    target = target_of(futures, loss, constants, SIZE, RULE)
    moment = moment_of(loss, norm, samples, target, RULE)
    r = noise_of(futures, moment, constants, SIZE, KIND)
    ok = is_finite(tl.sum(check, 0)) & is_finite(r) & is_finite(moment) & is_finite(loss) & (found == 0.0)
    below = residual_of(loss, r * 0.0, target, RULE) < 0.0
    whole_g = r * 0.0
    whole_h = whole_g
    whole_hp = whole_g
    whole_pp = whole_g
    whole_hv = whole_g
    whole_pv = whole_g
    whole_vv = whole_g
    if WHOLE:
        whole_g = total(sums, tensors)
        whole_h = total(sums + tensors, tensors)
        whole_hp = total(sums + 3 * tensors, tensors)
        whole_pp = total(sums + 4 * tensors, tensors)
        whole_hv = total(sums + 5 * tensors, tensors)
        whole_pv = total(sums + 6 * tensors, tensors)
        whole_vv = total(sums + 7 * tensors, tensors)

    squares = tl.zeros([LINES], tl.float64)
    clamped = tl.zeros([LINES], tl.int32)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        g2 = tl.load(sums + lines, mask=live, other=0.0)
        h2 = tl.load(sums + tensors + lines, mask=live, other=0.0)
        x2 = tl.load(sums + 2 * tensors + lines, mask=live, other=0.0)
        hp = tl.load(sums + 3 * tensors + lines, mask=live, other=0.0)
        pp = tl.load(sums + 4 * tensors + lines, mask=live, other=0.0)
        hv = tl.load(sums + 5 * tensors + lines, mask=live, other=0.0)
        pv = tl.load(sums + 6 * tensors + lines, mask=live, other=0.0)
        vv = tl.load(sums + 7 * tensors + lines, mask=live, other=0.0)
        own_h2, own_hp, own_pp, own_hv, own_pv, own_vv = h2, hp, pp, hv, pv, vv
        penalty = 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
        place = tl.load(spans + PLACE * tensors + lines, mask=live, other=0)
        if WHOLE:
            none = h2 * 0.0
            g2, h2, hp, pp, hv, pv, vv = (
                none + whole_g,
                none + whole_h,
                none + whole_hp,
                none + whole_pp,
                none + whole_hv,
                none + whole_pv,
                none + whole_vv,
            )
            penalty = none + whole_x
            place = place * 0
        previous = tl.load(variances + place, mask=live, other=0.0)
        use = (g2 >= vanishing) & each(ok, lines) & live
        # v = (alpha - lambda) v' + Q H + (rho - Q lambda) H'
        alpha = hp / pp
        lam = (hv + q * hp) / previous
        rho = hv * 0.0
        if SYMMETRIC:
            rho = (hv - alpha * pv) / pp
        a = alpha - lam
        c = rho - q * lam
        variance = a * hv + q * h2 + c * hp + q * h2 + r
        continued = (previous >= 0.0) & (variance > 0.0) & (variance < INFINITE)
        continued = continued & within_reach(a, vv) & within_reach(c, pp) & within_reach(h2 * 0.0 + q, h2)
        begun = (sigma + q) * (r / ((sigma + q) * h2 + r))
        started = (begun + q) * h2 + r
        # A variance that is stored has to be a number.
        started = tl.where(started < INFINITE, started, 1.7976931348623157e308)
        variance = tl.where(continued, variance, started)
        # Where not even the first step is within reach, the block stands still.
        reached = continued | within_reach(begun + q, h2)
        a = tl.where(continued, a, 0.0)
        b = tl.where(continued, q, tl.where(reached, begun, 0.0))
        c = tl.where(continued, c, 0.0)
        residual = residual_of(loss, penalty, target, RULE)
        if CLAMP:
            clamped = tl.where(use & (residual < 0.0), 1, clamped)
            residual = tl.where(residual < 0.0, 0.0, residual)
        gain = tl.load(gains + tl.load(spans + GROUP * tensors + lines, mask=live, other=0), mask=live, other=0.0)
        step = tl.where(reached, representable(residual * gain / variance), 0.0)
        d = b + q
        length = (
            a * a * own_vv + d * d * own_h2 + c * c * own_pp + 2.0 * (a * d * own_hv + a * c * own_pv + d * c * own_hp)
        )
        squares += tl.where(use & (length > 0.0), step * step * length, 0.0)
        tl.store(table + lines, tl.where(use, 1.0, 0.0), mask=live)
        tl.store(table + tensors + lines, step, mask=live)
        tl.store(table + 2 * tensors + lines, a, mask=live)
        tl.store(table + 3 * tensors + lines, b, mask=live)
        tl.store(table + 4 * tensors + lines, c, mask=live)
        shrinkage = 1.0 + gain * tl.load(traits + SHRINKING * tensors + lines, mask=live, other=0.0)
        tl.store(table + 5 * tensors + lines, shrinkage, mask=live)
        # Stored when all have read it.
        tl.debug_barrier()
        if not WHOLE:
            tl.store(variances + place, variance, mask=use)
        elif base + LINES >= tensors:
            tl.store(variances + place, variance, mask=use & (lines == base))
    if BOUNDED:
        factor = tl.load(constants + BOUND) / tl.sqrt(tl.sum(squares, 0))
        factor = tl.where(factor < 1.0, factor, 1.0)
        tl.debug_barrier()
        for base in range(0, tensors, 128):
            places = base + tl.arange(0, 128)
            steps = tl.load(table + tensors + places, mask=places < tensors, other=0.0)
            tl.store(table + tensors + places, steps * factor, mask=places < tensors)
    columns = tl.arange(0, PADDED)
    inside = columns < SIZE
    after = tl.load(futures + SIZE + columns, mask=inside, other=0.0)
    missing = tl.load(futures + 2 * SIZE + columns, mask=inside, other=0.0)
    after = tl.where((columns == NOISE) | (columns == AGAIN), r, after)
    if RULE == 3:
        after = tl.where(columns == SIZE + FIRST_LOSS, first_of(futures, loss, SIZE), after)
    now = tl.where(below, 1.0, 0.0)
    if DECAY:
        now = tl.max(clamped, 0).to(tl.float64)
    if CLAMP:
        after = tl.where(columns == CLAMPED_NOW, now, after)
    tl.store(state + columns, tl.where(each(ok, columns), after, missing), mask=inside)
