"""torch.amp.GradScaler: unscaled gradients, overflows as missing measurements, and nothing else changed."""

import pytest
import torch
from torch.amp import GradScaler
from torch.nn.utils import clip_grad_norm_

import koala_optim

KINDS = [koala_optim.KoalaV, koala_optim.KoalaM, koala_optim.KoalaPP, koala_optim.KoalaA]
# Gradients above 2 do not fit float32 under this scale.
TOO_MUCH = 2.0**127


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Training:
    """A small regression, trained with or without a scaler. Equal seeds give equal trainings."""

    def __init__(self, kind=koala_optim.KoalaM, scaler=None, dtype=torch.float32, clip=None, unscale=False, **options):
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).to(dtype)
        self.inputs, self.targets = torch.randn(12, 4).to(dtype), (10.0 + torch.randn(12, 2)).to(dtype)
        self.optimizer = kind(self.model.parameters(), **options)
        self.scaler = scaler
        self.clip, self.unscale = clip, unscale or clip is not None
        self.generator = torch.Generator().manual_seed(1)

    def losses(self, chosen):
        return (self.model(self.inputs[chosen]) - self.targets[chosen]).square().mean(1)

    def step(self, parts=1, missing=False):
        chosen = torch.randperm(12, generator=self.generator)[:8]
        self.optimizer.zero_grad()
        self.optimizer.predict()
        for part in chosen.chunk(parts):
            losses = self.losses(part)
            self.optimizer.observe(losses * float("nan") if missing else losses)
            loss = losses.sum() / len(chosen)
            (self.scaler.scale(loss) if self.scaler else loss).backward()
        if self.scaler and self.unscale:
            self.scaler.unscale_(self.optimizer)
        if self.clip is not None:
            clip_grad_norm_(self.model.parameters(), self.clip)
        if self.scaler:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self.optimizer.step()
        return self

    def values(self):
        """Parameters and the method's vectors."""
        vectors = [vector for parameter in self.model.parameters() for vector in self.vectors(parameter)]
        return torch.cat([value.detach().flatten().clone() for value in [*self.model.parameters(), *vectors]])

    def vectors(self, parameter):
        return self.optimizer.state[parameter].values()


def missing(training: Training) -> bool:
    return koala_optim.scalars(training.optimizer)["koala/missing"] == 1.0


def same(left: Training, right: Training) -> bool:
    return torch.equal(left.values(), right.values()) and (
        left.optimizer.filter_state() == right.optimizer.filter_state()
    )


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_scaler_changes_nothing(kind, foreach):
    plain = Training(kind, foreach=foreach)
    scaled = Training(kind, GradScaler("cpu", init_scale=2.0**16), foreach=foreach)
    for _ in range(10):
        # A power of two scales without rounding.
        assert same(scaled.step(), plain.step())


@pytest.mark.parametrize("kind", KINDS)
def test_a_scale_that_rounds_changes_roundings_alone(kind):
    plain, scaled = Training(kind), Training(kind, GradScaler("cpu", init_scale=1000.0))
    for _ in range(10):
        plain.step(), scaled.step()
    torch.testing.assert_close(scaled.values(), plain.values(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_unscaling_before_makes_the_same_step(kind):
    before = Training(kind, GradScaler("cpu", init_scale=1000.0), unscale=True)
    within = Training(kind, GradScaler("cpu", init_scale=1000.0))
    for _ in range(5):
        assert same(before.step(), within.step())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_gradients_are_left_unscaled_as_other_optimizers_leave_them(dtype):
    plain = Training(dtype=dtype).step()
    scaled = Training(scaler=GradScaler("cpu", init_scale=2.0**6), dtype=dtype).step()
    for left, right in zip(scaled.model.parameters(), plain.model.parameters()):
        assert left.grad.dtype is dtype
        torch.testing.assert_close(left.grad, right.grad)


def test_clipping_after_unscaling():
    plain = Training(clip=0.1)
    scaled = Training(scaler=GradScaler("cpu", init_scale=2.0**16), clip=0.1)
    for _ in range(5):
        assert same(scaled.step(), plain.step())


@pytest.mark.parametrize("clip", [None, 0.1])
@pytest.mark.parametrize("unscale", [False, True])
@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_overflow_is_a_missing_measurement(kind, foreach, unscale, clip):
    scaler = GradScaler("cpu", init_scale=2.0**16)
    scaled = Training(kind, scaler, unscale=unscale, clip=clip, foreach=foreach)
    plain = Training(kind, clip=clip, foreach=foreach)
    for step in range(9):
        overflow = step in (3, 4)
        if step == 3:
            scaler.update(TOO_MUCH)
        before = scaler.get_scale()
        scaled.step(), plain.step(missing=overflow)
        assert same(scaled, plain)
        assert scaled.values().isfinite().all()
        assert missing(scaled) == overflow
        assert scaler.get_scale() == (before / 2 if overflow else before)
        if step == 4:
            scaler.update(2.0**16)


def test_after_an_overflow_parameters_and_velocities_are_the_predicted_ones():
    training = Training(scaler=GradScaler("cpu", init_scale=2.0**16)).step().step()
    training.scaler.update(TOO_MUCH)
    parameters = [parameter.detach().clone() for parameter in training.model.parameters()]
    velocities = [training.optimizer.state[p]["velocity"].clone() for p in training.model.parameters()]
    training.step()
    for parameter, x, v in zip(training.model.parameters(), parameters, velocities):
        assert v.abs().max() > 0.0
        assert torch.equal(parameter, x + v)
        torch.testing.assert_close(training.optimizer.state[parameter]["velocity"], 0.9 * v)


def test_the_scale_falls_until_gradients_fit_and_grows_again():
    scaler = GradScaler("cpu", init_scale=TOO_MUCH, growth_interval=4)
    training = Training(scaler=scaler)
    scales, missed = [], []
    for _ in range(12):
        training.step()
        scales.append(scaler.get_scale())
        missed.append(missing(training))
    assert missed[0] and not all(missed)
    last = max(at for at, was in enumerate(missed[:6]) if was)
    assert scales[: last + 1] == [TOO_MUCH / 2 ** (at + 1) for at in range(last + 1)]
    assert max(scales[last + 1 :]) > scales[last]


def test_overflows_without_end_are_an_error():
    training = Training(scaler=GradScaler("cpu", init_scale=TOO_MUCH, backoff_factor=0.999), missing_limit=3)
    training.step().step()
    with pytest.raises(koala_optim.TooManyMissing):
        training.step()


def test_a_step_that_fails_leaves_no_scale_behind():
    training = Training(scaler=GradScaler("cpu", init_scale=2.0**16))
    training.scaler.scale(training.losses(slice(None)).mean()).backward()
    with pytest.raises(RuntimeError, match="neither predict nor observe"):
        training.scaler.step(training.optimizer)
    assert not hasattr(training.optimizer, "grad_scale") and not hasattr(training.optimizer, "found_inf")
    assert same(training.step(), Training().step())


@pytest.mark.parametrize("kind", KINDS)
def test_micro_batches_make_the_big_batch(kind):
    whole, parts = Training(kind), Training(kind, GradScaler("cpu", init_scale=2.0**16))
    for _ in range(5):
        whole.step(), parts.step(parts=4)
    torch.testing.assert_close(parts.values(), whole.values(), rtol=1e-4, atol=1e-5)


def test_the_report_names_the_gradient_that_overflowed():
    training = Training(scaler=GradScaler("cpu", init_scale=TOO_MUCH)).step()
    report = training.optimizer.report()
    assert "gradient" in report["outcome"]["missing"]["cause"]
    assert report["loss"] > 0.0


def test_an_overflow_that_the_filter_does_not_see_counts_too():
    """A frozen group's gradient is not reduced; GradScaler looks at it nevertheless, and lowers its scale."""
    training = Training(scaler=GradScaler("cpu", init_scale=2.0**16))
    frozen = torch.nn.Parameter(torch.zeros(1))
    training.optimizer.add_param_group({"params": [frozen], "frozen": True})
    training.optimizer.predict()
    losses = training.losses(slice(None))
    training.optimizer.observe(losses)
    training.scaler.scale(losses.mean()).backward()
    frozen.grad = torch.tensor([float("inf")])
    training.scaler.step(training.optimizer)
    assert missing(training)


def test_an_overflowing_micro_batch_makes_the_step_missing():
    scaled, plain = Training(scaler=GradScaler("cpu", init_scale=TOO_MUCH)), Training()
    assert same(scaled.step(parts=4), plain.step(missing=True))


def test_several_optimizers_with_one_scaler():
    """One overflows, the other does not: as with any optimizer, only the first one's step is missing."""
    scaler = GradScaler("cpu", init_scale=2.0**16)
    torch.manual_seed(0)
    models = [torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)]
    optimizers = [koala_optim.KoalaM(models[0].parameters()), koala_optim.KoalaV(models[1].parameters())]
    sgd_model = torch.nn.Linear(4, 1)
    sgd = torch.optim.SGD(sgd_model.parameters(), lr=0.01)
    inputs = torch.randn(6, 4)
    missed = []
    for step in range(3):
        for optimizer in (*optimizers, sgd):
            optimizer.zero_grad()
        for at, (model, optimizer) in enumerate(zip(models, optimizers)):
            optimizer.predict()
            losses = (model(inputs) - 1.0).square().mean(1)
            optimizer.observe(losses)
            factor = 1e36 if step == 1 and at == 0 else 1.0
            scaler.scale(factor * losses.mean()).backward()
        scaler.scale(sgd_model(inputs).square().mean()).backward()
        before = [model.weight.detach().clone() for model in (*models, sgd_model)]
        for optimizer in (*optimizers, sgd):
            scaler.step(optimizer)
        scaler.update()
        missed.append([optimizer.report()["outcome"] != "measured" for optimizer in optimizers])
        moved = [not torch.equal(x, model.weight) for x, model in zip(before, (*models, sgd_model))]
        assert moved == [step != 1, True, True]
    assert missed == [[False, False], [True, False], [False, False]]
    assert scaler.get_scale() == 2.0**15


def test_an_optimizer_without_gradients():
    """None of its parameters took part in the loss: its prediction stands."""
    training = Training(scaler=GradScaler("cpu", init_scale=2.0**16))
    training.step()
    other = torch.nn.Linear(4, 1)
    idle = koala_optim.KoalaM(other.parameters())
    weight = other.weight.detach().clone()
    idle.predict()
    idle.observe(1.0)
    training.scaler.step(idle)
    assert torch.equal(other.weight, weight)
    assert idle.report()["outcome"] == "no-gradient"


def test_a_disabled_scaler():
    assert same(Training(scaler=GradScaler("cpu", enabled=False)).step(), Training().step())


def test_gradients_that_fit_float16_only_with_their_scale():
    """Unscaled in float16 they would be 0. The step is that of float32 gradients."""
    gradients, scale = [3e-9, -5e-9], 2.0**16
    moved = {}
    for dtype in (torch.float16, torch.float32):
        parameter = torch.nn.Parameter(torch.zeros(2, dtype=dtype))
        optimizer = koala_optim.KoalaV([parameter], measurement_noise=1e-3)
        optimizer.predict()
        optimizer.observe(1e3)
        scaler = GradScaler("cpu", init_scale=scale)
        scaler.scale(torch.zeros(()))
        parameter.grad = (torch.tensor(gradients) * scale).to(dtype)
        scaler.step(optimizer)
        moved[dtype] = parameter.detach().float()
        assert optimizer.report()["outcome"] == "measured"
    assert moved[torch.float16].abs().min() > 0.0
    torch.testing.assert_close(moved[torch.float16], moved[torch.float32], rtol=2e-3, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_of_half_precision_with_a_scaler(kind, dtype):
    training = Training(kind, GradScaler("cpu", init_scale=2.0**8), dtype=dtype, weight_decay=1e-4)
    first = training.losses(slice(None)).float().mean().item()
    for _ in range(30):
        training.step()
    assert training.losses(slice(None)).float().mean().item() < 0.8 * first


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_autocast(kind, dtype):
    training = Training(kind, GradScaler("cpu", init_scale=2.0**8, growth_interval=5))
    wide = training.losses

    def losses(chosen):
        with torch.autocast("cpu", dtype=dtype):
            outputs = training.model(training.inputs[chosen])
        assert outputs.dtype is dtype
        return (outputs.float() - training.targets[chosen]).square().mean(1)

    training.losses = losses
    first = wide(slice(None)).mean().item()
    for _ in range(30):
        training.step()
    assert wide(slice(None)).mean().item() < 0.8 * first
