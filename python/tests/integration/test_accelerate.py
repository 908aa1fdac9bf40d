"""accelerate: the wrapped optimizer steps, the inner one predicts and observes."""

import pytest
import torch

pytest.importorskip("accelerate", reason="accelerate is not installed")

from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch.amp import GradScaler

import koala_optim
from koala_optim.integrations.accelerate import expose


def problem(kind=koala_optim.KoalaM):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    return model, kind(model.parameters()), torch.randn(6, 8, 4)


def losses_of(model, inputs):
    return (model(inputs) - 1.0).square().mean(1)


def accumulated(accelerator, model, optimizer, batches):
    koala = optimizer.optimizer
    for batch in batches:
        with accelerator.accumulate(model):
            if not koala.predicted:
                koala.predict()
            losses = losses_of(model, batch)
            koala.observe(losses)
            accelerator.backward(losses.mean())
            optimizer.step()
            optimizer.zero_grad()


def test_the_example_learns(example):
    history = example("accelerate_loop").main(epochs=8)
    assert sum(history[-8:]) < 0.9 * sum(history[:8])


def test_accumulated_micro_batches_are_the_loop_by_hand(trained_by_hand, assert_same):
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model, optimizer, batches = problem()
    accumulated(accelerator, *accelerator.prepare(model, optimizer), batches)
    by_hand, other, batches = problem()
    trained_by_hand(by_hand, other, losses_of, batches.split(2))
    assert_same(model, by_hand, rtol=1e-4, atol=1e-6)


def test_through_the_wrapper_it_is_the_loop_by_hand(trained_by_hand, assert_same):
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model, optimizer, batches = problem()
    model, optimizer = accelerator.prepare(model, optimizer)
    assert expose(optimizer) is optimizer
    for at, batch in enumerate(batches):
        with accelerator.accumulate(model):
            optimizer.predict()
            losses = losses_of(model, batch)
            optimizer.observe(losses)
            if at == 3:
                # The second step is given up.
                optimizer.abandon()
                optimizer.zero_grad()
                continue
            accelerator.backward(losses.mean())
            optimizer.step()
            optimizer.zero_grad()
    assert optimizer.report()["outcome"] == "measured" and optimizer.filter_state()["step"] == 2
    by_hand, other, batches = problem()
    pairs = batches.split(2)
    trained_by_hand(by_hand, other, losses_of, pairs[:1])
    other.predict()
    other.abandon()
    trained_by_hand(by_hand, other, losses_of, pairs[2:])
    assert_same(model, by_hand, rtol=1e-4, atol=1e-6)


def test_the_mean_through_the_wrapper():
    accelerator = Accelerator(cpu=True)
    model, optimizer, batches = problem(koala_optim.KoalaA)
    model, optimizer = accelerator.prepare(model, optimizer)
    expose(optimizer)
    accumulated(accelerator, model, optimizer, batches)
    with optimizer.averaged():
        inside = [parameter.detach().clone() for parameter in model.parameters()]
    state = optimizer.averaged_state_dict(model)
    assert all(torch.equal(x, y) for x, y in zip(state.values(), inside))


def test_another_optimizer_is_an_error():
    accelerator = Accelerator(cpu=True)
    wrapped = accelerator.prepare(torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1))
    with pytest.raises(TypeError, match="expose needs a KOALA optimizer that accelerate wraps, but got SGD"):
        expose(wrapped)


def test_evaluation_at_the_mean(trained_by_hand, assert_same):
    accelerator = Accelerator(cpu=True)
    model, optimizer, batches = problem(koala_optim.KoalaA)
    model, optimizer = accelerator.prepare(model, optimizer)
    accumulated(accelerator, model, optimizer, batches)
    by_hand, other, batches = problem(koala_optim.KoalaA)
    trained_by_hand(by_hand, other, losses_of, [[batch] for batch in batches])
    with optimizer.optimizer.averaged(), other.averaged():
        assert_same(accelerator.unwrap_model(model), by_hand, rtol=1e-4, atol=1e-6)
        inside = [parameter.detach().clone() for parameter in model.parameters()]
    state = optimizer.optimizer.averaged_state_dict(accelerator.unwrap_model(model))
    assert all(torch.equal(x, y) for x, y in zip(state.values(), inside))
    assert not any(torch.equal(x, y) for x, y in zip(model.parameters(), inside))


@pytest.mark.parametrize("kind", [koala_optim.KoalaM, koala_optim.KoalaA])
def test_saved_and_loaded_training_goes_on(kind, tmp_path, assert_same):
    accelerator = Accelerator(cpu=True)
    model, optimizer, batches = problem(kind)
    prepared = accelerator.prepare(model, optimizer)
    accumulated(accelerator, *prepared, batches[:3])
    accelerator.save_state(str(tmp_path))
    accumulated(accelerator, *prepared, batches[3:])
    after = [parameter.detach().clone() for parameter in model.parameters()]
    accumulated(accelerator, *prepared, batches)
    accelerator.load_state(str(tmp_path))
    accumulated(accelerator, *prepared, batches[3:])
    for parameter, expected in zip(model.parameters(), after):
        assert torch.equal(parameter, expected)


def test_its_scaler_takes_an_overflow_for_a_missing_measurement():
    accelerator = Accelerator(cpu=True)
    model, koala, batches = problem()
    scaler = GradScaler("cpu", init_scale=2.0**127)
    optimizer = AcceleratedOptimizer(koala, scaler=scaler)
    missing = []
    for batch in batches:
        optimizer.zero_grad()
        koala.predict()
        losses = losses_of(model, 100.0 * batch)
        koala.observe(losses)
        scaler.scale(losses.mean()).backward()
        optimizer.step()
        missing.append(koala_optim.scalars(koala)["koala/missing"])
    assert missing[0] == 1.0 and missing[-1] == 0.0
    assert accelerator.sync_gradients
