"""Rust and foreach operations do the same, whatever the layout of the tensors in memory."""

from collections.abc import Callable

import hypothesis
import hypothesis.strategies as st
import pytest
import torch
from support import Variant, difference, memory, network, same, train, values
from torch import Tensor, nn

from koala_optim import KoalaA, KoalaM, rows

WITHIN = {torch.float32: 2e-6, torch.float64: 1e-12}
SETTINGS = [
    {},
    {"weight_decay": 0.05},
    {"weight_decay": 0.05, "decay_rule": "decoupled"},
    {"weight_decay": 0.05, "partition": "global"},
    {"max_update_norm": 0.01, "lr": 0.7},
    {"target": 0.5, "measurement_noise": 0.3},
    {"target": 0.5, "target_rule": "offset", "initial_measurement_noise": 2.0, "measurement_noise_smoothing": 0.5},
]


@pytest.mark.parametrize("dtype", WITHIN, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_training_is_the_same(variant: Variant, dtype: torch.dtype, settings: dict) -> None:
    model, twin = network(dtype), network(dtype)
    rust, foreach = (
        variant(model.parameters(), foreach=False, **settings),
        variant(twin.parameters(), foreach=True, **settings),
    )
    train(rust, model, range(10))
    train(foreach, twin, range(10))
    # Rounding of a gradient grows through the network it is of.
    assert difference(values(model), values(twin)) < 20 * WITHIN[dtype]
    left, right = rust.filter_state(), foreach.filter_state()
    assert left["measurement_noise"] == pytest.approx(right["measurement_noise"], rel=20 * WITHIN[dtype])


def plain(x: Tensor) -> Tensor:
    return x.clone(memory_format=torch.contiguous_format)


def channels_last(x: Tensor) -> Tensor:
    return x.clone(memory_format=torch.channels_last) if x.dim() == 4 else x.clone()


def transposed(x: Tensor) -> Tensor:
    return x.transpose(0, -1).contiguous().transpose(0, -1) if x.dim() > 1 else x.clone()


def with_gaps(x: Tensor) -> Tensor:
    wide = torch.zeros(*x.shape, 2, dtype=x.dtype)
    wide[..., 0] = x
    return wide[..., 0]


def offset(x: Tensor) -> Tensor:
    line = torch.zeros(x.numel() + 3, dtype=x.dtype)
    line[3:] = x.reshape(-1)
    return line[3:].view(x.shape)


LAYOUTS = (plain, channels_last, transposed, offset, with_gaps)
SHAPES = ((2, 3, 4, 5), (6, 4), (1, 7, 1, 1), (5,), (), (0,), (3, 0), (1, 1))


def stepped(optimizer, parameters: list[Tensor], gradient_layout: Callable[[Tensor], Tensor], steps: int = 4) -> None:
    for step in range(steps):
        optimizer.predict()
        generator = torch.Generator().manual_seed(step)
        for parameter in parameters:
            given = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            parameter.grad = gradient_layout(given)
        optimizer.update(torch.rand(6, generator=generator) + 0.5)


def made(layout: Callable[[Tensor], Tensor], dtype: torch.dtype) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(99)
    return [nn.Parameter(layout(torch.randn(shape, generator=generator, dtype=dtype))) for shape in SHAPES]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("gradient_layout", LAYOUTS, ids=lambda f: f.__name__)
def test_layouts_in_memory_change_nothing(variant: Variant, layout, gradient_layout) -> None:
    for dtype, within in WITHIN.items():
        expected = made(plain, dtype)
        stepped(variant(expected, foreach=False, weight_decay=0.02), expected, plain)
        for foreach in (None, True):
            found = made(layout, dtype)
            optimizer = variant(found, foreach=foreach, weight_decay=0.02)
            strides = [parameter.stride() for parameter in found]
            places = [parameter.data_ptr() for parameter in found]
            stepped(optimizer, found, gradient_layout)
            assert difference(values(expected), values(found)) < within
            assert [parameter.stride() for parameter in found] == strides
            assert [parameter.data_ptr() for parameter in found] == places
            if layout is not with_gaps:
                assert all(
                    vector.stride() == parameter.stride()
                    for parameter in found
                    for vector in optimizer.state[parameter].values()
                )


def test_a_layout_that_changes_on_the_way(variant: Variant, foreach: bool) -> None:
    """As ``model.to(memory_format=torch.channels_last)`` between steps."""
    expected, found = made(plain, torch.float64), made(plain, torch.float64)
    steady, changing = variant(expected, foreach=foreach), variant(found, foreach=foreach)
    stepped(steady, expected, plain, 2)
    stepped(changing, found, plain, 2)
    for parameter in found:
        parameter.data = channels_last(transposed(parameter.data))
    stepped(steady, expected, plain, 3)
    stepped(changing, found, plain, 3)
    assert difference(values(expected), values(found)) < 1e-13
    assert difference(memory(steady), memory(changing)) < 1e-12


def test_expanded_gradients(variant: Variant, foreach: bool) -> None:
    """Those of a sum are one number, expanded."""
    one, other = (nn.Parameter(torch.arange(12.0).reshape(3, 4)) for _ in range(2))
    expanded, dense = variant([one], foreach=foreach), variant([other], foreach=foreach)
    for _ in range(3):
        expanded.predict()
        one.grad = torch.ones(()).expand(3, 4)
        expanded.update(2.0)
        dense.predict()
        other.grad = torch.ones(3, 4)
        dense.update(2.0)
        assert same([one], [other])


def test_both_engines_in_one_optimizer(variant: Variant) -> None:
    """Parameters that Rust cannot take go through foreach operations, and the filter ties all of them together."""
    mixed = [
        nn.Parameter(plain(torch.ones(3, 4))),
        nn.Parameter(with_gaps(torch.ones(5))),
        nn.Parameter(torch.ones(2).double()),
    ]
    equal = [nn.Parameter(torch.ones(shape).double()) for shape in ((3, 4), (5,), (2,))]
    for parameters in (mixed, equal):
        optimizer = variant(parameters)
        for step in range(4):
            optimizer.predict()
            for parameter in parameters:
                parameter.grad = torch.full_like(parameter, 0.3 + step)
            optimizer.update(torch.tensor([1.0, 2.0]))
    assert difference([parameter.double() for parameter in mixed], equal) < 2e-6


def test_both_engines_share_the_largest_second_moment() -> None:
    """It is in the metric of all parameters, whichever engine has the one that it is of."""
    for large in (0, 1):
        mixed = [nn.Parameter(torch.ones(3, 4).double()), nn.Parameter(with_gaps(torch.ones(5).double()))]
        equal = [nn.Parameter(torch.ones(shape).double()) for shape in ((3, 4), (5,))]
        for parameters in (mixed, equal):
            optimizer = KoalaA(parameters, epsilon=0.5)
            for step in range(4):
                optimizer.predict()
                for at, parameter in enumerate(parameters):
                    parameter.grad = torch.full_like(parameter, (100.0 if at == large else 0.3) + step)
                optimizer.update(torch.tensor([1.0, 2.0]))
                if step == 0:
                    # x moves along g / D, where D = |g| + epsilon 100 in the first step.
                    first, second = (1.0 - float(parameter.detach().reshape(-1)[0]) for parameter in parameters)
                    here, there = 100.0 / 150.0, 0.3 / 50.3
                    assert first / second == pytest.approx(there / here if large else here / there, rel=1e-9)
        assert difference(values(mixed), values(equal)) < 1e-12


def test_the_third_vector_is_no_shared_memory_either(variant: Variant) -> None:
    """What stands in the state may come from anywhere: each vector is checked."""
    for name in variant.memory:
        parameter = nn.Parameter(torch.ones(4))
        optimizer = variant([parameter], foreach=False)
        optimizer.state[parameter][name] = parameter.data
        with pytest.raises(ValueError, match="share memory"):
            optimizer.predict()
            parameter.grad = torch.ones(4)
            optimizer.update(1.0)
        assert torch.equal(parameter, torch.ones(4))


def test_shared_memory_is_refused_by_rust(variant: Variant) -> None:
    line = torch.ones(10)
    parameters = [nn.Parameter(line[:6]), nn.Parameter(line[4:])]
    optimizer = variant(parameters, foreach=False)
    with pytest.raises(ValueError, match="share memory; give each parameter memory of its own"):
        optimizer.predict()
        for parameter in parameters:
            parameter.grad = torch.ones(6)
        optimizer.update(1.0)
    assert torch.equal(line, torch.ones(10))


def test_a_gradient_that_is_the_parameters_memory_is_refused_by_rust(variant: Variant) -> None:
    parameter = nn.Parameter(torch.ones(4))
    optimizer = variant([parameter], foreach=False)
    optimizer.predict()
    parameter.grad = parameter.data
    with pytest.raises(ValueError, match="share memory"):
        optimizer.update(1.0)
    assert torch.equal(parameter, torch.ones(4))


def test_neighbours_in_one_storage_are_no_shared_memory(variant: Variant, foreach: bool) -> None:
    line, apart = torch.ones(10), [nn.Parameter(torch.ones(5)) for _ in range(2)]
    together = [nn.Parameter(line[:5]), nn.Parameter(line[5:])]
    for parameters in (together, apart):
        optimizer = variant(parameters, foreach=foreach)
        gradients = torch.arange(10.0)
        optimizer.predict()
        for at, parameter in enumerate(parameters):
            parameter.grad = gradients[5 * at : 5 * at + 5]
        optimizer.update(1.0)
    assert same(values(together), values(apart))


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
@hypothesis.given(data=st.data())
def test_any_dense_order_of_elements(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(0, 4), min_size=0, max_size=4))
    order = data.draw(st.permutations(range(len(shape))))
    own = data.draw(st.permutations(range(len(shape))))

    def ordered(x: Tensor, order) -> Tensor:
        inverse = [order.index(at) for at in range(len(order))]
        return x.permute(order).contiguous().permute(inverse) if order else x.clone()

    generator = torch.Generator().manual_seed(5)
    values_, gradient = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    results = []
    for layout, gradient_layout in ((None, None), (order, own)):
        parameter = nn.Parameter(ordered(values_, layout) if layout else values_.clone())
        optimizer = KoalaM([parameter], foreach=False, weight_decay=0.1)
        for _ in range(3):
            optimizer.predict()
            parameter.grad = ordered(gradient, gradient_layout) if gradient_layout else gradient.clone()
            optimizer.update(1.5)
        results.append(values([parameter]))
    assert difference(*results) < 1e-13


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("settings", [{}, {"negative_residual": "error"}], ids=["device", "host"])
def test_pieces_change_no_bit(variant: Variant, settings: dict, dtype: torch.dtype, monkeypatch) -> None:
    """Foreach operations take tensors on the CPU in pieces, wherever the filter is."""
    found = []
    for room in (1, 20, 1 << 20):
        monkeypatch.setattr(rows, "PIECE", room)
        model = network(dtype)
        optimizer = variant(model.parameters(), foreach=True, weight_decay=0.01, **settings)
        train(optimizer, model, range(4))
        found.append((values(model), memory(optimizer), optimizer.report()))
    for other in found[1:]:
        assert same(other[0], found[0][0]) and same(other[1], found[0][1]) and other[2] == found[0][2]


@pytest.mark.parametrize("settings", [{}, {"negative_residual": "error"}], ids=["device", "host"])
def test_sums_of_large_tensors_lose_no_digits(variant: Variant, settings: dict) -> None:
    """Norms in ``float32`` do on the CPU: of four million numbers, all but three."""
    gradient = 1e-3 * torch.randn(1 << 22, generator=torch.Generator().manual_seed(0)) + 1e-4
    norms = []
    for foreach in (False, True):
        parameter = nn.Parameter(torch.zeros_like(gradient))
        parameter.grad = gradient
        optimizer = variant([parameter], foreach=foreach, **settings)
        optimizer.predict()
        optimizer.update(torch.ones(4))
        report = optimizer.report()
        norms.append((report["blocks"][0]["gradient_norm"], report["update_norm"]))
    assert norms[1] == pytest.approx(norms[0], rel=1e-6)
