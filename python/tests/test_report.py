"""Numbers for loggers: names, and what stands for what."""

import math

import pytest
import torch

import koala_optim

COMMON = {"loss", "second_moment", "target", "gain", "measurement_noise", "update_norm", "gradient_norm"}
COMMON |= {"effective_learning_rate", "bound_factor", "missing", "missing_in_a_row", "blocks_skipped", "blocks_clamped"}
OF_METHOD = {
    koala_optim.KoalaV: {"covariance", "process_noise"},
    koala_optim.KoalaM: {"process_noise/position", "process_noise/velocity"}
    | {"covariance/p11", "covariance/p12", "covariance/p22"},
    koala_optim.KoalaPP: {"process_noise"},
    koala_optim.KoalaA: {"process_noise", "covariance/p11", "covariance/p12", "covariance/p22"}
    | {"whiteness/gradient_squared", "whiteness/correlation"}
    | {"whiteness/smoothed_correlation", "whiteness/corrected_correlation"},
}


def stepped(kind, losses=(1.0, 3.0), gradients=(2.0, None), **options):
    parameters = [(name, torch.nn.Parameter(torch.ones(4))) for name in ("first", "second")]
    optimizer = kind(parameters, **options)
    assert koala_optim.scalars(optimizer) == {}
    optimizer.predict()
    optimizer.observe(torch.tensor(losses))
    for (_, parameter), gradient in zip(parameters, gradients):
        parameter.grad = None if gradient is None else torch.full((4,), gradient)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("kind", OF_METHOD)
def test_names(kind):
    assert set(koala_optim.scalars(stepped(kind), prefix="")) == COMMON | OF_METHOD[kind]


def test_numbers():
    optimizer = stepped(koala_optim.KoalaV)
    numbers = koala_optim.scalars(optimizer, prefix="", blocks=True)
    r, p, h2 = 0.9 + 0.1 * 5.0, 1.1, 16.0
    step = 2.0 * p / (p * h2 + r)
    expected = {"loss": 2.0, "second_moment": 5.0, "measurement_noise": r, "covariance": p * r / (p * h2 + r)}
    expected |= {"effective_learning_rate": step, "update_norm": 4.0 * step, "gradient_norm": 4.0, "missing": 0.0}
    expected |= {"blocks_skipped": 1.0, "first/effective_learning_rate": step, "first/innovation": -2.0}
    assert {name: numbers[name] for name in expected} == pytest.approx(expected)
    state = koala_optim.filter_state(optimizer)
    assert state["covariance"] == {"scalar": numbers["covariance"]}
    assert state["measurement_noise"] == numbers["measurement_noise"]
    assert state["process_noise"] == {"scalar": 1.0}


def test_a_block_that_did_not_move_has_no_numbers():
    names = set(koala_optim.scalars(stepped(koala_optim.KoalaV), prefix="", blocks=True))
    assert "first/gradient_norm" in names
    assert not any(name.startswith("second/") for name in names)


def test_a_missing_step():
    optimizer = stepped(koala_optim.KoalaM, gradients=(float("nan"), 1.0))
    numbers = koala_optim.scalars(optimizer, prefix="", blocks=True)
    assert numbers["missing"] == numbers["missing_in_a_row"] == 1.0
    assert numbers["loss"] == 2.0 and numbers["update_norm"] == 0.0
    assert {"gradient_norm", "effective_learning_rate", "first/gradient_norm"}.isdisjoint(numbers)
    assert numbers["covariance/p11"] > 0.2
    assert "first" in optimizer.report()["outcome"]["missing"]["cause"]


def test_the_whiteness_test_and_the_metric():
    """Equal gradients: the second points along the velocity that the first has left behind, so the filter moves too little."""
    parameters = [(name, torch.nn.Parameter(torch.ones(4))) for name in ("first", "second")]
    optimizer = koala_optim.KoalaA(parameters)
    for correlation in (0.0, 1.0):
        optimizer.predict()
        optimizer.observe(torch.tensor([1.0, 3.0]))
        for (_, parameter), gradient in zip(parameters, (1.0, 10.0)):
            parameter.grad = torch.full((4,), gradient)
        optimizer.step()
        numbers = koala_optim.scalars(optimizer, prefix="", blocks=True)
        assert numbers["whiteness/correlation"] == pytest.approx(correlation)
        # A = c / sqrt(s^) with c = sum s^ / sum sqrt(s^) = 404 / 44.
        assert numbers["first/metric"] == pytest.approx(404 / 44)
        assert numbers["second/metric"] == pytest.approx(404 / 440)
        assert numbers["whiteness/gradient_squared"] == pytest.approx(404.0)
    assert numbers["whiteness/smoothed_correlation"] == pytest.approx(0.1)
    assert numbers["whiteness/corrected_correlation"] == pytest.approx(1.0)
    assert numbers["process_noise"] == pytest.approx(0.07 * math.exp(0.25 / (1 + 2 / 30)))
    assert koala_optim.filter_state(optimizer)["process_noise"] == {"scalar": numbers["process_noise"]}


def test_losses_below_the_target_are_counted():
    numbers = koala_optim.scalars(stepped(koala_optim.KoalaV, target=9.0, gradients=(1.0, 1.0)))
    assert numbers["koala/blocks_clamped"] == 2.0
