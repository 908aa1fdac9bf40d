"""What the kernels of one program for the filter's numbers share: from partial sums to steps, in ``float64``.

Numbers that ``float32`` does not hold are in ``constants``, since a kernel's arguments are of that
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

# Behind a method's own numbers, if the target is a share of the first loss: that loss, and whether there is one.
FIRST_LOSS = tl.constexpr(-2)
FIRST_FOUND = tl.constexpr(-1)

INFINITE = tl.constexpr(float("inf"))
# The largest number in f32, and what the norm of each part of KOALA++'s v may be.
LARGEST = tl.constexpr(3.4028234663852886e38)
REACH = tl.constexpr(3.4028234663852886e38 / 8.0)


@triton.jit
def total(values, count):
    """The sum of a vector."""
    sums = tl.zeros([1024], tl.float64)
    for at in range(0, count, 1024):
        places = at + tl.arange(0, 1024)
        sums += tl.load(values + places, mask=places < count, other=0.0)
    return tl.sum(sums, 0)


@triton.jit
def over_chunks(partials, spans, tensors, lines, live):
    """A sum of each of some tensors."""
    first = tl.load(spans + FIRST_CHUNK * tensors + lines, mask=live, other=0)
    count = tl.load(spans + CHUNKS * tensors + lines, mask=live, other=0)
    chunk = tl.arange(0, WIDTH)
    there = chunk[None, :] < count[:, None]
    return tl.sum(tl.load(partials + first[:, None] + chunk[None, :], mask=there, other=0.0), 1)


@triton.jit(do_not_specialize=["tensors", "chunks"])
def fold(partials, spans, sums, tensors, chunks):
    """The sums of tensors, a program for each row of partial sums."""
    row = tl.program_id(0)
    for base in range(0, tensors, LINES):
        lines = base + tl.arange(0, LINES)
        live = lines < tensors
        found = over_chunks(partials + row * chunks, spans, tensors, lines, live)
        tl.store(sums + row * tensors + lines, found, mask=live)


@triton.jit
def predict_numbers(
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
def deviation_of(deviations, deviating, state, DEVIATION: tl.constexpr, AVERAGE: tl.constexpr):
    """KOALA-M's |a - x|, with the paper's q_x squared. One that is not finite leaves q_x, the number before it, as it was."""
    deviation = total(deviations, deviating)
    if AVERAGE == 1:
        deviation = tl.sqrt(deviation)
    return tl.where(deviation < INFINITE, deviation, tl.load(state + DEVIATION - 1))


@triton.jit(do_not_specialize=["deviating"])
def foresee(
    state,
    transition,
    futures,
    deviations,
    deviating,
    SIZE: tl.constexpr,
    PADDED: tl.constexpr,
    ROWS: tl.constexpr,
    DEVIATION: tl.constexpr,
    AVERAGE: tl.constexpr,
):
    """The time update of the numbers by itself, for who looks before the update: the same bits."""
    deviation = 0.0
    if AVERAGE > 0:
        deviation = deviation_of(deviations, deviating, state, DEVIATION, AVERAGE)
    predict_numbers(state, transition, futures, deviation, SIZE, PADDED, ROWS, DEVIATION)


@triton.jit
def copy_numbers(source, target, count):
    for at in range(0, count, 128):
        places = at + tl.arange(0, 128)
        tl.store(target + places, tl.load(source + places, mask=places < count, other=0.0), mask=places < count)


@triton.jit
def first_of(futures, loss, SIZE: tl.constexpr):
    """The first loss that was measured, as a measurement leaves it: this one, if there was none."""
    found = tl.load(futures + SIZE + FIRST_FOUND)
    return tl.where(found > 0.0, tl.load(futures + SIZE + FIRST_LOSS), loss)


@triton.jit
def target_of(futures, loss, constants, SIZE: tl.constexpr, RULE: tl.constexpr):
    """The target, or how far below the loss it is."""
    target = tl.load(constants + TARGET)
    if RULE == 3:
        first = first_of(futures, loss, SIZE)
        target = target * tl.where(first < 0.0, 0.0, first)
    return target


@triton.jit
def moment_of(loss, norm, samples, target, RULE: tl.constexpr):
    """M about the target: 0, a constant (also as a share of the first loss) or an offset."""
    mean_square = norm * norm / samples
    if RULE == 0:
        moment = mean_square
    elif RULE == 1 or RULE == 3:
        about = mean_square - 2.0 * target * loss + target * target
        least = (loss - target) * (loss - target)
        moment = tl.where(about < least, least, about)
    else:
        variance = mean_square - loss * loss
        moment = tl.where(variance < 0.0, 0.0, variance) + target * target
    return moment


@triton.jit
def noise_of(futures, moment, constants, SIZE: tl.constexpr, KIND: tl.constexpr):
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
def is_finite(number):
    return (number < INFINITE) & (number > -INFINITE)


@triton.jit
def representable(coefficient):
    """A coefficient that is a number in f32 too: a larger one is of a vector of zeros, which it would make no number of."""
    coefficient = tl.where(coefficient > LARGEST, LARGEST, coefficient)
    return tl.where(coefficient < -LARGEST, -LARGEST, coefficient)


@triton.jit
def each(flag, places):
    """A flag of one for each place. Triton's interpreter spreads numbers, but no flags."""
    return places * 0 + flag.to(tl.int32) > 0


@triton.jit
def residual_of(loss, penalty, target, RULE: tl.constexpr):
    if RULE == 2:
        residual = penalty * 0.0 + target
    elif RULE == 1 or RULE == 3:
        residual = loss + penalty - target
    else:
        residual = loss + penalty
    return residual


@triton.jit
def tell(record, futures, gains, loss, norm, found, samples, matrix, extras, SIZE: tl.constexpr, GROUPS: tl.constexpr):
    """The record but for the sums and what is beside the numbers; ``matrix``: numbers in the sums."""
    copy_numbers(futures, record, SIZE)
    copy_numbers(gains, record + SIZE + extras, GROUPS)
    rest = record + SIZE + extras + GROUPS
    tl.store(rest, loss)
    tl.store(rest + 1, norm)
    tl.store(rest + 2, found)
    tl.store(rest + 3 + matrix, samples)


@triton.jit
def quotient(numerator, denominator):
    return tl.where(denominator == 0.0, 0.0, numerator / tl.where(denominator == 0.0, 1.0, denominator))
