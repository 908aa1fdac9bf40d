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
