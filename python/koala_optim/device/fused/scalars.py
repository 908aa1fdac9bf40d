"""Kernels of one program for the filter's numbers: from partial sums to steps, in ``float64``.

They compute what :mod:`..blockwise`, :mod:`..products` and :mod:`..adaptive` compute by PyTorch's operations, over the same
memory; those say more. Numbers that ``float32`` does not hold are in ``constants``, since a kernel's arguments are of that
type. What is stored and loaded again by other threads has a barrier between.
"""

import triton
import triton.language as tl

WIDTH = tl.constexpr(128)
"""Chunks of a tensor at most."""
LINES = tl.constexpr(32)
"""Tensors at a time."""

# Rows of ``spans``: the first chunk of a tensor, the number of its chunks, its group, its position among all tensors.
FIRST_CHUNK = tl.constexpr(0)
CHUNKS = tl.constexpr(1)
GROUP = tl.constexpr(2)
PLACE = tl.constexpr(3)

# Rows of ``traits``.
MEASURED = tl.constexpr(0)
DIRECTED = tl.constexpr(1)
SHRINKING = tl.constexpr(2)
APART = tl.constexpr(3)

# Common numbers of the filter, as ``vector.COMMON`` has them.
CLAMPED_NOW = tl.constexpr(5)
MEASUREMENTS = tl.constexpr(6)
NOISE = tl.constexpr(7)
AGAIN = tl.constexpr(8)
GRADIENT = tl.constexpr(9)
OWN = tl.constexpr(10)

# Constants of every method.
KAPPA = tl.constexpr(0)
TARGET = tl.constexpr(1)
BETA = tl.constexpr(2)
LOG_BETA = tl.constexpr(3)
LEAST = tl.constexpr(4)
VANISHING = tl.constexpr(5)
BOUND = tl.constexpr(6)
OTHERS = tl.constexpr(7)

INFINITE = tl.constexpr(float("inf"))


@triton.jit
def _total(values, count):
    """The sum of a vector."""
    sums = tl.zeros([1024], tl.float64)
    for at in range(0, count, 1024):
        places = at + tl.arange(0, 1024)
        sums += tl.load(values + places, mask=places < count, other=0.0)
    return tl.sum(sums, 0)


@triton.jit
def _over_chunks(partials, spans, tensors, lines, live):
    """A sum of each of some tensors."""
    first = tl.load(spans + FIRST_CHUNK * tensors + lines, mask=live, other=0)
    count = tl.load(spans + CHUNKS * tensors + lines, mask=live, other=0)
    chunk = tl.arange(0, WIDTH)
    there = chunk[None, :] < count[:, None]
    return tl.sum(tl.load(partials + first[:, None] + chunk[None, :], mask=there, other=0.0), 1)


@triton.jit
def _predict(
    state,
    transition,
    futures,
    deviation,
    SIZE: tl.constexpr,
    PADDED: tl.constexpr,
    ROWS: tl.constexpr,
    DEVIATION: tl.constexpr,
):
    """The time update of the numbers, and both outcomes as far as they are known."""
    columns = tl.arange(0, PADDED)
    now = tl.load(state + columns, mask=columns < SIZE, other=0.0)
    if DEVIATION >= 0:
        now = tl.where(columns == DEVIATION, deviation, now)
    rows = tl.arange(0, ROWS)
    there = (rows[:, None] < 3 * SIZE) & (columns[None, :] < SIZE)
    matrix = tl.load(transition + rows[:, None] * SIZE + columns[None, :], mask=there, other=0.0)
    tl.store(futures + rows, tl.sum(matrix * now[None, :], 1), mask=rows < 3 * SIZE)
    tl.debug_barrier()


@triton.jit
def _copy(source, target, count):
    for at in range(0, count, 128):
        places = at + tl.arange(0, 128)
        tl.store(target + places, tl.load(source + places, mask=places < count, other=0.0), mask=places < count)


@triton.jit
def _moment(loss, norm, samples, constants, RULE: tl.constexpr):
    """M about the target: 0, a constant or an offset."""
    mean_square = norm * norm / samples
    target = tl.load(constants + TARGET)
    if RULE == 0:
        moment = mean_square
    elif RULE == 1:
        about = mean_square - 2.0 * target * loss + target * target
        least = (loss - target) * (loss - target)
        moment = tl.where(about < least, least, about)
    else:
        variance = mean_square - loss * loss
        moment = tl.where(variance < 0.0, 0.0, variance) + target * target
    return moment


@triton.jit
def _noise(futures, moment, constants, SIZE: tl.constexpr, KIND: tl.constexpr):
    """R after the measurement: adaptive, fixed or corrected."""
    beta = tl.load(constants + BETA)
    noise = tl.load(futures + SIZE + NOISE)
    if KIND == 0:
        noise = noise + (1.0 - beta) * moment
    elif KIND == 2:
        fade = tl.exp(tl.load(futures + SIZE + MEASUREMENTS) * tl.load(constants + LOG_BETA))
        noise = ((beta - fade) * tl.load(futures + NOISE) + (1.0 - beta) * moment) / (1.0 - fade)
        least = tl.load(constants + LEAST)
        noise = tl.where(noise < least, least, noise)
    return noise


@triton.jit
def _finite(number):
    return (number < INFINITE) & (number > -INFINITE)


@triton.jit
def _each(flag, places):
    """A flag of one for each place. Triton's interpreter spreads numbers, but no flags."""
    return places * 0 + flag.to(tl.int32) > 0


@triton.jit
def _residual(loss, penalty, constants, RULE: tl.constexpr):
    target = tl.load(constants + TARGET)
    if RULE == 2:
        residual = penalty * 0.0 + target
    elif RULE == 1:
        residual = loss + penalty - target
    else:
        residual = loss + penalty
    return residual


@triton.jit
def _tell(record, futures, gains, loss, norm, found, samples, matrix, extras, SIZE: tl.constexpr, GROUPS: tl.constexpr):
    """The record but for the sums and what is beside the numbers; ``matrix``: numbers in the sums."""
    _copy(futures, record, SIZE)
    _copy(gains, record + SIZE + extras, GROUPS)
    rest = record + SIZE + extras + GROUPS
    tl.store(rest, loss)
    tl.store(rest + 1, norm)
    tl.store(rest + 2, found)
    tl.store(rest + 3 + matrix, samples)


@triton.jit(do_not_specialize=["tensors", "chunks", "deviating", "count", "predicting"])
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
    tensors,
    chunks,
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
    FOUND: tl.constexpr,
):
    """KOALA-V and KOALA-M."""
    if predicting > 0:
        deviation = 0.0
        if MOMENTUM and AVERAGE > 0:
            deviation = _total(deviations, deviating)
            if AVERAGE == 1:
                deviation = tl.sqrt(deviation)
            # One that is not finite leaves q_x as it was.
            deviation = tl.where(deviation < INFINITE, deviation, tl.load(state + OWN + 4))
        if MOMENTUM:
            _predict(state, transition, futures, deviation, SIZE, PADDED, ROWS, OWN + 5)
        else:
            _predict(state, transition, futures, deviation, SIZE, PADDED, ROWS, -1)
    samples = count.to(tl.float64)
    loss = tl.load(of_loss)
    norm = tl.load(of_norm)
    found = samples * 0.0
    if FOUND:
        found = tl.load(of_found).to(tl.float64)
    vanishing = tl.load(constants + VANISHING)
    sums = record + SIZE + GROUPS + 3

    # First over the tensors: their sums, and the largest of them.
    check = tl.zeros([LINES], tl.float64)
    of_g = tl.zeros([LINES], tl.float64)
    of_h = tl.zeros([LINES], tl.float64)
    of_x = tl.zeros([LINES], tl.float64)
    largest = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        g2 = _over_chunks(partials, spans, tensors, lines, live)
        h2 = g2
        tl.store(sums + lines, g2, mask=live)
        check += g2
        if DECAY:
            h2 = _over_chunks(partials + chunks, spans, tensors, lines, live)
            x2 = _over_chunks(partials + 2 * chunks, spans, tensors, lines, live)
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
    moment = _moment(loss, norm, samples, constants, RULE)
    r = _noise(futures, moment, constants, SIZE, KIND)
    ok = _finite(tl.sum(check, 0)) & _finite(r) & _finite(moment) & _finite(loss) & (found == 0.0)
    p11 = tl.load(futures + OWN)
    s = p11 * gradient + r
    columns = tl.arange(0, PADDED)
    inside = columns < SIZE
    after = tl.load(futures + SIZE + columns, mask=inside, other=0.0)
    missing = tl.load(futures + 2 * SIZE + columns, mask=inside, other=0.0)
    after = tl.where((columns == NOISE) | (columns == AGAIN), r, after)
    after = tl.where(columns == GRADIENT, gradient, after)
    after = tl.where(columns == OWN, p11 * (r / s), after)
    p12 = p11 * 0.0
    if MOMENTUM:
        p12 = tl.load(futures + OWN + 1)
        p22 = tl.load(futures + OWN + 3)
        lost = p12 * (gradient / s)
        after = tl.where(columns == OWN + 1, p12 * (r / s), after)
        after = tl.where(columns == OWN + 3, p22 - p12 * lost, after)
    below = _residual(loss, p11 * 0.0, constants, RULE) < 0.0

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
        use = (g2 >= vanishing) & _each(ok, lines) & live
        residual = _residual(loss, penalty, constants, RULE)
        if CLAMP:
            clamped = tl.where(use & (residual < 0.0), 1, clamped)
            residual = tl.where(residual < 0.0, 0.0, residual)
        group = tl.load(spans + GROUP * tensors + lines, mask=live, other=0)
        gain = tl.load(gains + group, mask=live, other=0.0)
        scale = residual * gain
        variance = p11 * h2 + r
        step = p11 * scale / variance
        squares += tl.where(use, step * step * along, 0.0)
        shrinkage = 1.0 + gain * tl.load(traits + SHRINKING * tensors + lines, mask=live, other=0.0)
        tl.store(table + lines, tl.where(use, 1.0, 0.0), mask=live)
        tl.store(table + tensors + lines, step, mask=live)
        tl.store(table + 2 * tensors + lines, p12 * scale / variance, mask=live)
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
    _tell(record, futures, gains, loss, norm, found, samples, (3 if DECAY else 1) * tensors, 0, SIZE, GROUPS)
    tl.store(state + columns, tl.where(_each(ok, columns), after, missing), mask=inside)


# KOALA++. Constants: Q and sigma.


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
        _predict(state, transition, futures, 0.0, SIZE, PADDED, ROWS, -1)
    samples = count.to(tl.float64)
    loss = tl.load(of_loss)
    norm = tl.load(of_norm)
    found = samples * 0.0
    if FOUND:
        found = tl.load(of_found).to(tl.float64)
    vanishing = tl.load(constants + VANISHING)
    q = tl.load(constants + OTHERS)
    sigma = tl.load(constants + OTHERS + 1)
    _copy(variances, record + SIZE, blocks)
    _tell(record, futures, gains, loss, norm, found, samples, 8 * tensors, blocks, SIZE, GROUPS)
    sums = record + SIZE + blocks + GROUPS + 3

    check = tl.zeros([LINES], tl.float64)
    of_x = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        for row in range(0, 8):
            found_sums = _over_chunks(partials + row * chunks, spans, tensors, lines, live)
            tl.store(sums + row * tensors + lines, found_sums, mask=live)
            if row < 3:
                check += found_sums
        if DECAY:
            x2 = _over_chunks(partials + 2 * chunks, spans, tensors, lines, live)
            of_x += 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
    tl.debug_barrier()
    whole_x = tl.sum(of_x, 0)
    moment = _moment(loss, norm, samples, constants, RULE)
    r = _noise(futures, moment, constants, SIZE, KIND)
    ok = _finite(tl.sum(check, 0)) & _finite(r) & _finite(moment) & _finite(loss) & (found == 0.0)
    below = _residual(loss, r * 0.0, constants, RULE) < 0.0
    whole_g = r * 0.0
    whole_h = whole_g
    whole_hp = whole_g
    whole_pp = whole_g
    whole_hv = whole_g
    whole_pv = whole_g
    if WHOLE:
        whole_g = _total(sums, tensors)
        whole_h = _total(sums + tensors, tensors)
        whole_hp = _total(sums + 3 * tensors, tensors)
        whole_pp = _total(sums + 4 * tensors, tensors)
        whole_hv = _total(sums + 5 * tensors, tensors)
        whole_pv = _total(sums + 6 * tensors, tensors)

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
        own_h2, own_hp, own_pp, own_hv, own_pv = h2, hp, pp, hv, pv
        penalty = 0.5 * tl.load(traits + MEASURED * tensors + lines, mask=live, other=0.0) * x2
        place = tl.load(spans + PLACE * tensors + lines, mask=live, other=0)
        if WHOLE:
            none = h2 * 0.0
            g2, h2, hp, pp, hv, pv = (
                none + whole_g,
                none + whole_h,
                none + whole_hp,
                none + whole_pp,
                none + whole_hv,
                none + whole_pv,
            )
            penalty = none + whole_x
            place = place * 0
        previous = tl.load(variances + place, mask=live, other=0.0)
        use = (g2 >= vanishing) & _each(ok, lines) & live
        # v = (alpha - lambda) v' + Q H + (rho - Q lambda) H'
        alpha = hp / pp
        lam = (hv + q * hp) / previous
        rho = hv * 0.0
        if SYMMETRIC:
            rho = (hv - alpha * pv) / pp
        a = alpha - lam
        c = rho - q * lam
        variance = a * hv + q * h2 + c * hp + q * h2 + r
        # If a coefficient is not finite, the variance is not.
        continued = (previous >= 0.0) & (variance > 0.0) & (variance < INFINITE)
        begun = (sigma + q) * (r / ((sigma + q) * h2 + r))
        variance = tl.where(continued, variance, (begun + q) * h2 + r)
        a = tl.where(continued, a, 0.0)
        b = tl.where(continued, q, begun)
        c = tl.where(continued, c, 0.0)
        residual = _residual(loss, penalty, constants, RULE)
        if CLAMP:
            clamped = tl.where(use & (residual < 0.0), 1, clamped)
            residual = tl.where(residual < 0.0, 0.0, residual)
        gain = tl.load(gains + tl.load(spans + GROUP * tensors + lines, mask=live, other=0), mask=live, other=0.0)
        step = residual * gain / variance
        d = b + q
        length = a * a * vv + d * d * own_h2 + c * c * own_pp + 2.0 * (a * d * own_hv + a * c * own_pv + d * c * own_hp)
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
    now = tl.where(below, 1.0, 0.0)
    if DECAY:
        now = tl.max(clamped, 0).to(tl.float64)
    if CLAMP:
        after = tl.where(columns == CLAMPED_NOW, now, after)
    tl.store(state + columns, tl.where(_each(ok, columns), after, missing), mask=inside)


# KOALA-A. Constants: beta of s and its logarithm, epsilon, the least floor, growth and decline, the horizon of the rates, beta
# of rho and its logarithm, eta, and the range of Q.


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


@triton.jit
def _quotient(numerator, denominator):
    return tl.where(denominator == 0.0, 0.0, numerator / tl.where(denominator == 0.0, 1.0, denominator))


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
        _predict(state, transition, futures, 0.0, SIZE, PADDED, ROWS, -1)
    samples = count.to(tl.float64)
    loss = tl.load(of_loss)
    norm = tl.load(of_norm)
    found = samples * 0.0
    if FOUND:
        found = tl.load(of_found).to(tl.float64)
    _copy(of_tensors, record + SIZE, 3 * all_tensors)
    _tell(record, futures, gains, loss, norm, found, samples, 10 * tensors, 3 * all_tensors, SIZE, GROUPS)
    sums = record + SIZE + 3 * all_tensors + GROUPS + 3

    check = tl.zeros([LINES], tl.float64)
    of_x = tl.zeros([LINES], tl.float64)
    of_s = tl.zeros([LINES], tl.float64)
    of_sd = tl.zeros([LINES], tl.float64)
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
            found_sums = _over_chunks(partials + source * chunks, spans, tensors, lines, live)
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
        of_s += tl.load(sums + 4 * tensors + lines, mask=live, other=0.0)
        of_sd += tl.load(sums + 5 * tensors + lines, mask=live, other=0.0)
        of_hd += tl.load(sums + 6 * tensors + lines, mask=live, other=0.0)
        of_vh += tl.load(sums + 8 * tensors + lines, mask=live, other=0.0)
        of_vd += tl.load(sums + 9 * tensors + lines, mask=live, other=0.0)
    moment = _moment(loss, norm, samples, constants, RULE)
    r = _noise(futures, moment, constants, SIZE, KIND)
    ok = _finite(tl.sum(check, 0)) & _finite(r) & _finite(moment) & _finite(loss) & _finite(largest) & (found == 0.0)

    scale = samples * 0.0 + 1.0
    if DIAGONAL:
        scale = _quotient(tl.sum(of_s, 0), tl.sum(of_sd, 0))
    gradient = scale * tl.sum(of_hd, 0)
    some = gradient > 0.0
    p11 = tl.load(futures + OWN)
    p12 = tl.load(futures + OWN + 1)
    p22 = tl.load(futures + OWN + 2)
    process_noise = tl.load(futures + OWN + 3)
    updates = tl.load(futures + SIZE + OWN + 4)
    correlation = tl.load(futures + OWN + 5)
    tests = tl.load(futures + OWN + 6)

    # The test of whiteness.
    tested = some & (updates > 1.0)
    length = tl.sqrt(_quotient(tl.sum(of_vd, 0), scale) * gradient)
    rho = _quotient(-tl.sum(of_vh, 0), length)
    rho = tl.where(rho > 1.0, 1.0, rho)
    rho = tl.where(rho < -1.0, -1.0, rho)
    smoothing = tl.load(constants + OTHERS + 7)
    correlation = tl.where(tested, smoothing * correlation + (1.0 - smoothing) * rho, correlation)
    tests = tl.where(tested, tests + 1.0, tests)
    corrected = _quotient(correlation, 1.0 - _power(tl.load(constants + OTHERS + 8), tests))
    rate = tl.where(corrected > 0.0, tl.load(constants + OTHERS + 4), tl.load(constants + OTHERS + 5)) * corrected
    grown = process_noise * tl.exp(rate / (1.0 + updates / tl.load(constants + OTHERS + 6)))
    least = tl.load(constants + OTHERS + 10)
    most = tl.load(constants + OTHERS + 11)
    grown = tl.where(grown < least, least, grown)
    grown = tl.where(grown > most, most, grown)
    process_noise = tl.where(tested, grown, process_noise)

    variance = p11 * gradient + r
    penalty = tl.sum(of_x, 0)
    residual = _residual(loss, penalty, constants, RULE)
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
        good = _each(ok, places)
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
        moves = tl.where(takes_part & _each(some, places), 1.0, 0.0)
        tl.store(of_tensors + all_tensors + places, tl.where(good, moves, moving), mask=live)
        tl.store(of_tensors + 2 * all_tensors + places, tl.where(following, 1.0, averaged), mask=live)

    squares = tl.zeros([LINES], tl.float64)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        gain = tl.load(gains + tl.load(spans + GROUP * tensors + lines, mask=live, other=0), mask=live, other=0.0)
        along = p11 * step * gain
        dd = tl.load(sums + 7 * tensors + lines, mask=live, other=0.0)
        squares += tl.where(live, along * along * dd, 0.0)
        tl.store(table + lines, tl.where(_each(ok, lines), 1.0, 0.0), mask=live)
        tl.store(table + tensors + lines, along, mask=live)
        tl.store(table + 2 * tensors + lines, p12 * step * gain, mask=live)
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
    lost = p12 * (gradient / variance)
    p22 = p22 - p12 * lost
    after = tl.where(columns == OWN, p11 * (r / variance), after)
    after = tl.where(columns == OWN + 1, p12 * (r / variance), after)
    after = tl.where(columns == OWN + 2, tl.where(p22 < 0.0, 0.0, p22), after)
    after = tl.where(columns == OWN + 3, process_noise, after)
    after = tl.where(columns == OWN + 5, correlation, after)
    after = tl.where(columns == OWN + 6, tests, after)
    if DIAGONAL:
        after = tl.where(columns == OWN + 7, tl.load(metric), after)
    if CLAMP:
        after = tl.where(columns == CLAMPED_NOW, tl.where(below, 1.0, 0.0), after)
    tl.store(state + columns, tl.where(_each(ok, columns), after, missing), mask=inside)
