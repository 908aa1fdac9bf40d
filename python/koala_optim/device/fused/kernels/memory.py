"""How kernels go over tensors. Each program goes over one chunk of one tensor, whose addresses it finds in a table.

``chunks`` has four rows, a column for each chunk: which tensor, where in it the chunk begins and where it ends, and which
chunk it is among all that a prediction goes over. ``addresses`` has a row for each thing of a tensor: parameter, gradient, and
the method's vectors by their slots. Partial sums go to a row for each sum, in ``float64``: they are added up later, always in
the same order.
"""

import triton
import triton.language as tl

from .rounding import narrow

PARAMETER = tl.constexpr(0)
GRADIENT = tl.constexpr(1)
FIRST = tl.constexpr(2)
SECOND = tl.constexpr(3)
THIRD = tl.constexpr(4)

# Rows of ``traits``: w of h in what is measured, w of the direction.
MEASURED = tl.constexpr(0)
DIRECTED = tl.constexpr(1)


@triton.jit
def chunk_of(chunks, first, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) + first
    # Told so, the compiler reads and writes 16 bytes at a time.
    start = tl.multiple_of(tl.load(chunks + count + at), BLOCK)
    return at, tl.load(chunks + at), start, tl.load(chunks + 2 * count + at)


@triton.jit
def among_all(chunks, at, count):
    return tl.load(chunks + 3 * count + at)


@triton.jit
def memory_of(addresses, row, tensors, tensor, kind: tl.constexpr, ALIGNED: tl.constexpr):
    address = tl.load(addresses + row * tensors + tensor)
    memory = address.to(tl.pointer_type(kind))
    if ALIGNED:
        memory = tl.multiple_of(memory, 16)
    return memory


@triton.jit
def places_of(at, BLOCK: tl.constexpr):
    return at + tl.arange(0, BLOCK)


@triton.jit
def load(memory, offsets, end, kind: tl.constexpr, FULL: tl.constexpr):
    if FULL:
        value = tl.load(memory + offsets)
    else:
        value = tl.load(memory + offsets, mask=offsets < end, other=0.0)
    return value.to(kind)


@triton.jit
def store(memory, offsets, end, value, kind: tl.constexpr, FULL: tl.constexpr):
    if FULL:
        tl.store(memory + offsets, narrow(value, kind))
    else:
        tl.store(memory + offsets, narrow(value, kind), mask=offsets < end)
