"""Numbers as they are stored: rounded to the nearest; or x in bfloat16 up or down by chance, as :mod:`....rounding` says."""

import os

import triton
import triton.language as tl

INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")

# Of the filter's numbers.
STEP = tl.constexpr(1)

# Which of a step's roundings of x it is.
UPDATE = tl.constexpr(0)
PREDICTION = tl.constexpr(1)


@triton.jit
def narrow(value, KIND: tl.constexpr):
    """In the type that is stored, the nearest to it, of two the even one."""
    if INTERPRETED and tl.bfloat16 == KIND:
        # A device does this by itself; the interpreter cuts off.
        bits = value.to(tl.float32).to(tl.uint32, bitcast=True)
        rounded = bits + 0x7FFF + ((bits >> 16) & 1)
        rounded = tl.where(value == value, rounded, bits | 0x400000)
        return (rounded >> 16).to(tl.uint16).to(tl.bfloat16, bitcast=True)
    else:
        return value.to(KIND)


@triton.jit
def step_of(state):
    """The steps that are done: what a graph that is replayed draws by, too."""
    return tl.load(state + STEP).to(tl.int64).to(tl.uint32)


@triton.jit
def lots(seed, step, place, at, WRITE: tl.constexpr, BLOCK: tl.constexpr):
    """16 random bits for each number of a block: eight from each call of Philox."""
    counter = at // 8 + tl.arange(0, BLOCK // 8).to(tl.int64)
    low = (counter & 0xFFFFFFFF).to(tl.uint32)
    high = (counter >> 32).to(tl.uint32) * 2 + WRITE
    a, b, c, d = tl.philox(seed, low, low * 0 + place.to(tl.uint32), low * 0 + step, high)
    words = tl.join(tl.join(a, c), tl.join(b, d))
    return tl.reshape(tl.join(words & 0xFFFF, words >> 16), [BLOCK])


@triton.jit
def settle(
    value,
    seed,
    step,
    place,
    at,
    WRITE: tl.constexpr,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    SCATTERS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """x as it is stored, in WIDE."""
    if SCATTERS and tl.bfloat16 == KIND:
        bits = value.to(tl.uint32, bitcast=True)
        kept = ((bits + lots(seed, step, place, at, WRITE, BLOCK)) >> 16) << 16
        return tl.where(value == value, kept.to(tl.float32, bitcast=True), value)
    else:
        return narrow(value, KIND).to(WIDE)
