"""Runs that go on: nothing is missing or twice, whatever stopped them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lab_problem import CONFIG, adamw, batch, main, network, step
from test_run import events, result, trained

import koala_optim
from koala_optim import lab

PROGRAM = Path(__file__).with_name("lab_problem.py")
TIMES = ("seconds", "training_seconds")


def timeless(told):
    return [{name: value for name, value in event.items() if name not in TIMES} for event in told]


def killed(folder, at):
    told = subprocess.run([sys.executable, str(PROGRAM), str(folder), "40", str(at)], capture_output=True, text=True)
    assert told.returncode == -signal.SIGKILL, told.stderr


@pytest.mark.parametrize("at", [3, 17, 30])
def test_a_killed_run_goes_on_as_if_it_had_never_stopped(tmp_path, at):
    killed(tmp_path / "run", at)
    assert not (tmp_path / "run" / "result.json").exists()
    steps = [event["step"] for event in events(tmp_path / "run") if event["event"] == "step"]
    assert steps == list(range(at))
    main(tmp_path / "run", 40)
    main(tmp_path / "whole", 40)
    assert timeless(events(tmp_path / "run")) == timeless(events(tmp_path / "whole"))
    one, other = timeless([result(tmp_path / "run"), result(tmp_path / "whole")])
    assert one == other


def test_a_killed_run_is_free(tmp_path):
    """The lock goes with the program."""
    killed(tmp_path / "run", 5)
    trained(tmp_path / "run", overwrite=True)


def cut(folder, text):
    """A log that ends so."""
    with open(folder / "events.jsonl", "ab") as file:
        file.write(text)


@pytest.mark.parametrize(
    "tail",
    [b"", b'{"event":"step","st', b"\0" * 700, b"\0\0\n", b"{]\n", b'{"event":"step"}\n', b"[1]\n", b"\xff\xfe\n"],
    ids=["whole", "half", "zeros", "zero-line", "json", "step-without-number", "list", "no-text"],
)
def test_what_is_damaged_at_the_end_goes(tmp_path, tail):
    folder = tmp_path / "run"
    model = network()
    optimizer = adamw(model.parameters())
    with pytest.raises(KeyboardInterrupt):
        with lab.Run(folder, CONFIG, optimizer=optimizer, steps=20, log_every=5, tensorboard=False) as run:
            for at in range(8):
                run.step(step(model, optimizer, *batch(0, at)))
            raise KeyboardInterrupt
    cut(folder, tail)
    run = trained(folder, resume=True)
    told = events(folder)
    assert [event["step"] for event in told if event["event"] == "step"] == [0, 5, 10, 15]
    assert [event["event"] for event in told].count("end") == 1 and told[-1]["event"] == "end"
    assert run.steps == 20


def test_what_is_damaged_between_stays_and_is_told(tmp_path):
    folder = tmp_path / "run"
    trained(folder)
    lines = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    lines[2] = "{]\n"
    (folder / "events.jsonl").write_text("".join(lines[:-1]))
    (folder / "result.json").unlink()
    with pytest.warns(UserWarning, match="1 lines cannot be read; they stay there"):
        trained(folder, resume=True)
    assert (folder / "events.jsonl").read_text().splitlines()[2] == "{]"


def test_steps_that_were_told_are_not_told_again(tmp_path):
    """A loop that begins anew, without a checkpoint, after it was killed."""
    folder = tmp_path / "run"
    killed(folder, 25)
    model = network()
    optimizer = koala_optim.KoalaM(model.named_parameters())
    options = {"optimizer": optimizer, "model": model, "steps": 40, "log_every": 1, "tensorboard": False}
    with lab.Run(folder, CONFIG, resume=True, **options) as run:
        assert run.steps == 25
        for at in range(40):
            run.step(step(model, optimizer, *batch(0, at)), at=at)
    told = [event for event in events(folder) if event["event"] == "step"]
    assert [event["step"] for event in told] == list(range(40))
    main(tmp_path / "whole", 40)
    whole = [event for event in events(tmp_path / "whole") if event["event"] == "step"]
    assert [event["filter"] for event in told] == [event["filter"] for event in whole]


def test_a_log_behind_the_checkpoint_is_cut(tmp_path):
    folder = tmp_path / "run"
    trained(folder, log_every=1)
    (folder / "result.json").unlink()
    run = trained(folder, log_every=1, resume=10)
    told = events(folder)
    assert run.steps == 20
    assert [event["step"] for event in told if event["event"] == "step"] == list(range(20))
    assert [event["step"] for event in told if event["event"] == "epoch"] == [10, 20]


def test_a_log_that_is_shorter_than_the_checkpoint_is_told(tmp_path):
    folder = tmp_path / "run"
    trained(folder, log_every=1)
    (folder / "result.json").unlink()
    lines = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    (folder / "events.jsonl").write_text("".join(lines[:4]))
    with pytest.warns(UserWarning, match="tells of 3 steps, and 15 are done: what is missing is lost, the run goes on"):
        trained(folder, log_every=1, resume=15)
    assert [event["step"] for event in events(folder) if event["event"] == "step"] == [0, 1, 2, *range(15, 20)]


def test_a_log_that_is_gone_is_begun_anew(tmp_path):
    folder = tmp_path / "run"
    trained(folder)
    (folder / "result.json").unlink()
    (folder / "events.jsonl").unlink()
    trained(folder, resume=True)
    assert events(folder)[0]["event"] == "start" and result(folder)["status"] == "completed"


def test_a_damaged_result_is_written_anew(tmp_path):
    folder = tmp_path / "run"
    trained(folder)
    (folder / "result.json").write_text('{"status": "comp')
    trained(folder, resume=True)
    assert json.loads((folder / "result.json").read_text())["status"] == "completed"


def test_clocks_go_on(tmp_path):
    folder = tmp_path / "run"
    trained(folder)
    before = result(folder)
    (folder / "result.json").unlink()
    trained(folder, resume=10)
    after = result(folder)
    tenth = next(event for event in events(folder) if event["event"] == "epoch")
    assert after["seconds"] > tenth["seconds"] and after["training_seconds"] > tenth["training_seconds"]
    assert before["seconds"] >= tenth["seconds"]


def test_the_loss_of_an_epoch_that_was_resumed_within_is_not_known(tmp_path):
    folder = tmp_path / "run"
    trained(folder)
    (folder / "result.json").unlink()
    trained(folder, resume=5)
    epochs = [event for event in events(folder) if event["event"] == "epoch"]
    assert ["train_loss" in event for event in epochs] == [False, True]


def test_there_must_be_something_to_go_on_with(tmp_path):
    with pytest.raises(lab.FolderError, match="no run to go on with"):
        trained(tmp_path / "run", resume=3)
    trained(tmp_path / "run", resume=True)


def test_the_best_evaluation_is_known_after_a_stop(tmp_path):
    folder = tmp_path / "run"
    optimizer = adamw(network().parameters())
    errors = (5.0, 1.0, 3.0)
    for done, error in enumerate(errors):
        with lab.Run(folder, CONFIG, optimizer=optimizer, steps=3, resume=True, tensorboard=False) as run:
            assert run.steps == done
            run.step(1.0)
            run.evaluation(validation_loss=error, validation_error=error)
    assert result(folder)["best"] == {"step": 2, "evaluation": {"loss": 1.0, "error": 1.0}}
