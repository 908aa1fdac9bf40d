"""A run's folder: what is in it, what it refuses, how it ends."""

import errno
import json
import math
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from lab_problem import CONFIG, TEST, VALIDATION, adamw, batch, judge, network, step
from torch.utils._python_dispatch import TorchDispatchMode

import koala_optim
from koala_optim import lab
from koala_optim.lab import lock

OWN_DATA = Path(__file__).resolve().parents[3] / "fixtures" / "runs" / "own-table"
OWN = {".lock", "config.toml", "events.jsonl", "result.json"}


def events(folder):
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def result(folder):
    return json.loads((folder / "result.json").read_text())


def trained(folder, steps=20, make=adamw, config=CONFIG, **options):
    """A run that comes to its end."""
    model = network()
    optimizer = make(model.named_parameters())
    options = {"tensorboard": False, "log_every": 5, **options}
    with lab.Run(folder, config, optimizer=optimizer, model=model, steps=steps, **options) as run:
        for at in range(run.steps, steps):
            run.step(step(model, optimizer, *batch(0, at)))
            if at % 10 == 9:
                run.epoch(**judge(model, VALIDATION, "validation"))
        run.finish(**judge(model, TEST, "test"))
    return run


def test_what_any_optimizer_leaves(tmp_path):
    trained(tmp_path / "run", epochs=2, train_samples=200, test_samples=50)
    assert {path.name for path in (tmp_path / "run").iterdir()} == OWN
    start, *told, end = events(tmp_path / "run")
    assert start["event"] == "start" and start["program"] == "koala-optim"
    assert start["version"] == koala_optim.__version__
    names = {"optimizer": "adamw", "dataset": "argmax", "model": "linear", "device": "cpu", "parameters": 15, "seed": 0}
    counts = {"steps": 20, "epochs": 2, "train_samples": 200, "test_samples": 50, "measure": "error"}
    assert start.items() >= {**names, **counts}.items()
    assert [event["step"] for event in told if event["event"] == "step"] == [0, 5, 10, 15]
    epochs = [event for event in told if event["event"] == "epoch"]
    assert [(event["epoch"], event["step"]) for event in epochs] == [(1, 10), (2, 20)]
    assert all("filter" not in event and event["gain"] == 1e-2 for event in told if event["event"] == "step")
    found = result(tmp_path / "run")
    assert (found["status"], found["steps"], found["epochs"], end["status"]) == ("completed", 20, 2, "completed")
    assert found["validation_error"] == epochs[1]["validation_error"]
    assert found["train_loss"] == epochs[1]["train_loss"]
    assert found["test_loss"] == end["test_loss"]
    assert found["optimizer_state_bytes"] == 2 * 15 * 4 + 2 * 4
    assert found["best"]["evaluation"]["error"] == min(event["validation_error"] for event in epochs)
    assert 0 < found["training_seconds"] <= found["seconds"]
    assert found.items() >= {**names, "program": "koala-optim", "batch_size": 32}.items()


def test_the_losses_of_an_epoch_are_those_of_its_steps(tmp_path):
    """Steps that are not logged count too."""
    model = network()
    optimizer = adamw(model.parameters())
    losses = []
    with lab.Run(tmp_path / "run", CONFIG, optimizer=optimizer, tensorboard=False) as run:
        for at in range(7):
            losses.append(step(model, optimizer, *batch(0, at)).mean().item())
            run.step(losses[-1])
        run.epoch()
    assert result(tmp_path / "run")["train_loss"] == pytest.approx(sum(losses) / 7, rel=1e-6)


@pytest.mark.parametrize("method", [koala_optim.KoalaV, koala_optim.KoalaM, koala_optim.KoalaPP, koala_optim.KoalaA])
def test_ours_leave_the_report_of_their_filter(tmp_path, method):
    model = network()
    optimizer = method(model.named_parameters())
    reports = []
    with lab.Run(tmp_path / "run", CONFIG, optimizer=optimizer, log_every=2, tensorboard=False) as run:
        for at in range(4):
            run.step(step(model, optimizer, *batch(0, at)))
            reports.append(optimizer.report())
    told = [event for event in events(tmp_path / "run") if event["event"] == "step"]
    assert [event["filter"] for event in told] == reports[::2]
    norms = [event["filter"] for event in told]
    assert [event["effective_learning_rate"] for event in told] == [
        report["update_norm"] / report["gradient_norm"] for report in norms
    ]
    name = {"KoalaV": "koala-v", "KoalaM": "koala-m", "KoalaPP": "koala-pp", "KoalaA": "koala-a"}[method.__name__]
    assert events(tmp_path / "run")[0]["optimizer"] == name
    assert "missing-limit = 25" in (tmp_path / "run" / "config.toml").read_text()


def test_an_exception_is_remembered_and_not_held_back(tmp_path):
    model = network()
    with pytest.raises(ValueError, match="no such batch"):
        with lab.Run(tmp_path / "run", CONFIG, optimizer=adamw(model.parameters()), tensorboard=False) as run:
            run.step(1.0)
            raise ValueError("no such batch")
    failure = json.loads((tmp_path / "run" / "failure.json").read_text())
    assert failure["message"] == "ValueError: no such batch" and failure["program"] == "koala-optim"
    assert events(tmp_path / "run")[-1] == {"event": "failure", "message": "ValueError: no such batch"}
    assert not (tmp_path / "run" / "result.json").exists()
    # Once more, and to its end.
    trained(tmp_path / "run", resume=True, config={**CONFIG})
    assert {path.name for path in (tmp_path / "run").iterdir()} == OWN
    assert "failure" not in [event["event"] for event in events(tmp_path / "run")]


@pytest.mark.parametrize("error", [OSError("no space left"), MemoryError(), torch.OutOfMemoryError("CUDA")])
def test_the_machine_is_no_failure_of_the_run(tmp_path, error):
    with pytest.raises(type(error)):
        with lab.Run(tmp_path / "run", CONFIG, optimizer=adamw(network().parameters()), tensorboard=False) as run:
            run.step(1.0)
            raise error
    assert {path.name for path in (tmp_path / "run").iterdir()} == OWN - {"result.json"}
    assert events(tmp_path / "run")[-1]["event"] == "failure"


def test_a_stop_is_an_interruption_that_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with lab.Run(tmp_path / "run", CONFIG, optimizer=adamw(network().parameters()), tensorboard=False) as run:
            run.step(1.0)
            raise KeyboardInterrupt
    assert result(tmp_path / "run")["status"] == "interrupted"
    assert not (tmp_path / "run" / "failure.json").exists()
    run = trained(tmp_path / "run", resume=True)
    assert result(tmp_path / "run")["status"] == "completed" and run.steps == 20
    assert [event["event"] for event in events(tmp_path / "run")].count("end") == 1


def test_fewer_steps_than_promised_are_an_interruption(tmp_path):
    model = network()
    optimizer = adamw(model.parameters())
    for told, status in ((False, "interrupted"), (True, "completed")):
        with lab.Run(tmp_path / status, CONFIG, optimizer=optimizer, steps=9, tensorboard=False) as run:
            run.step(1.0)
            if told:
                run.finish()
        assert result(tmp_path / status)["status"] == status


def test_losses_that_are_not_finite_end_the_run(tmp_path):
    optimizer = adamw(network().parameters())
    with pytest.raises(lab.Diverged, match="for 4 steps, up to step 9"):
        with lab.Run(
            tmp_path / "run", CONFIG, optimizer=optimizer, log_every=1, missing_limit=4, tensorboard=False
        ) as run:
            for at in range(100):
                run.step(torch.tensor([1.0, math.nan if at > 5 or at == 2 else 1.0]))
    assert "not been a finite number for 4 steps" in (tmp_path / "run" / "failure.json").read_text()
    assert [event["loss"] for event in events(tmp_path / "run") if event["event"] == "step"] == [
        None if at > 5 or at == 2 else 1.0 for at in range(10)
    ]


@pytest.mark.parametrize("last", [{"validation_error": 1.0, "validation_loss": math.inf}, {}])
def test_an_end_that_is_not_finite_is_a_failure(tmp_path, last):
    optimizer = adamw(network().parameters())
    with pytest.raises(lab.Diverged, match="diverged"):
        with lab.Run(tmp_path / "run", CONFIG, optimizer=optimizer, tensorboard=False) as run:
            run.step(1.0)
            run.step(math.nan)
            if last:
                run.evaluation(**last)
    assert (tmp_path / "run" / "failure.json").exists() and not (tmp_path / "run" / "result.json").exists()


class TestFolders:
    def test_one_that_holds_anything_else_is_refused(self, tmp_path):
        (tmp_path / "notes.txt").write_text("mine")
        for options in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(
                lab.FolderError, match="holds notes.txt, which this run did not write; choose another folder"
            ):
                trained(tmp_path, **options)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_a_run_is_not_replaced_by_accident(self, tmp_path):
        trained(tmp_path / "run")
        before = (tmp_path / "run" / "result.json").read_text()
        with pytest.raises(lab.FolderError, match="already holds a run; go on with it by resume=True"):
            trained(tmp_path / "run")
        assert (tmp_path / "run" / "result.json").read_text() == before

    def test_overwriting_leaves_what_others_put_there(self, tmp_path):
        trained(tmp_path / "run")
        # koala notes its data in data.json; what has that name beside a run of this package is somebody else's.
        others = {"model.pt", "data.json"}
        for name in others:
            (tmp_path / "run" / name).write_text("mine")
        trained(tmp_path / "run", steps=10, overwrite=True)
        assert {path.name for path in (tmp_path / "run").iterdir()} == OWN | others
        assert all((tmp_path / "run" / name).read_text() == "mine" for name in others)
        assert len([event for event in events(tmp_path / "run") if event["event"] == "start"]) == 1
        assert result(tmp_path / "run")["steps"] == 10

    @pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
    def test_a_run_of_the_program_on_data_of_ones_own_is_left_alone(self, tmp_path, options):
        shutil.copytree(OWN_DATA, tmp_path / "run")
        with pytest.raises(lab.FolderError, match="already holds a run" if not options else "another program wrote"):
            trained(tmp_path / "run", **options)
        # As overwriting by koala leaves it if it is killed in between: without a configuration.
        (tmp_path / "run" / "config.toml").unlink()
        with pytest.raises(
            lab.FolderError, match="holds data.json, events.jsonl, result.json, which this run did not write"
        ):
            trained(tmp_path / "run", **options)
        for name in ("data.json", "events.jsonl", "result.json"):
            assert (tmp_path / "run" / name).read_bytes() == (OWN_DATA / name).read_bytes()

    @pytest.mark.parametrize("options", [{"resume": True}, {"overwrite": True}])
    def test_the_runs_of_other_programs_are_left_alone(self, tmp_path, options):
        (tmp_path / "config.toml").write_text("seed = 0\n")
        with pytest.raises(lab.FolderError, match="another program wrote"):
            trained(tmp_path, **options)
        assert (tmp_path / "config.toml").read_text() == "seed = 0\n"

    def test_another_configuration_is_refused(self, tmp_path):
        trained(tmp_path / "run", steps=10)
        with pytest.raises(lab.FolderError, match="there batch-size = 32, here batch-size = 64"):
            trained(tmp_path / "run", resume=True, config={**CONFIG, "batch_size": 64})

    def test_two_programs_cannot_be_at_one_run(self, tmp_path):
        optimizer = adamw(network().parameters())
        with lab.Run(tmp_path / "run", CONFIG, optimizer=optimizer, tensorboard=False) as run:
            run.step(1.0)
            with pytest.raises(lab.Busy, match="another program is at this run"):
                trained(tmp_path / "run", resume=True)
            run.step(1.0)
        trained(tmp_path / "run", overwrite=True)

    def test_a_file_system_without_locks_is_not_another_program(self, tmp_path, monkeypatch):
        def refuse(file):
            raise OSError(errno.ENOLCK, "no locks available")

        monkeypatch.setattr(lock, "_try", refuse)
        with pytest.raises(OSError, match="no locks available"):
            trained(tmp_path / "run")
        with pytest.raises(OSError, match="no locks available"):
            lock.hold(tmp_path)

    def test_a_file_is_no_folder(self, tmp_path):
        (tmp_path / "file").write_text("")
        for path in (tmp_path / "file", tmp_path / "file" / "run"):
            with pytest.raises(lab.FolderError, match="choose another folder"):
                trained(path)

    def test_a_complete_run_stays_as_it_is(self, tmp_path):
        trained(tmp_path / "run")
        before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
        run = trained(tmp_path / "run", resume=True)
        assert run.completed and run.steps == 20
        assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
        with pytest.raises(lab.LabError, match="complete"):
            trained(tmp_path / "run", resume=True, steps=30)


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"dataset": "x"}, "seed must be"),
        ({"dataset": "x", "seed": -1}, "seed must be"),
        ({"dataset": "x", "seed": True}, "seed must be"),
        ({"seed": 0}, "dataset is missing"),
        ({"dataset": {"size": 3}, "seed": 0}, "dataset must be a name, or a mapping with one"),
        ({"dataset": "x", "seed": 0, "batch_size": 0}, "batch-size = 0"),
        ({"dataset": "x", "seed": 0, "batch_size": 1, "batch-size": 1}, "batch-size is there twice"),
        ({"dataset": "x", "seed": 0, "hook": print}, "hook is a builtin_function_or_method"),
        ({"dataset": "x", "seed": 0, "program": "mine"}, "program is told by the run itself"),
        ({"dataset": "x", "seed": 2**64}, "does not fit into 64 bits"),
    ],
)
def test_configurations_that_make_no_sense(tmp_path, config, fault):
    with pytest.raises(lab.Misuse, match=fault):
        lab.Run(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda run: run.evaluation(validation_eror=1.0), "no figure validation_eror .*did you mean validation_error?"),
        (lambda run: run.evaluation(validation_loss=1.0), "validation_error is missing, by which"),
        (lambda run: run.evaluation(validation_error="x"), "validation_error = 'x' is no number"),
        (lambda run: run.evaluation(best_test_error=1.0), "no figure best_test_error"),
        (lambda run: run.evaluation(), "without figures"),
        (lambda run: run.step("x"), "the loss of a step is 'x'"),
        (lambda run: run.step(torch.empty(0)), "has no elements"),
        (lambda run: run.step(1.0, at=3), "step 3 was told after 0 steps"),
        (lambda run: (run.finish(), run.step(1.0)), "call run.finish\\(\\) last"),
        (lambda run: run.begin(adamw(network().parameters())), "was given a second"),
    ],
)
def test_calls_that_make_no_sense(tmp_path, call, fault):
    with pytest.raises(lab.Misuse, match=fault):
        with lab.Run(tmp_path / "run", CONFIG, optimizer=adamw(network().parameters()), tensorboard=False) as run:
            call(run)
    # Nothing that the run did.
    assert not (tmp_path / "run" / "failure.json").exists()


def test_runs_that_something_is_chosen_by_leave_the_test_samples_alone(tmp_path):
    config = {**CONFIG, "test": False}
    with pytest.raises(lab.Misuse, match="leaves the test samples alone"):
        trained(tmp_path / "run", config=config)


class NoReading(TorchDispatchMode):
    """Fails where the host asks a device for a number."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert function is not torch.ops.aten._local_scalar_dense.default, "a number was read back"
        return function(*args, **(kwargs or {}))


def test_steps_that_are_not_logged_wait_for_no_device(tmp_path):
    model = network()
    optimizer = koala_optim.KoalaV(model.named_parameters())
    told = [step(model, optimizer, *batch(0, at)).detach() for at in range(12)]
    with lab.Run(tmp_path / "run", CONFIG, optimizer=optimizer, log_every=10, tensorboard=False) as run:
        for at, losses in enumerate(told):
            with NoReading() if at % 10 else nullcontext():
                run.step(losses, error=losses.mean(), top5_error=losses.mean())
        with pytest.raises(AssertionError, match="was read back"), NoReading():
            run.epoch()


def test_nothing_is_told_outside_the_block(tmp_path):
    run = lab.Run(tmp_path / "run", CONFIG, optimizer=adamw(network().parameters()))
    with pytest.raises(lab.Misuse, match="outside its block"):
        run.step(1.0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("measure", "figures", "told"),
    [
        ("loss", {"validation_loss": 2.0}, {"validation_loss": 2.0}),
        ("squared-error", {"validation_loss": 4.0}, {"validation_loss": 4.0, "validation_root": 2.0}),
        ("perplexity", {"test_loss": 0.0}, {"test_loss": 0.0, "test_perplexity": 1.0}),
    ],
)
def test_each_measure_has_its_figures(tmp_path, measure, figures, told):
    optimizer = adamw(network().parameters())
    with lab.Run(tmp_path / "run", CONFIG, optimizer=optimizer, measure=measure, tensorboard=False) as run:
        run.step(1.0)
        run.evaluation(**figures)
    evaluation = events(tmp_path / "run")[2]
    assert evaluation.items() >= told.items() and result(tmp_path / "run")["best"]["step"] == 1


def test_figures_may_be_tensors_that_still_have_a_gradient(tmp_path):
    value = torch.tensor([2.0], requires_grad=True)
    with lab.Run(tmp_path / "run", CONFIG, optimizer=adamw([value]), log_every=1, tensorboard=False) as run:
        run.step(value, error=value)
        run.evaluation(validation_loss=value, validation_error=value.sum())
    assert events(tmp_path / "run")[1]["error"] == events(tmp_path / "run")[2]["validation_error"] == 2.0


def test_configurations_read_back(tmp_path):
    tomllib = pytest.importorskip("tomllib", reason="of Python 3.11")
    odd = {
        "text": 'a "b" \\ \n \x7f é',
        "1.5 key": [1, 2.5, [True, "x"], {"a": 1}],
        "inner": {"deep": {"number": 1e-5}, "none": None},
        "tensor": torch.tensor(2),
        "path": Path("a/b"),
        "inf": math.inf,
    }
    trained(tmp_path / "run", config={**CONFIG, **odd})
    read = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (
        read["text"] == odd["text"]
        and read["1.5 key"] == odd["1.5 key"]
        and read["inner"] == {"deep": {"number": 1e-5}}
    )
    assert (read["tensor"], read["path"], read["inf"]) == (2, "a/b", math.inf)
    assert read["optimizer"]["name"] == "adamw" and read["optimizer"]["betas"] == [0.9, 0.999]
    assert (read["program"], read["seed"], read["batch-size"]) == ("koala-optim", 0, 32)


def test_without_tensorboard(tmp_path):
    """It is neither needed nor imported, unless it is asked for."""
    program = """
import sys
sys.modules["tensorboard"] = None
import torch
from koala_optim import lab
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
config = {"dataset": "x", "seed": 0}
with lab.Run(sys.argv[1], config, optimizer=optimizer) as run:
    run.step(1.0)
try:
    lab.Run(sys.argv[1], config, optimizer=optimizer, tensorboard=True)
except ImportError as error:
    print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert "pip install tensorboard" in told.stdout
    assert {path.name for path in (tmp_path / "run").iterdir()} == OWN
