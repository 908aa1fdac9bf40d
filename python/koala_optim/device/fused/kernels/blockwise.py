"""The filter of KOALA-V and KOALA-M."""

import triton
import triton.language as tl

from .filter import (
    AGAIN,
    APART,
    BOUND,
    CLAMPED_NOW,
    FIRST_LOSS,
    GRADIENT,
    GROUP,
    LINES,
    MEASURED,
    NOISE,
    OWN,
    PLACE,
    SHRINKING,
    VANISHING,
    copy_numbers,
    deviation_of,
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
)


@triton.jit(do_not_specialize=["tensors", "chunks", "all_tensors", "deviating", "count", "predicting"])
def blockwise(
    partials,
    deviations,
    spans,
    traits,
    state,
    transition,
    futures,
    constants,
    gains,
    of_loss,
    of_norm,
    of_found,
    record,
    table,
    moving,
    tensors,
    chunks,
    all_tensors,
    deviating,
    count,
    predicting,
    SIZE: tl.constexpr,
    PADDED: tl.constexpr,
    ROWS: tl.constexpr,
    GROUPS: tl.constexpr,
    RULE: tl.constexpr,
    KIND: tl.constexpr,
    MOMENTUM: tl.constexpr,
    AVERAGE: tl.constexpr,
    DECAY: tl.constexpr,
    SPLIT: tl.constexpr,
    SHRINKS: tl.constexpr,
    CLAMP: tl.constexpr,
    BOUNDED: tl.constexpr,
    WHOLE: tl.constexpr,
    COASTS: tl.constexpr,
    FOUND: tl.constexpr,
):
    """KOALA-V and KOALA-M. ``moving``: which tensors the next prediction moves, unless it is all (``COASTS``)."""
    if predicting > 0:
        deviation = 0.0
        if MOMENTUM and AVERAGE > 0:
            deviation = deviation_of(deviations, deviating, state, OWN + 5, AVERAGE)
        if MOMENTUM:
            predict_numbers(state, transition, futures, deviation, SIZE, PADDED, ROWS, OWN + 5)
        else:
            predict_numbers(state, transition, futures, deviation, SIZE, PADDED, ROWS, -1)
    samples = count.to(tl.float64)
    loss = tl.load(of_loss)
    norm = tl.load(of_norm)
    found = samples * 0.0
    if FOUND:
        found = tl.load(of_found).to(tl.float64)
    vanishing = tl.load(constants + VANISHING)
    extras = 0
    if not COASTS:
        extras = all_tensors
        copy_numbers(moving, record + SIZE, all_tensors)
    sums = record + SIZE + extras + GROUPS + 3

    # First over the tensors: their sums, and the largest of them.
    check = tl.zeros([LINES], tl.float64)
    of_g = tl.zeros([LINES], tl.float64)
    of_h = tl.zeros([LINES], tl.float64)
    of_x = tl.zeros([LINES], tl.float64)
    largest = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        g2 = over_chunks(partials, spans, tensors, lines, live)
        h2 = g2
        tl.store(sums + lines, g2, mask=live)
        check += g2
        if DECAY:
            h2 = over_chunks(partials + chunks, spans, tensors, lines, live)
            x2 = over_chunks(partials + 2 * chunks, spans, tensors, lines, live)
            tl.store(sums + tensors + lines, h2, mask=live)
            tl.store(sums + 2 * tensors + lines, x2, mask=live)
            check += h2 + x2
            of_x += 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
        of_g += g2
        of_h += h2
        largest = tl.where((g2 >= vanishing) & (h2 > largest), h2, largest)
    tl.debug_barrier()
    whole_g = tl.sum(of_g, 0)
    whole_h = tl.sum(of_h, 0)
    whole_x = tl.sum(of_x, 0)
    gradient = tl.max(largest, 0)
    if WHOLE:
        gradient = tl.where(whole_g >= vanishing, whole_h, 0.0)

    # The numbers after the measurement.
    target = target_of(futures, loss, constants, SIZE, RULE)
    moment = moment_of(loss, norm, samples, target, RULE)
    r = noise_of(futures, moment, constants, SIZE, KIND)
    ok = is_finite(tl.sum(check, 0)) & is_finite(r) & is_finite(moment) & is_finite(loss) & (found == 0.0)
    p11 = tl.load(futures + OWN)
    s = p11 * gradient + r
    columns = tl.arange(0, PADDED)
    inside = columns < SIZE
    after = tl.load(futures + SIZE + columns, mask=inside, other=0.0)
    missing = tl.load(futures + 2 * SIZE + columns, mask=inside, other=0.0)
    after = tl.where((columns == NOISE) | (columns == AGAIN), r, after)
    if RULE == 3:
        after = tl.where(columns == SIZE + FIRST_LOSS, first_of(futures, loss, SIZE), after)
    after = tl.where(columns == GRADIENT, gradient, after)
    after = tl.where(columns == OWN, p11 * (r / s), after)
    p12 = p11 * 0.0
    if MOMENTUM:
        p12 = tl.load(futures + OWN + 1)
        p22 = tl.load(futures + OWN + 3)
        lost = p12 * (gradient / s)
        p22 = p22 - p12 * lost
        after = tl.where(columns == OWN + 1, p12 * (r / s), after)
        # Where nothing is left of it, rounding may leave less.
        after = tl.where(columns == OWN + 3, tl.where(p22 < 0.0, 0.0, p22), after)
    below = residual_of(loss, p11 * 0.0, target, RULE) < 0.0

    if not COASTS:
        # What had a gradient moves, of which the loop below tells, and nothing else; if the measurement is missing, what did.
        tl.debug_barrier()
        for base in range(0, all_tensors, 128):
            places = base + tl.arange(0, 128)
            tl.store(moving + places, places * 0.0, mask=(places < all_tensors) & each(ok, places))
        tl.debug_barrier()

    # Then the steps.
    squares = tl.zeros([LINES], tl.float64)
    clamped = tl.zeros([LINES], tl.int32)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        g2 = tl.load(sums + lines, mask=live, other=0.0)
        h2 = g2
        penalty = g2 * 0.0
        if DECAY:
            h2 = tl.load(sums + tensors + lines, mask=live, other=0.0)
            x2 = tl.load(sums + 2 * tensors + lines, mask=live, other=0.0)
            penalty = 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
        along = h2
        if SPLIT:
            along = tl.where(tl.load(traits + APART * tensors + lines, mask=live, other=0.0) > 0.0, g2, h2)
        if WHOLE:
            g2 = g2 * 0.0 + whole_g
            h2 = h2 * 0.0 + whole_h
            penalty = penalty * 0.0 + whole_x
        use = (g2 >= vanishing) & each(ok, lines) & live
        residual = residual_of(loss, penalty, target, RULE)
        if CLAMP:
            clamped = tl.where(use & (residual < 0.0), 1, clamped)
            residual = tl.where(residual < 0.0, 0.0, residual)
        group = tl.load(spans + GROUP * tensors + lines, mask=live, other=0)
        gain = tl.load(gains + group, mask=live, other=0.0)
        scale = residual * gain
        variance = p11 * h2 + r
        step = representable(p11 * scale / variance)
        squares += tl.where(use, step * step * along, 0.0)
        shrinkage = 1.0 + gain * tl.load(traits + SHRINKING * tensors + lines, mask=live, other=0.0)
        tl.store(table + lines, tl.where(use, 1.0, 0.0), mask=live)
        if not COASTS:
            place = tl.load(spans + PLACE * tensors + lines, mask=live, other=0)
            tl.store(moving + place, lines * 0.0 + 1.0, mask=use)
        tl.store(table + tensors + lines, step, mask=live)
        tl.store(table + 2 * tensors + lines, representable(p12 * scale / variance), mask=live)
        tl.store(table + 3 * tensors + lines, shrinkage, mask=live)
    if BOUNDED:
        factor = tl.load(constants + BOUND) / tl.sqrt(tl.sum(squares, 0))
        factor = tl.where(factor < 1.0, factor, 1.0)
        tl.debug_barrier()
        for base in range(0, 2 * tensors, 128):
            places = base + tl.arange(0, 128)
            steps = tl.load(table + tensors + places, mask=places < 2 * tensors, other=0.0)
            tl.store(table + tensors + places, steps * factor, mask=places < 2 * tensors)
    now = tl.where(below, 1.0, 0.0)
    if DECAY:
        now = tl.max(clamped, 0).to(tl.float64)
    if CLAMP:
        after = tl.where(columns == CLAMPED_NOW, now, after)
    tell(record, futures, gains, loss, norm, found, samples, (3 if DECAY else 1) * tensors, extras, SIZE, GROUPS)
    tl.store(state + columns, tl.where(each(ok, columns), after, missing), mask=inside)
