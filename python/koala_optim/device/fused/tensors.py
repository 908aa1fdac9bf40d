"""Kernels over tensors. Each program goes over one chunk of one tensor, whose addresses it finds in a table.

``chunks`` has three rows, a column for each chunk: which tensor, where in it the chunk begins and where it ends. ``addresses``
has a row for each thing of a tensor: parameter, gradient, and the method's vectors by their slots. Partial sums go to a row
for each sum, in ``float64``: they are added up later, always in the same order.
"""

import triton
import triton.language as tl

PARAMETER = tl.constexpr(0)
GRADIENT = tl.constexpr(1)
FIRST = tl.constexpr(2)
SECOND = tl.constexpr(3)
THIRD = tl.constexpr(4)

# Rows of ``traits``: w of h in what is measured, w of the direction, and of the steps' ``table``.
MEASURED = tl.constexpr(0)
DIRECTED = tl.constexpr(1)


@triton.jit
def _chunk(chunks, first, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) + first
    # Told so, the compiler reads and writes 16 bytes at a time.
    start = tl.multiple_of(tl.load(chunks + count + at), BLOCK)
    return at, tl.load(chunks + at), start, tl.load(chunks + 2 * count + at)


@triton.jit
def _memory(addresses, row, tensors, tensor, kind: tl.constexpr, ALIGNED: tl.constexpr):
    address = tl.load(addresses + row * tensors + tensor)
    memory = address.to(tl.pointer_type(kind))
    if ALIGNED:
        memory = tl.multiple_of(memory, 16)
    return memory


@triton.jit
def _offsets(at, BLOCK: tl.constexpr):
    return at + tl.arange(0, BLOCK)


@triton.jit
def _load(memory, offsets, end, kind: tl.constexpr, FULL: tl.constexpr):
    if FULL:
        value = tl.load(memory + offsets)
    else:
        value = tl.load(memory + offsets, mask=offsets < end, other=0.0)
    return value.to(kind)


@triton.jit
def _store(memory, offsets, end, value, kind: tl.constexpr, FULL: tl.constexpr):
    if FULL:
        tl.store(memory + offsets, value.to(kind))
    else:
        tl.store(memory + offsets, value.to(kind), mask=offsets < end)


# Predict.


@triton.jit
def _advance(
    x,
    v,
    a,
    at,
    end,
    kappa,
    moves,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    AVERAGE: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = _offsets(at, BLOCK)
    position = _load(x, offsets, end, WIDE, FULL)
    deviation = tl.zeros([BLOCK], WIDE)
    if AVERAGE > 0:
        average = _load(a, offsets, end, WIDE, FULL)
        if AVERAGE == 2:
            average = (average * 0.9 + position * 0.1).to(KIND)
            _store(a, offsets, end, average, KIND, FULL)
            average = average.to(WIDE)
        deviation = average - position
    if moves > 0.0:
        velocity = _load(v, offsets, end, WIDE, FULL)
        _store(x, offsets, end, position + velocity, KIND, FULL)
        _store(v, offsets, end, velocity * kappa, KIND, FULL)
    return deviation * deviation


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def advance(
    addresses,
    chunks,
    moving,
    places,
    constants,
    partials,
    tensors,
    count,
    first,
    KIND: tl.constexpr,
    WIDE: tl.constexpr,
    AVERAGE: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """x <- x + v, v <- kappa v; and |a - x|^2 before it, with ``AVERAGE`` 2 after a has taken x up."""
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    moves = tl.load(moving + tl.load(places + tensor))
    kappa = tl.load(constants).to(WIDE)
    x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    a = v
    if AVERAGE > 0:
        a = _memory(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
    whole = start + (end - start) // BLOCK * BLOCK
    sums = tl.zeros([BLOCK], WIDE)
    for at in range(start, whole, BLOCK):
        sums += _advance(x, v, a, at, end, kappa, moves, KIND, WIDE, AVERAGE, BLOCK, True)
    if whole < end:
        sums += _advance(x, v, a, whole, end, kappa, moves, KIND, WIDE, AVERAGE, BLOCK, False)
    if AVERAGE > 0:
        tl.store(partials + program, tl.sum(sums, 0).to(tl.float64))


# The sums of KOALA-V and KOALA-M.


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
    offsets = _offsets(at, BLOCK)
    gradient = _load(g, offsets, end, WIDE, FULL)
    if DECAY:
        position = _load(x, offsets, end, WIDE, FULL)
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
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
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
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    MOMENTUM: tl.constexpr,
    AVERAGE: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = _offsets(at, BLOCK)
    h = _load(g, offsets, end, WIDE, FULL)
    position = _load(x, offsets, end, WIDE, FULL)
    if DECAY:
        h += decay * position
    moved = position + along * h
    if SHRINKS:
        moved *= shrinkage
    _store(x, offsets, end, moved, KIND, FULL)
    if MOMENTUM:
        _store(v, offsets, end, _load(v, offsets, end, WIDE, FULL) + velocity * h, KIND, FULL)
        if AVERAGE:
            average = _load(a, offsets, end, WIDE, FULL)
            # Of x as it is stored.
            _store(a, offsets, end, average * 0.9 + moved.to(KIND).to(WIDE) * 0.1, KIND, FULL)


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def displace(
    addresses,
    chunks,
    traits,
    table,
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
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """x <- shrinkage (x + along h), v <- v + velocity h, a <- 0.9 a + 0.1 x, where the tensor moves."""
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    if tl.load(table + tensor) > 0.0:
        along = tl.load(table + tensors + tensor).to(WIDE)
        velocity = tl.load(table + 2 * tensors + tensor).to(WIDE)
        shrinkage = tl.load(table + 3 * tensors + tensor).to(WIDE)
        decay = tl.load(traits + DIRECTED * tensors + tensor).to(WIDE)
        x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
        g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
        v = x
        a = x
        if MOMENTUM:
            v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
            if AVERAGE:
                a = _memory(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
        whole = start + (end - start) // BLOCK * BLOCK
        for at in range(start, whole, BLOCK):
            _displace(
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
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                MOMENTUM,
                AVERAGE,
                BLOCK,
                True,
            )
        if whole < end:
            _displace(
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
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                MOMENTUM,
                AVERAGE,
                BLOCK,
                False,
            )


# KOALA++: the products with v' and H', and its steps. Rows of their table: whether the tensor moves, what the direction is
# multiplied by for x, the coefficients of v', h and H' in v, and what x is multiplied by afterwards.


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
    offsets = _offsets(at, BLOCK)
    gradient = _load(g, offsets, end, WIDE, FULL)
    h = gradient
    position = gradient
    if DECAY:
        position = _load(x, offsets, end, WIDE, FULL)
        h = gradient + decay * position
    covariance = _load(v, offsets, end, WIDE, FULL)
    previous = _load(p, offsets, end, WIDE, FULL)
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
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    p = _memory(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
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
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = _offsets(at, BLOCK)
    h = _load(g, offsets, end, WIDE, FULL)
    position = _load(x, offsets, end, WIDE, FULL)
    if DECAY:
        h += decay * position
    covariance = b * h
    # What stands in v' and H' of a block that begins is not to be read.
    if a != 0.0:
        covariance += a * _load(v, offsets, end, WIDE, FULL)
    if c != 0.0:
        covariance += c * _load(p, offsets, end, WIDE, FULL)
    moved = position + along * (covariance + q * h)
    if SHRINKS:
        moved *= shrinkage
    _store(x, offsets, end, moved, KIND, FULL)
    _store(v, offsets, end, covariance, KIND, FULL)
    _store(p, offsets, end, h, KIND, FULL)


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def turn(
    addresses,
    chunks,
    traits,
    table,
    constants,
    tensors,
    count,
    first,
    OTHER: tl.constexpr,
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """v <- a v' + b h + c H', x <- shrinkage (x + along (v + Q h)), H' <- h, where the tensor moves."""
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    if tl.load(table + tensor) > 0.0:
        along = tl.load(table + tensors + tensor).to(WIDE)
        a = tl.load(table + 2 * tensors + tensor).to(WIDE)
        b = tl.load(table + 3 * tensors + tensor).to(WIDE)
        c = tl.load(table + 4 * tensors + tensor).to(WIDE)
        shrinkage = tl.load(table + 5 * tensors + tensor).to(WIDE)
        decay = tl.load(traits + DIRECTED * tensors + tensor).to(WIDE)
        q = tl.load(constants + OTHER).to(WIDE)
        x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
        g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
        v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
        p = _memory(addresses, SECOND, tensors, tensor, KIND, ALIGNED)
        whole = start + (end - start) // BLOCK * BLOCK
        for at in range(start, whole, BLOCK):
            _turn(
                x, g, v, p, at, end, decay, along, a, b, c, q, shrinkage, KIND, OF_G, WIDE, DECAY, SHRINKS, BLOCK, True
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
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                BLOCK,
                False,
            )


# KOALA-A: a first reading for the largest second moment, a second in its metric, and the steps. Second moment and mean are
# kept in WIDE. Rows of the table: as of KOALA-M; rows of ``metric``: the floor, and behind it each tensor's correction.


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
    offsets = _offsets(at, BLOCK)
    gradient = _load(g, offsets, end, WIDE, FULL)
    h = gradient
    position = gradient
    if DECAY:
        position = _load(x, offsets, end, WIDE, FULL)
        h = gradient + decay * position
    second = h
    if DIAGONAL:
        second = beta * _load(s, offsets, end, WIDE, FULL) + (1.0 - beta) * h * h
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
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    beta = tl.load(constants + OTHER).to(WIDE)
    x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    s = _memory(addresses, SECOND, tensors, tensor, WIDE, ALIGNED)
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
            of_v = _load(v, _offsets(at, BLOCK), end, WIDE, True)
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
            of_v = _load(v, _offsets(whole, BLOCK), end, WIDE, False)
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
    offsets = _offsets(at, BLOCK)
    _, h, _, second = _moments(x, g, s, at, end, decay, beta, KIND, OF_G, WIDE, DECAY, True, BLOCK, FULL)
    second = second * correction
    denominator = tl.sqrt(second) + floor
    return h, _load(v, offsets, end, WIDE, FULL), second, denominator


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
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    decay = tl.load(traits + MEASURED * tensors + tensor).to(WIDE)
    beta = tl.load(constants + OTHER).to(WIDE)
    floor = tl.load(metric).to(WIDE)
    correction = tl.load(metric + 1 + tensor).to(WIDE)
    x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
    g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
    v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
    s = _memory(addresses, SECOND, tensors, tensor, WIDE, ALIGNED)
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
    KIND: tl.constexpr,
    OF_G: tl.constexpr,
    WIDE: tl.constexpr,
    DECAY: tl.constexpr,
    SHRINKS: tl.constexpr,
    DIAGONAL: tl.constexpr,
    MEAN: tl.constexpr,
    BLOCK: tl.constexpr,
    FULL: tl.constexpr,
):
    offsets = _offsets(at, BLOCK)
    _, h, _, second = _moments(x, g, s, at, end, decay, beta, KIND, OF_G, WIDE, DECAY, DIAGONAL, BLOCK, FULL)
    position = _load(x, offsets, end, WIDE, FULL)
    if DIAGONAL:
        _store(s, offsets, end, second, WIDE, FULL)
        h = h / (tl.sqrt(second * correction) + floor)
    moved = position + along * h
    if SHRINKS:
        moved *= shrinkage
    _store(x, offsets, end, moved, KIND, FULL)
    _store(v, offsets, end, _load(v, offsets, end, WIDE, FULL) + velocity * h, KIND, FULL)
    if MEAN:
        mean = _load(m, offsets, end, WIDE, FULL)
        _store(m, offsets, end, mean + weight * (moved.to(KIND).to(WIDE) - mean), WIDE, FULL)


@triton.jit(do_not_specialize=["tensors", "count", "first"])
def descend(
    addresses,
    chunks,
    traits,
    table,
    constants,
    metric,
    weights,
    places,
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
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
    ALIGNED_G: tl.constexpr,
):
    """s, x <- shrinkage (x + along h / D), v <- v + velocity h / D, and the mean of x, where the tensor moves."""
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    if tl.load(table + tensor) > 0.0:
        along = tl.load(table + tensors + tensor).to(WIDE)
        velocity = tl.load(table + 2 * tensors + tensor).to(WIDE)
        shrinkage = tl.load(table + 3 * tensors + tensor).to(WIDE)
        decay = tl.load(traits + DIRECTED * tensors + tensor).to(WIDE)
        beta = tl.load(constants + OTHER).to(WIDE)
        floor = tl.load(metric).to(WIDE)
        correction = tl.load(metric + 1 + tensor).to(WIDE)
        weight = tl.load(weights + tl.load(places + tensor)).to(WIDE)
        x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
        g = _memory(addresses, GRADIENT, tensors, tensor, OF_G, ALIGNED_G)
        v = _memory(addresses, FIRST, tensors, tensor, KIND, ALIGNED)
        s = _memory(addresses, SECOND, tensors, tensor, WIDE, ALIGNED)
        m = _memory(addresses, THIRD, tensors, tensor, WIDE, ALIGNED)
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
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                DIAGONAL,
                MEAN,
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
                KIND,
                OF_G,
                WIDE,
                DECAY,
                SHRINKS,
                DIAGONAL,
                MEAN,
                BLOCK,
                False,
            )


@triton.jit
def _follow(x, m, at, end, weight, KIND: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr, FULL: tl.constexpr):
    offsets = _offsets(at, BLOCK)
    mean = _load(m, offsets, end, WIDE, FULL)
    _store(m, offsets, end, mean + weight * (_load(x, offsets, end, WIDE, FULL) - mean), WIDE, FULL)


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
    program, tensor, start, end = _chunk(chunks, first, count, BLOCK)
    weight = tl.load(weights + tl.load(places + tensor)).to(WIDE)
    if weight > 0.0:
        x = _memory(addresses, PARAMETER, tensors, tensor, KIND, ALIGNED)
        m = _memory(addresses, THIRD, tensors, tensor, WIDE, ALIGNED)
        whole = start + (end - start) // BLOCK * BLOCK
        for at in range(start, whole, BLOCK):
            _follow(x, m, at, end, weight, KIND, WIDE, BLOCK, True)
        if whole < end:
            _follow(x, m, whole, end, weight, KIND, WIDE, BLOCK, False)
