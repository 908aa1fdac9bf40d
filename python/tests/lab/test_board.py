"""TensorBoard's event file, read with TensorBoard's own reader."""

import json

import pytest
from lab_problem import CONFIG, adamw, batch, network, step
from test_run import events, trained

import koala_optim
from koala_optim import lab

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

FILE = "events.out.tfevents.koala"


def curves(folder):
    """Every curve, by its name: steps with values."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    names = read.Tags()["scalars"]
    return {name: [(event.step, event.value) for event in read.Scalars(name)] for name in names}


def sessions(root):
    """Rows of the HPARAMS dashboard as its own handler makes them: of each run its columns, metrics and status."""
    from tensorboard import context
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    read = EventMultiplexer().AddRunsFromDirectory(str(root)).Reload()
    known = backend_context.Context(TBContext(data_provider=MultiplexerDataProvider(read, str(root))))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=100, allowed_statuses=list(api_pb2.Status.values())
    )
    groups = list_session_groups.Handler(context.RequestContext(), known, "", request).run().session_groups
    found = {}
    for group in groups:
        for session in group.sessions:
            columns = {name: getattr(value, value.WhichOneof("kind")) for name, value in group.hparams.items()}
            metrics = {value.name.tag: value.value for value in session.metric_values}
            found[session.name] = (columns, metrics, api_pb2.Status.Name(session.status))
    return found


def test_the_dashboard_lists_configurations_results_and_ends(tmp_path):
    options = {"deep": {"width": 3, "kinds": ["a", "b"]}, "flag": True, "rate": float("inf")}
    trained(tmp_path / "good", config={**CONFIG, **options}, tensorboard=True)
    with (
        pytest.raises(RuntimeError),
        lab.Run(
            tmp_path / "bad", CONFIG, optimizer=adamw(network().parameters()), model=network(), tensorboard=True
        ) as run,
    ):
        run.step(1.0)
        raise RuntimeError("broken")
    with lab.Run(
        tmp_path / "stopped",
        CONFIG,
        optimizer=adamw(network().parameters()),
        model=network(),
        steps=3,
        tensorboard=True,
    ) as run:
        run.step(1.0)
    found = sessions(tmp_path)
    assert {name: status for name, (_, _, status) in found.items()} == {
        "good": "STATUS_SUCCESS",
        "bad": "STATUS_FAILURE",
        "stopped": "STATUS_UNKNOWN",
    }
    columns, metrics, _ = found["good"]
    assert (
        columns.items()
        >= {
            "program": "koala-optim",
            "seed": 0.0,
            "batch-size": 32.0,
            "dataset.name": "argmax",
            "optimizer.lr": 0.01,
            "deep.width": 3.0,
            "deep.kinds": '["a", "b"]',
            "flag": True,
            "rate": "inf",
        }.items()
    )
    told = json.loads((tmp_path / "good" / "result.json").read_text())
    for name in ("test_loss", "test_error", "validation_error"):
        assert metrics[name.replace("_", "/", 1)] == pytest.approx(told[name], rel=1e-6), name


@pytest.mark.parametrize("failed", [True, False])
def test_a_run_that_goes_on_has_one_end(tmp_path, failed):
    folder = tmp_path / "run"
    model = network()
    optimizer = adamw(model.parameters())
    with pytest.raises(RuntimeError), lab.Run(folder, CONFIG, optimizer=optimizer, model=model, steps=20) as run:
        for at in range(10):
            run.step(step(model, optimizer, *batch(0, at)))
        if failed:
            raise RuntimeError("broken")
        run.finish(test_loss=9.0, test_error=9.0)
        # Killed between the two files.
        run._board.end(10, True, {"test/loss": 9.0})
        raise RuntimeError("killed")
    trained(folder, resume=True, tensorboard=True)
    ((columns, _, status),) = sessions(tmp_path).values()
    assert status == "STATUS_SUCCESS" and columns["seed"] == 0.0
    assert [at for at, _ in curves(folder)["test/loss"]] == [20]


def test_the_numbers_are_those_of_the_log(tmp_path):
    trained(tmp_path, make=koala_optim.KoalaA, tensorboard=None)
    found = curves(tmp_path)
    told = {kind: [event for event in events(tmp_path) if event["event"] == kind] for kind in ("step", "epoch")}
    for name, kind, key in [
        ("train/loss", "step", "loss"),
        ("effective_learning_rate", "step", "effective_learning_rate"),
        ("validation/error", "epoch", "validation_error"),
        ("train/epoch_loss", "epoch", "train_loss"),
    ]:
        assert found[name] == [(event["step"], pytest.approx(event[key], rel=1e-6)) for event in told[kind]]
    noise = [(event["step"], event["filter"]["measurement_noise"]) for event in told["step"]]
    assert found["filter/measurement_noise"] == [(at, pytest.approx(value, rel=1e-6)) for at, value in noise]
    assert [at for at, _ in found["epoch"]] == [10, 20]


@pytest.mark.parametrize("tail", [b"", b"\x07\x00\x00", b"\xff" * 40, b"\0" * 30])
@pytest.mark.parametrize("done", [True, 10])
def test_nothing_is_twice_after_a_stop(tmp_path, tail, done):
    trained(tmp_path / "whole", tensorboard=True)
    folder = tmp_path / "run"
    model = network()
    optimizer = adamw(model.parameters())
    with pytest.raises(KeyboardInterrupt):
        with lab.Run(folder, CONFIG, optimizer=optimizer, model=model, steps=20, log_every=5) as run:
            for at in range(13 if done == 10 else 10):
                run.step(step(model, optimizer, *batch(0, at)))
                if at == 9:
                    run.epoch(validation_loss=1.0, validation_error=1.0)
            raise KeyboardInterrupt
    with open(folder / FILE, "ab") as file:
        file.write(tail)
    trained(folder, resume=done, tensorboard=True)
    found, whole = curves(folder), curves(tmp_path / "whole")
    assert found.keys() == whole.keys()
    for name in whole:
        assert [at for at, _ in found[name]] == [at for at, _ in whole[name]], name


def test_what_is_not_finite_has_no_point(tmp_path):
    optimizer = adamw(network().parameters())
    with lab.Run(tmp_path, CONFIG, optimizer=optimizer, log_every=1, tensorboard=True) as run:
        for loss in (1.0, float("nan"), 2.0):
            run.step(loss)
    assert curves(tmp_path)["train/loss"] == [(0, 1.0), (2, 2.0)]
    assert json.loads((tmp_path / "events.jsonl").read_text().splitlines()[2])["loss"] is None
