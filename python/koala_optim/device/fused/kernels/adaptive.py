"""The filter of KOALA-A.

Constants of its own: beta of s and its logarithm, epsilon, the least floor, growth and decline, the horizon of the rates, beta
of rho and its logarithm, eta, the range of Q, and gamma^2.
"""

import triton
import triton.language as tl

from ...losses import MANY
from .filter import (
    AGAIN,
    BOUND,
    CHUNKS,
    CLAMPED_NOW,
    FIRST_CHUNK,
    FIRST_LOSS,
    GROUP,
    LEAST,
    LINES,
    MEASURED,
    NOISE,
    OTHERS,
    OWN,
    PLACE,
    SHRINKING,
    WIDTH,
    copy_numbers,
    each,
    first_of,
    is_finite,
    moment_of,
    noise_of,
    over_chunks,
    predict_numbers,
    quotient,
    representable,
    residual_of,
    target_of,
    tell,
)

NONE = tl.constexpr(MANY)


@triton.jit
def _power(log_base, exponent):
    """base^exponent for a base below 1, that may be 0."""
    return tl.exp(exponent * log_base)


@triton.jit(do_not_specialize=["tensors", "chunks"])
def find_floor(partials, spans, of_tensors, constants, metric, tensors, chunks):
    """The floor of the metric, and what corrects the second moment of each tensor."""
    log_beta = tl.load(constants + OTHERS + 1)
    largest = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        first = tl.load(spans + FIRST_CHUNK * tensors + lines, mask=live, other=0)
        count = tl.load(spans + CHUNKS * tensors + lines, mask=live, other=0)
        chunk = tl.arange(0, WIDTH)
        there = chunk[None, :] < count[:, None]
        second = tl.max(tl.load(partials + 3 * chunks + first[:, None] + chunk[None, :], mask=there, other=0.0), 1)
        updates = tl.load(
            of_tensors + tl.load(spans + PLACE * tensors + lines, mask=live, other=0), mask=live, other=0.0
        )
        correction = 1.0 / (1.0 - _power(log_beta, updates + 1.0))
        tl.store(metric + 1 + lines, correction, mask=live)
        largest = tl.maximum(largest, second * correction)
    most = tl.max(largest, 0)
    tl.store(metric, tl.load(constants + OTHERS + 2) * tl.sqrt(most) + tl.load(constants + OTHERS + 3))
    tl.store(metric + 1 + tensors, most)


@triton.jit(do_not_specialize=["tensors", "chunks", "all_tensors", "count", "predicting"])
def adaptive(
    partials,
    spans,
    traits,
    masks,
    state,
    transition,
    futures,
    of_tensors,
    constants,
    gains,
    of_loss,
    of_norm,
    of_found,
    record,
    table,
    metric,
    weights,
    tensors,
    chunks,
    all_tensors,
    count,
    predicting,
    SIZE: tl.constexpr,
    PADDED: tl.constexpr,
    ROWS: tl.constexpr,
    GROUPS: tl.constexpr,
    RULE: tl.constexpr,
    KIND: tl.constexpr,
    DIAGONAL: tl.constexpr,
    MEAN: tl.constexpr,
    DECAY: tl.constexpr,
    CLAMP: tl.constexpr,
    BOUNDED: tl.constexpr,
    FOUND: tl.constexpr,
):
    """KOALA-A. ``masks``: rows of which tensors take part, and which are frozen."""
    if predicting > 0:
        predict_numbers(state, transition, futures, 0.0, SIZE, PADDED, ROWS, -1)
    samples = count.to(tl.float64)
    loss = tl.load(of_loss)
    norm = tl.load(of_norm)
    found = samples * 0.0
    if FOUND:
        found = tl.load(of_found).to(tl.float64)
    copy_numbers(of_tensors, record + SIZE, 3 * all_tensors)
    tell(record, futures, gains, loss, norm, found, samples, 10 * tensors, 3 * all_tensors, SIZE, GROUPS)
    sums = record + SIZE + 3 * all_tensors + GROUPS + 3

    check = tl.zeros([LINES], tl.float64)
    of_x = tl.zeros([LINES], tl.float64)
    of_s = tl.zeros([LINES], tl.float64)
    of_sd = tl.zeros([LINES], tl.float64)
    of_h = tl.zeros([LINES], tl.float64)
    of_hd = tl.zeros([LINES], tl.float64)
    of_vh = tl.zeros([LINES], tl.float64)
    of_vd = tl.zeros([LINES], tl.float64)
    largest = samples * 0.0
    if DIAGONAL:
        largest = tl.load(metric + 1 + tensors)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        for row in range(0, 10):
            # Without a metric h^2/D and h^2/D^2 are h^2.
            source = row
            if not DIAGONAL:
                source = tl.where((row == 6) | (row == 7), 1, row)
            found_sums = over_chunks(partials + source * chunks, spans, tensors, lines, live)
            if row == 3:
                # No sum: one for all tensors.
                found_sums = found_sums * 0.0 + largest
            check += tl.abs(found_sums)
            tl.store(sums + row * tensors + lines, found_sums, mask=live)
    tl.debug_barrier()
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        x2 = tl.load(sums + 2 * tensors + lines, mask=live, other=0.0)
        of_x += 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
        of_h += tl.load(sums + tensors + lines, mask=live, other=0.0)
        of_s += tl.load(sums + 4 * tensors + lines, mask=live, other=0.0)
        of_sd += tl.load(sums + 5 * tensors + lines, mask=live, other=0.0)
        of_hd += tl.load(sums + 6 * tensors + lines, mask=live, other=0.0)
        of_vh += tl.load(sums + 8 * tensors + lines, mask=live, other=0.0)
        of_vd += tl.load(sums + 9 * tensors + lines, mask=live, other=0.0)
    target = target_of(futures, loss, constants, SIZE, RULE)
    moment = moment_of(loss, norm, samples, target, RULE)
    r = noise_of(futures, moment, constants, SIZE, KIND)
    ok = (
        is_finite(tl.sum(check, 0))
        & is_finite(r)
        & is_finite(moment)
        & is_finite(loss)
        & is_finite(largest)
        & (found == 0.0)
    )

    scale = samples * 0.0 + 1.0
    if DIAGONAL:
        scale = quotient(tl.sum(of_s, 0), tl.sum(of_sd, 0))
    gradient = scale * tl.sum(of_hd, 0)
    some = gradient > 0.0
    p11 = tl.load(futures + OWN)
    p12 = tl.load(futures + OWN + 1)
    p22 = tl.load(futures + OWN + 2)
    process_noise = tl.load(futures + OWN + 3)
    updates = tl.load(futures + SIZE + OWN + 4)
    correlation = tl.load(futures + OWN + 5)
    tests = tl.load(futures + OWN + 6)
    smoothed = tl.load(futures + OWN + 8)
    most_seen = tl.load(futures + OWN + 9)
    noise_then = tl.load(futures + OWN + 10)

    # The test of whiteness.
    tested = some & (updates > 1.0)
    length = tl.sqrt(quotient(tl.sum(of_vd, 0), scale) * gradient)
    rho = quotient(-tl.sum(of_vh, 0), length)
    rho = tl.where(rho > 1.0, 1.0, rho)
    rho = tl.where(rho < -1.0, -1.0, rho)
    smoothing = tl.load(constants + OTHERS + 7)
    correlation = tl.where(tested, smoothing * correlation + (1.0 - smoothing) * rho, correlation)
    tests = tl.where(tested, tests + 1.0, tests)
    corrected = quotient(correlation, 1.0 - _power(tl.load(constants + OTHERS + 8), tests))
    rate = tl.where(corrected > 0.0, tl.load(constants + OTHERS + 4), tl.load(constants + OTHERS + 5)) * corrected
    moved = process_noise * tl.exp(rate / (1.0 + updates / tl.load(constants + OTHERS + 6)))
    least = tl.load(constants + OTHERS + 10)
    most = tl.load(constants + OTHERS + 11)
    moved = tl.where(moved < least, least, moved)
    moved = tl.where(moved > most, most, moved)
    process_noise = tl.where(tested, moved, process_noise)

    # How large gradients were.
    smoothed = tl.where(some, smoothing * smoothed + (1.0 - smoothing) * tl.sum(of_h, 0), smoothed)
    grown = smoothed > most_seen
    most_seen = tl.where(grown, smoothed, most_seen)
    # As little as that is what the device keeps of no R at all.
    noise_then = tl.where(grown, tl.where(r > NONE * tl.load(constants + LEAST), r, 0.0), noise_then)
    share = tl.load(constants + OTHERS + 12)
    # How far the target is, squared, beside how far it was when gradients were the largest.
    distance = quotient(r, smoothed) * quotient(most_seen, noise_then)
    distance = tl.where(distance > 1.0, 1.0, distance)
    noise = tl.where(share > 0.0, r + p11 * (share * most_seen * distance), r)
    variance = p11 * gradient + noise
    penalty = tl.sum(of_x, 0)
    residual = residual_of(loss, penalty, target, RULE)
    below = residual < 0.0
    if CLAMP:
        residual = tl.where(below, 0.0, residual)
    # With G = 0 there is no gradient to move along.
    step = tl.where(some, scale / variance, 0.0) * residual

    # The state of each tensor, and the weight of its x in its mean.
    eta = tl.load(constants + OTHERS + 9)
    weight = (eta + 1.0) / (updates + eta)
    weight = tl.where(weight > 1.0, 1.0, weight)
    tl.debug_barrier()
    for base in range(0, all_tensors, 128):
        places = base + tl.arange(0, 128)
        live = places < all_tensors
        good = each(ok, places)
        takes_part = tl.load(masks + places, mask=live, other=0.0) > 0.0
        frozen = tl.load(masks + all_tensors + places, mask=live, other=0.0) > 0.0
        done = tl.load(of_tensors + places, mask=live, other=0.0)
        moving = tl.load(of_tensors + all_tensors + places, mask=live, other=0.0)
        averaged = tl.load(of_tensors + 2 * all_tensors + places, mask=live, other=0.0)
        following = good & takes_part
        if MEAN:
            # One that is frozen and never took anything up is x itself.
            idle = frozen & (averaged == 0.0)
            following = good & (idle == 0)
        new = averaged * 0.0
        new = tl.where(averaged > 0.0, new + weight, 1.0)
        tl.debug_barrier()
        tl.store(weights + places, tl.where(following, new, 0.0), mask=live)
        tl.store(of_tensors + places, tl.where(good & takes_part, done + 1.0, done), mask=live)
        moves = tl.where(takes_part & each(some, places), 1.0, 0.0)
        tl.store(of_tensors + all_tensors + places, tl.where(good, moves, moving), mask=live)
        tl.store(of_tensors + 2 * all_tensors + places, tl.where(following, 1.0, averaged), mask=live)

    squares = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        gain = tl.load(gains + tl.load(spans + GROUP * tensors + lines, mask=live, other=0), mask=live, other=0.0)
        along = representable(p11 * step * gain)
        dd = tl.load(sums + 7 * tensors + lines, mask=live, other=0.0)
        squares += tl.where(live, along * along * dd, 0.0)
        tl.store(table + lines, tl.where(each(ok, lines), 1.0, 0.0), mask=live)
        tl.store(table + tensors + lines, along, mask=live)
        tl.store(table + 2 * tensors + lines, representable(p12 * step * gain), mask=live)
        shrinkage = 1.0 + gain * tl.load(traits + SHRINKING * tensors + lines, mask=live, other=0.0)
        tl.store(table + 3 * tensors + lines, shrinkage, mask=live)
    if BOUNDED:
        factor = tl.load(constants + BOUND) / tl.sqrt(tl.sum(squares, 0))
        factor = tl.where(factor < 1.0, factor, 1.0)
        tl.debug_barrier()
        for base in range(0, 2 * tensors, 128):
            places = base + tl.arange(0, 128)
            steps = tl.load(table + tensors + places, mask=places < 2 * tensors, other=0.0)
            tl.store(table + tensors + places, steps * factor, mask=places < 2 * tensors)

    columns = tl.arange(0, PADDED)
    inside = columns < SIZE
    after = tl.load(futures + SIZE + columns, mask=inside, other=0.0)
    missing = tl.load(futures + 2 * SIZE + columns, mask=inside, other=0.0)
    after = tl.where((columns == NOISE) | (columns == AGAIN), r, after)
    if RULE == 3:
        after = tl.where(columns == SIZE + FIRST_LOSS, first_of(futures, loss, SIZE), after)
    lost = p12 * (gradient / variance)
    p22 = p22 - p12 * lost
    after = tl.where(columns == OWN, p11 * (noise / variance), after)
    after = tl.where(columns == OWN + 1, p12 * (noise / variance), after)
    after = tl.where(columns == OWN + 2, tl.where(p22 < 0.0, 0.0, p22), after)
    after = tl.where(columns == OWN + 3, process_noise, after)
    after = tl.where(columns == OWN + 5, correlation, after)
    after = tl.where(columns == OWN + 6, tests, after)
    after = tl.where(columns == OWN + 8, smoothed, after)
    after = tl.where(columns == OWN + 9, most_seen, after)
    after = tl.where(columns == OWN + 10, noise_then, after)
    if DIAGONAL:
        after = tl.where(columns == OWN + 7, tl.load(metric), after)
    if CLAMP:
        after = tl.where(columns == CLAMPED_NOW, tl.where(below, 1.0, 0.0), after)
    tl.store(state + columns, tl.where(each(ok, columns), after, missing), mask=inside)
