"""Lightning: manual and automatic optimization make the same steps as the loop by hand."""

import pytest
import torch

pytest.importorskip("lightning", reason="lightning is not installed")

import lightning
from lightning.pytorch.plugins import MixedPrecision
from torch.amp import GradScaler

import koala_optim
from koala_optim.integrations.lightning import EvaluateAtMean

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


class Observed:
    """What a module with KOALA-A sees: its parameters as it is trained, validated and tested."""

    def __init__(self, script, kind):
        observed = self
        self.training, self.validation, self.test = [], [], []

        class Module(getattr(script, kind)):
            def configure_optimizers(self):
                return koala_optim.KoalaA(self.parameters())

            def on_train_batch_end(self, *_):
                observed.training.append(observed.parameters(self))

            def on_validation_epoch_start(self):
                observed.validation.append(observed.parameters(self))

            def on_test_epoch_start(self):
                observed.test.append(observed.parameters(self))

            def test_step(self, batch, batch_index):
                self.losses(batch)

        torch.manual_seed(0)
        self.module = Module()

    @staticmethod
    def parameters(module):
        return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


@pytest.mark.parametrize("kind", ["Manual", "Automatic"])
def test_validation_and_test_are_at_the_mean(script, trained_by_hand, kind, tmp_path):
    observed = Observed(script, kind)
    callback = EvaluateAtMean()
    options = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_epochs=2, callbacks=[callback], default_root_dir=str(tmp_path), **options)
    trainer.fit(observed.module, script.data(), script.data(16))
    trainer.test(observed.module, script.data(16))
    torch.manual_seed(0)
    by_hand = script.Manual()
    optimizer = koala_optim.KoalaA(by_hand.parameters())
    # Of the sanity check, before there is a mean.
    assert torch.equal(observed.validation[0], observed.parameters(by_hand))
    for epoch in range(2):
        trained_by_hand(by_hand, optimizer, lambda model, batch: model.losses(batch), [[b] for b in script.data()])
        outside = observed.parameters(by_hand)
        assert torch.equal(observed.training[8 * epoch + 7], outside)
        with optimizer.averaged():
            at_mean = observed.parameters(by_hand)
        assert torch.equal(observed.validation[1 + epoch], at_mean) and not torch.equal(at_mean, outside)
    assert torch.equal(observed.test[0], at_mean)
    # Afterwards, and in the checkpoint, they are those of the training.
    assert torch.equal(observed.parameters(observed.module), outside)
    state = torch.load(trainer.checkpoint_callback.best_model_path, weights_only=True)["state_dict"]
    assert torch.equal(torch.cat([value.flatten() for value in state.values()]), outside)


def test_a_validation_that_fails_leaves_the_parameters_of_the_training(script):
    observed = Observed(script, "Manual")

    def fails(batch, batch_idx):
        if observed.training:
            raise ZeroDivisionError

    observed.module.validation_step = fails
    options = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_epochs=2, callbacks=[EvaluateAtMean()], enable_checkpointing=False, **options)
    with pytest.raises(ZeroDivisionError):
        trainer.fit(observed.module, script.data(), script.data(16))
    assert not torch.equal(observed.validation[-1], observed.training[-1])
    assert torch.equal(observed.parameters(observed.module), observed.training[-1])


def test_a_step_is_given_up_through_lightnings_wrapper(script, trained_by_hand, assert_same):
    class Skipping(script.Manual):
        def training_step(self, batch, batch_index):
            if batch_index != 3:
                return super().training_step(batch, batch_index)
            optimizer = self.optimizers()
            optimizer.predict()
            optimizer.observe(self.losses(batch) + 100.0)
            optimizer.abandon()
            assert not optimizer.predicted

    module = trained(script, Skipping)
    torch.manual_seed(0)
    other = script.Manual()
    optimizer = koala_optim.KoalaM(other.parameters())
    batches = [[batch] for batch in script.data()]
    for _ in range(2):
        trained_by_hand(other, optimizer, lambda model, batch: model.losses(batch), batches[:3])
        optimizer.predict()
        optimizer.abandon()
        trained_by_hand(other, optimizer, lambda model, batch: model.losses(batch), batches[4:])
    assert_same(module, other, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("observed", [False, True])
def test_a_training_step_that_returns_none_skips_the_step(script, observed):
    class Skipping(script.Automatic):
        def training_step(self, batch, batch_index):
            if batch_index != 3:
                return super().training_step(batch, batch_index)
            if observed:
                self.optimizers().observe(self.losses(batch) + 100.0)
                self.optimizers().abandon()
            return None

    module = trained(script, Skipping)
    koala = module.trainer.optimizers[0]
    assert koala.filter_state()["step"] == 14 and koala.filter_state()["measurement_noise"] < 10.0


def test_lightning_that_clips_is_warned_of(script):
    with pytest.warns(UserWarning, match="Lightning clips gradients .*gradient_clip_val=None.*max_update_norm"):
        trained(script, script.Automatic, gradient_clip_val=1.0, callbacks=[EvaluateAtMean()])


def test_an_error_ends_the_step_that_was_begun(script):
    class Fails(script.Automatic):
        def training_step(self, batch, batch_index):
            if batch_index == 3:
                raise ZeroDivisionError
            return super().training_step(batch, batch_index)

    torch.manual_seed(0)
    module = Fails()
    with pytest.raises(ZeroDivisionError):
        script.main(module, callbacks=[EvaluateAtMean()])
    assert not module.trainer.optimizers[0].predicted


@pytest.mark.parametrize("kind", ["Manual", "Automatic"])
def test_a_gradient_scaler(script, kind):
    scaler = GradScaler("cpu", init_scale=2.0**20)
    module = trained(script, getattr(script, kind), plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    assert scaler.get_scale() < 2.0**20
    assert all(parameter.isfinite().all() for parameter in module.parameters())
    assert sum(module.history[8:]) < sum(module.history[:8])
