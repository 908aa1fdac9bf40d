"""What is refused, with messages that name cause and remedy."""

import inspect
import math
import re

import pytest
import torch
from support import VARIANTS, Maker, Variant, assert_twins, batch, losses_of, network, run_step, same, train, values
from torch import nn

import koala_optim
from koala_optim import KoalaA, KoalaM, KoalaPP, KoalaV
from koala_optim.settings import CommonSettings

BAD_COMMON = [
    ({"lr": -0.5}, "lr = -0.5: must not be negative"),
    ({"lr": math.nan}, "lr = nan: must be finite"),
    ({"lr": math.inf}, "lr = inf: must be finite"),
    ({"lr": "1e-3x"}, "lr = '1e-3x': must be a number"),
    ({"lr": None}, "lr = None: must be a number"),
    ({"weight_decay": -1e-4}, "weight_decay = -0.0001: must not be negative"),
    ({"weight_decay": math.nan}, "weight_decay = nan: must be finite"),
    ({"decay_rule": "l2"}, "decay_rule = 'l2': must be one of 'coupled', 'decoupled', 'gain-only'"),
    ({"measurement_noise": -1.0}, "measurement_noise = -1.0: must be"),
    ({"measurement_noise": math.inf}, "measurement_noise = inf: must be finite"),
    ({"measurement_noise_smoothing": 1.5}, "measurement_noise_smoothing = 1.5: must be"),
    ({"initial_measurement_noise": -1.0}, "initial_measurement_noise = -1.0: must be"),
    ({"target": math.nan}, "target = nan: must be finite"),
    ({"target": -1.0, "target_rule": "offset"}, "target = -1.0: must be"),
    ({"target_rule": "moving"}, "target_rule = 'moving': must be one of 'constant', 'offset'"),
    ({"negative_residual": "ignore"}, "negative_residual = 'ignore': must be one of 'clamp', 'allow', 'error'"),
    ({"partition": "layers"}, "partition = 'layers': must be one of 'per-tensor', 'global'"),
    ({"missing_limit": 0}, "missing_limit = 0: must be a whole number, at least 1"),
    ({"missing_limit": 2.5}, "missing_limit = 2.5: must be a whole number, at least 1"),
    ({"missing_limit": True}, "missing_limit = True: must be a whole number, at least 1"),
    ({"max_update_norm": 0.0}, "max_update_norm = 0.0: must be"),
    ({"max_update_norm": math.nan}, "max_update_norm = nan: must be finite"),
    ({"check_every": -1}, "check_every = -1: must be a number of steps, or 0 for never"),
    ({"check_every": 1.5}, "check_every = 1.5: must be a number of steps, or 0 for never"),
]


@pytest.mark.parametrize(("settings", "message"), BAD_COMMON, ids=lambda x: str(x) if isinstance(x, dict) else "")
def test_bad_settings(variant: Variant, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        variant(network().parameters(), **settings)


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        (KoalaV, {"initial_covariance": -0.1}, "initial_covariance = -0.1: must be"),
        (KoalaV, {"process_noise": -1.0}, "process_noise = -1.0: must be"),
        (KoalaV, {"process_noise": "big"}, "process_noise = 'big': must be a number"),
        (KoalaM, {"velocity_decay": 1.5}, "velocity_decay = 1.5: must be"),
        (KoalaM, {"initial_position_covariance": -0.1}, "initial_position_covariance = -0.1: must be"),
        (KoalaM, {"initial_velocity_covariance": -0.1}, "initial_velocity_covariance = -0.1: must be"),
        (KoalaM, {"initial_cross_covariance": 0.2}, "initial_cross_covariance = 0.2: must be"),
        (KoalaM, {"velocity_noise": -1e-3}, "velocity_noise = -0.001: must be"),
        (KoalaM, {"position_noise": -1e-3}, "position_noise = -0.001: must be"),
        (KoalaM, {"position_noise": "none"}, "position_noise = 'none': must be 'authors', 'paper' or a number"),
        (KoalaM, {"initial_position_noise": -1.0}, "initial_position_noise = -1.0: must be"),
        (KoalaPP, {"initial_covariance": -0.1}, "initial_covariance = -0.1: must be"),
        (KoalaPP, {"process_noise": math.nan}, "process_noise = nan: must be finite"),
        (KoalaPP, {"variant": "full"}, "variant = 'full': must be 'symmetric' or 'minimum-norm'"),
        (KoalaA, {"initial_process_noise": 0.0}, "initial_process_noise = 0.0: must be"),
        (KoalaA, {"velocity_decay": 1.5}, "velocity_decay = 1.5: must be"),
        (KoalaA, {"metric": "full"}, "metric = 'full': must be 'diagonal' or 'none'"),
        (KoalaA, {"second_moment_smoothing": 1.0}, "second_moment_smoothing = 1.0: must be"),
        (KoalaA, {"epsilon": -1e-8}, "epsilon = -1e-8: must"),
        (KoalaA, {"growth_rate": -0.1}, "growth_rate = -0.1: must"),
        (KoalaA, {"decline_rate": math.nan}, "decline_rate = nan: must be finite"),
        (KoalaA, {"rate_horizon": 0.0}, "rate_horizon = 0.0: must be"),
        (KoalaA, {"whiteness_smoothing": -0.1}, "whiteness_smoothing = -0.1: must be"),
        (KoalaA, {"gradient_floor": -0.1}, "gradient_floor = -0.1: must be"),
        (KoalaA, {"mean": -1.0}, "mean = -1.0: must"),
        (KoalaA, {"mean": "long"}, "mean = 'long': must be a number"),
        (KoalaA, {"measurement_noise_smoothing": 1.0}, "measurement_noise_smoothing = 1.0: must be"),
        (KoalaA, {"decay_rule": "gain-only", "weight_decay": 0.1}, 'decay_rule = "gain-only": must be coupled or'),
        (KoalaPP, {"decay_rule": "gain-only", "weight_decay": 0.1}, 'decay_rule = "gain-only": must be coupled or'),
    ],
)
def test_bad_settings_of_a_method(method: type, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        method(network().parameters(), **settings)


def test_an_unknown_setting(variant: Variant) -> None:
    with pytest.raises(TypeError, match="momentum"):
        variant(network().parameters(), momentum=0.9)


def test_parameters_that_no_optimizer_takes(make: Maker) -> None:
    model = network()
    with pytest.raises(ValueError, match="empty parameter list"):
        make([])
    with pytest.raises(TypeError, match="params argument"):
        make(model[0].weight)
    with pytest.raises(ValueError, match="more than one parameter group"):
        make([{"params": [model[0].weight]}, {"params": [model[0].weight]}])
    with (
        pytest.warns(UserWarning, match="duplicate"),
        pytest.raises(ValueError, match="is in the group more than once"),
    ):
        make([model[0].weight, model[0].weight])
    with pytest.raises(ValueError, match="non-leaf"):
        make([model[0].weight * 2])


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        (torch.zeros(3, dtype=torch.complex64), "complex parameters are not supported"),
        (torch.zeros(3, dtype=torch.complex128), "complex parameters are not supported"),
        (torch.zeros(3, 3).to_sparse(), "parameters of layout torch.sparse_coo are not supported; use dense ones"),
        (
            torch.zeros(3, dtype=torch.int32),
            "parameters of type torch.int32 are not supported; use floating-point ones",
        ),
        (torch.zeros(3, dtype=torch.bool), "parameters of type torch.bool are not supported; use floating-point ones"),
    ],
    ids=["complex64", "complex128", "sparse", "int32", "bool"],
)
def test_parameters_that_koala_does_not_take(make: Maker, parameter: torch.Tensor, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make([nn.Parameter(parameter, requires_grad=parameter.is_floating_point() or parameter.is_complex())])


def test_two_parameters_of_one_name(make: Maker) -> None:
    with pytest.raises(ValueError, match="name"):
        make([("w", nn.Parameter(torch.zeros(2))), ("w", nn.Parameter(torch.zeros(2)))])


def test_a_sparse_gradient_is_refused_and_changes_nothing(make: Maker) -> None:
    table, twin = nn.Embedding(5, 3, sparse=True), nn.Embedding(5, 3)
    twin.load_state_dict(table.state_dict())
    optimizer, other = make(table.parameters()), make(twin.parameters())
    for one in (optimizer, other):
        one.predict()
    losses = table(torch.tensor([0, 2])).square().sum(dim=1)
    losses.mean().backward()
    optimizer.observe(losses)
    with pytest.raises(
        TypeError, match="gradient of parameter 0 has layout torch.sparse_coo; KOALA needs dense gradients"
    ):
        optimizer.step()
    # The step can still be ended with a dense one.
    table.weight.grad = table.weight.grad.to_dense()
    optimizer.step()
    losses = twin(torch.tensor([0, 2])).square().sum(dim=1)
    losses.mean().backward()
    other.update(losses)
    assert same(values(table), values(twin))


LOOP = (
    r"\n    optimizer\.zero_grad\(\)\n    optimizer\.predict\(\) .*\n    losses = .*\n    optimizer\.observe\(losses\)"
)


def test_a_step_with_nothing_observed_shows_the_lines_to_write(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    with pytest.raises(RuntimeError, match="but neither predict nor observe before it; a step is:" + LOOP):
        optimizer.step()
    optimizer.predict()
    losses_of(model, batch(0)).mean().backward()
    before = values(model)
    with pytest.raises(RuntimeError, match="but no losses were observed; a step is:" + LOOP):
        optimizer.step()
    assert same(values(model), before)


def test_a_doubled_predict_is_noticed(make: Maker) -> None:
    model, twin = network(), network()
    optimizer, other = make(model.parameters()), make(twin.parameters())
    for one, net in ((optimizer, model), (other, twin)):
        train(one, net, range(2))
        one.zero_grad()
        one.predict()
        if one is optimizer:
            with pytest.raises(RuntimeError, match="predict was called twice without a step between; .*" + LOOP):
                one.predict()
        losses = losses_of(net, batch(2))
        losses.mean().backward()
        one.update(losses)
    assert_twins((optimizer, model), (other, twin))


def test_a_forgotten_predict_is_noticed(make: Maker) -> None:
    model = network()
    optimizer = make(model.parameters())
    with pytest.raises(RuntimeError, match="observe was called before predict; a step is:" + LOOP):
        optimizer.observe(torch.ones(3))
    run_step(optimizer, model, 0)
    with pytest.raises(RuntimeError, match="observe was called before predict"):
        optimizer.update(torch.ones(3))


def test_a_closure_after_observe(make: Maker) -> None:
    optimizer = make(network().parameters())
    optimizer.predict()
    optimizer.observe(1.0)
    with pytest.raises(RuntimeError, match="leave all observing to its result"):
        optimizer.step(lambda: torch.ones(1))


@pytest.mark.parametrize(
    ("losses", "means", "error", "message"),
    [
        (
            torch.ones(3, dtype=torch.int64),
            {},
            TypeError,
            "losses of type torch.int64; expected floating-point numbers",
        ),
        (torch.ones(3, dtype=torch.complex64), {}, TypeError, "losses of type torch.complex64"),
        (torch.ones(0), {}, ValueError, "no loss among the losses"),
        ("high", {}, TypeError, "losses is a str; expected a tensor of per-sample losses, or their mean"),
        (None, {}, TypeError, "losses is a NoneType"),
        (True, {}, TypeError, "losses is a bool"),
        ([1.0, 2.0], {}, TypeError, "losses is a list"),
        (torch.ones(3), {"count": 3}, ValueError, "describe one mean, but 3 losses were given; leave them out"),
        (torch.ones(3), {"mean_square": 1.0}, ValueError, "describe one mean, but 3 losses were given"),
        (1.0, {"count": 0}, ValueError, "count is 0: must be a whole number, at least 1"),
        (1.0, {"count": 2.5}, ValueError, "count is 2.5: must be a whole number, at least 1"),
        (1.0, {"count": True}, ValueError, "count is True: must be a whole number, at least 1"),
        (1.0, {"mean_square": -1.0}, ValueError, "mean_square is -1.0: must not be negative"),
        (1.0, {"mean_square": "1"}, TypeError, "mean_square is a str"),
    ],
)
def test_losses_that_cannot_be(variant: Variant, losses, means: dict, error: type, message: str) -> None:
    optimizer = variant(network().parameters())
    optimizer.predict()
    with pytest.raises(error, match="^observe: .*" + re.escape(message)):
        optimizer.observe(losses, **means)
    with pytest.raises(RuntimeError, match="no losses were observed"):
        optimizer.step()


def test_the_rust_engine_says_what_it_cannot_take(variant: Variant) -> None:
    for parameter in (torch.zeros(3, dtype=torch.bfloat16), torch.zeros(4, 6)[:, ::2], torch.zeros(3, device="meta")):
        optimizer = variant([nn.Parameter(parameter)], foreach=False)
        with pytest.raises(ValueError, match="foreach=False, but parameter 0 is no dense float32 or float64 tensor"):
            optimizer.predict()
            optimizer.param_groups[0]["params"][0].grad = torch.zeros_like(parameter)
            optimizer.update(1.0)


def test_the_base_class_is_not_made_itself() -> None:
    with pytest.raises(TypeError):
        koala_optim.Koala(network().parameters())  # type: ignore[call-arg]


def test_a_loss_below_its_target_under_each_policy(make: Maker) -> None:
    def begun(policy):
        model = network()
        optimizer = make(model.parameters(), target=100.0, negative_residual=policy)
        return model, values(model), optimizer

    model, start, optimizer = begun("error")
    with pytest.raises(
        RuntimeError, match="lies below its target 100; lower the target, or choose the policy clamp or"
    ):
        run_step(optimizer, model, 0)
    assert same(values(model), start)

    model, start, optimizer = begun("clamp")
    run_step(optimizer, model, 0)
    assert same(values(model), start)
    assert {block["outcome"] for block in optimizer.report()["blocks"]} == {"clamped"}

    model, start, optimizer = begun("allow")
    before = float(losses_of(model, batch(0)).detach().mean())
    run_step(optimizer, model, 0)
    assert float(losses_of(model, batch(0)).detach().mean()) > before


@pytest.mark.parametrize("method", [KoalaV, KoalaM, KoalaPP, KoalaA])
def test_every_setting_is_documented_where_it_is_taken(method: type) -> None:
    """``help(KoalaV)`` sends nobody elsewhere."""
    text = inspect.getdoc(method)
    settings = {*inspect.signature(method).parameters, *CommonSettings.__annotations__} - {"common"}
    missing = {name for name in settings if not re.search(rf"^    {name}: ", text, re.MULTILINE)}
    assert not missing and ":class:`koala_optim." not in text


def test_all_variants_are_here() -> None:
    methods = {getattr(koala_optim, name) for name in koala_optim.__all__ if name.startswith("Koala")}
    assert {variant.method for variant in VARIANTS} == methods - {koala_optim.Koala}
