"""Lightning: manual and automatic optimization make the same steps as the loop by hand."""

import pytest
import torch

pytest.importorskip("lightning", reason="lightning is not installed")

from lightning.pytorch.plugins import MixedPrecision
from torch.amp import GradScaler

import koala_optim

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def script(example):
    return example("lightning_module")


def by_hand(script, trained_by_hand, micro_batches=1, epochs=2):
    torch.manual_seed(0)
    module = script.Manual()
    batches = list(script.data()) * epochs
    steps = [batches[at : at + micro_batches] for at in range(0, len(batches), micro_batches)]
    optimizer = koala_optim.KoalaM(module.parameters())
    return trained_by_hand(module, optimizer, lambda model, batch: model.losses(batch), steps)


def trained(script, kind, **options):
    torch.manual_seed(0)
    return script.main(kind(), epochs=2, **options)


@pytest.mark.parametrize("kind", ["Manual", "Automatic"])
def test_the_steps_are_those_of_the_loop_by_hand(script, trained_by_hand, assert_same, kind):
    module = trained(script, getattr(script, kind))
    assert_same(module, by_hand(script, trained_by_hand), rtol=0.0, atol=0.0)
    assert sum(module.history[8:]) < sum(module.history[:8])


def test_automatic_optimization_accumulates_micro_batches(script, trained_by_hand, assert_same):
    module = trained(script, script.Automatic, accumulate_grad_batches=2)
    assert_same(module, by_hand(script, trained_by_hand, micro_batches=2), rtol=1e-4, atol=1e-6)


def test_automatic_optimization_without_observing_takes_the_mean_loss(script, trained_by_hand, assert_same):
    """All that Lightning's closure returns is the mean: the filter then takes all losses for equal."""

    class Plain(script.Regression):
        def training_step(self, batch, batch_index):
            return self.losses(batch).mean()

    module = trained(script, Plain)
    torch.manual_seed(0)
    other = script.Manual()
    optimizer = koala_optim.KoalaM(other.parameters())
    trained_by_hand(
        other, optimizer, lambda model, batch: model.losses(batch).mean()[None], [[b] for b in script.data()] * 2
    )
    assert_same(module, other, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("kind", ["Manual", "Automatic"])
def test_a_gradient_scaler(script, kind):
    scaler = GradScaler("cpu", init_scale=2.0**20)
    module = trained(script, getattr(script, kind), plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    assert scaler.get_scale() < 2.0**20
    assert all(parameter.isfinite().all() for parameter in module.parameters())
    assert sum(module.history[8:]) < sum(module.history[:8])
