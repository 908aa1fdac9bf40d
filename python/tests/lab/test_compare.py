"""Comparisons: the protocol of ``koala compare``, failures, interruptions, folders."""

import json
import math
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lab_problem import TEST, VALIDATION, adamw, batch, judge, network, step, train
from test_run import events, result

import koala_optim
from koala_optim import lab
from koala_optim.lab import lock

OPTIMIZERS = {"adamw": adamw, "koala-a": lambda params: koala_optim.KoalaA(params)}
RATES = {"adamw": {"lr": [1e-4, 1e-1, 1e-3]}}


def compared(folder, train=train, optimizers=OPTIMIZERS, seeds=(0, 1), **options):
    options = {"config": {"batch_size": 32}, "steps": 20, "epochs": 2, "tensorboard": False, **options}
    return lab.compare(
        train, optimizers, folder=folder, dataset="argmax", model="linear", seeds=seeds, source="a test", **options
    )


def listing(folder):
    return json.loads((folder / "suite.json").read_text())


def runs(folder, **wanted):
    """Folders of the runs of an optimizer, a seed or a role."""
    found = []
    for run in listing(folder)["runs"]:
        told = {**run, "role": run["role"]["role"], "trial": run["role"].get("trial")}
        if all(told[name] == value for name, value in wanted.items()):
            found.append(folder / run["folder"])
    return found


def counted(calls, train=train):
    """As ``train``, noting with which seed and values it is called."""

    def noted(make, seed, run):
        calls.append((run.path.name, seed, run.test))
        return train(make, seed, run)

    return noted


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two optimizers, two seeds, one tuned: the folder, the calls of ``train``, and what was returned."""
    folder, calls = tmp_path_factory.mktemp("compared") / "suite", []
    ended = compared(folder, counted(calls), tuning=RATES, target=5.0, reference="adamw")
    return SimpleNamespace(folder=folder, calls=calls, ended=ended)


@pytest.fixture
def folder(whole):
    return whole.folder


class TestWhole:
    def test_every_run_is_listed_with_its_role(self, folder):
        told = Counter((run["optimizer"], run["seed"], run["role"]["role"]) for run in listing(folder)["runs"])
        reported = [("adamw", seed, role) for seed in (0, 1) for role in ("defaults", "tuned")]
        assert told == Counter(
            [("adamw", 1000, "trial")] * 3 + reported + [("koala-a", seed, "defaults") for seed in (0, 1)]
        )
        assert listing(folder).items() >= {
            "format": 1, "program": "koala-optim", "version": koala_optim.__version__, "name": "argmax-linear",
            "source": "a test", "seeds": [0, 1], "reference": "adamw", "jobs": 1,
            "tuning": {"trials": 3, "sampler": "grid", "seeds": [1000], "untuned": ["koala-a"]},
        }.items()  # fmt: skip
        (workload,) = listing(folder)["workloads"]
        assert workload == {
            "name": "argmax-linear", "dataset": "argmax", "model": "linear", "measure": "error", "target": 5.0,
            "examples_per_step": 32,
        }  # fmt: skip

    def test_trials_leave_the_test_samples_alone(self, whole, folder):
        trials = {path.name for path in runs(folder, role="trial")}
        assert {(name in trials, test) for name, _, test in whole.calls} == {(True, False), (False, True)}
        for path in folder.glob("runs/*"):
            assert ("test_error" in result(path)) == (path.name not in trials)
            assert "test = false" in (path / "config.toml").read_text() or path.name not in trials

    def test_each_run_was_done_once(self, whole, folder):
        assert (
            len(whole.calls) == len({name for name, _, _ in whole.calls}) == whole.ended.ours == whole.ended.runs == 9
        )
        assert {path.name for path in folder.glob("runs/*")} == {name for name, _, _ in whole.calls}
        assert [seed for _, seed, _ in whole.calls] == [1000] * 3 + [0] * 3 + [1] * 3

    def test_the_best_trial_on_held_out_samples_at_the_end_is_chosen(self, folder):
        judged = [result(runs(folder, role="trial", trial=trial)[0])["validation_error"] for trial in range(3)]
        (choice,) = listing(folder)["choices"]
        best = judged.index(min(judged))
        assert choice == {
            "workload": "argmax-linear", "optimizer": "adamw", "trial": best,
            "values": {"lr": [1e-4, 1e-1, 1e-3][best]}, "validation": min(judged),
        }  # fmt: skip
        for path in runs(folder, role="tuned"):
            assert f"lr = {choice['values']['lr']}\n" in (path / "config.toml").read_text()

    def test_the_same_call_does_nothing_twice(self, folder):
        before = listing(folder)
        calls = []
        torch.set_num_threads(before["threads"])
        ended = compared(folder, counted(calls), tuning=RATES, target=5.0, reference="adamw")
        assert calls == [] and (ended.runs, ended.ours) == (9, 0)
        assert listing(folder) == before

    def test_the_same_seed_gives_the_same_start(self, folder):
        first = [events(path)[1]["loss"] for path in runs(folder, seed=0)]
        assert len(first) == 3 and len(set(first)) == 1

    def test_random_numbers_are_seeded(self, tmp_path):
        """Also for who does not think of it."""
        drawn = []

        def careless(make, seed, run):
            make(torch.nn.Linear(1, 1).parameters())
            drawn.append((seed, torch.rand(()).item(), random.random(), np.random.rand()))
            run.finish(test_error=1.0)

        compared(tmp_path / "suite", careless)
        assert len(drawn) == 4 and len(set(drawn)) == 2 and len({numbers[1:] for numbers in drawn}) == 2

    def test_a_seed_and_an_optimizer_more_cost_their_own_runs(self, folder, tmp_path):
        shutil.copytree(folder, tmp_path / "more")
        calls = []
        more = {**OPTIMIZERS, "sgd": lambda params, lr=0.1: torch.optim.SGD(params, lr=lr)}
        compared(tmp_path / "more", counted(calls), more, seeds=(0, 1, 2), tuning=RATES)
        # A third seed of three arms, and three seeds of one.
        assert len(calls) == 3 + 3

    @pytest.mark.parametrize(
        "options",
        [{"seeds": (0,)}, {"config": {"batch_size": 16}}, {"optimizers": {"adamw": adamw}}],
        ids=["fewer seeds", "another batch", "fewer optimizers"],
    )
    def test_another_comparison_is_refused(self, folder, options):
        before = (folder / "suite.json").read_text()
        with pytest.raises(lab.OtherComparison, match="holds another comparison, and .* Choose another folder"):
            compared(folder, counted([]), **{"tuning": RATES, **options})
        assert (folder / "suite.json").read_text() == before

    @pytest.mark.skipif("KOALA" not in os.environ, reason="KOALA does not name the program koala")
    def test_the_program_reports_it(self, folder, tmp_path):
        command = [os.environ["KOALA"], "report", "--json", "--out", tmp_path, folder]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["comparison"]
        arms = {(arm["optimizer"], arm["kind"]): arm["n"] for arm in told["workloads"][0]["arms"]}
        assert arms == {("adamw", "defaults"): 2, ("adamw", "tuned"): 2, ("koala-a", "defaults"): 2}
        assert "written by koala-optim" in (tmp_path / "report.md").read_text()
        subprocess.run([os.environ["KOALA"], "check", folder], check=True, capture_output=True)


class Poisoned(torch.optim.SGD):
    """An optimizer that diverges at its third step."""

    def __init__(self, params):
        super().__init__(params, lr=0.1)
        self.done = 0

    def step(self, closure=None):
        super().step(closure)
        self.done += 1
        if self.done == 3:
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.data.fill_(math.nan)


class Refusing(torch.optim.SGD):
    """An optimizer that raises at its third step."""

    def __init__(self, params):
        super().__init__(params, lr=0.1)
        self.done = 0

    def step(self, closure=None):
        self.done += 1
        if self.done == 3:
            raise RuntimeError("the step is not to be had")
        return super().step(closure)


class TestFailures:
    def test_each_is_counted_and_the_others_go_on(self, tmp_path):
        ended = compared(tmp_path / "suite", optimizers={"poisoned": Poisoned, "refusing": Refusing, "adamw": adamw})
        assert ended.runs == 6 and ended.ours == 6
        assert sorted((run.optimizer, run.seed) for run in ended.failed) == [
            (name, seed) for name in ("poisoned", "refusing") for seed in (0, 1)
        ]
        for failed in ended.failed:
            remembered = json.loads((failed.folder / "failure.json").read_text())["message"]
            assert failed.message == remembered and not (failed.folder / "result.json").exists()
        messages = {run.optimizer: run.message for run in ended.failed}
        assert messages["refusing"] == "RuntimeError: the step is not to be had"
        assert "diverged" in messages["poisoned"]
        assert all(result(path)["status"] == "completed" for path in runs(tmp_path / "suite", optimizer="adamw"))
        # They would fail again, and are not tried again; unless one wishes.
        calls = []
        again = compared(
            tmp_path / "suite", counted(calls), {"poisoned": Poisoned, "refusing": Refusing, "adamw": adamw}
        )
        assert calls == [] and again.failed == ended.failed
        compared(
            tmp_path / "suite",
            counted(calls),
            {"poisoned": Poisoned, "refusing": Refusing, "adamw": adamw},
            retry_failed=True,
        )
        assert len(calls) == 4

    def test_an_optimizer_that_cannot_be_made_has_failed(self, tmp_path):
        optimizers = {"negative": lambda params, lr=-1.0: torch.optim.SGD(params, lr=lr), "adamw": adamw}
        ended = compared(tmp_path / "suite", optimizers=optimizers, seeds=(0,))
        (failed,) = ended.failed
        assert failed.optimizer == "negative" and "Invalid learning rate" in failed.message
        assert {path.name for path in failed.folder.iterdir()} == {".lock", "config.toml", "failure.json"}

    def test_a_trial_with_a_failure_is_never_chosen(self, tmp_path):
        def by_rate(params, lr=0.1):
            return Poisoned(params) if lr == 0.5 else torch.optim.SGD(params, lr=lr)

        ended = compared(
            tmp_path / "suite", optimizers={"sgd": by_rate}, tuning={"sgd": {"lr": [0.5, 1e-6]}}, seeds=(0,)
        )
        assert [(choice.trial, choice.values) for choice in ended.choices] == [(1, {"lr": 1e-6})]

    def test_where_all_trials_failed_there_is_nothing_tuned(self, tmp_path):
        ended = compared(
            tmp_path / "suite",
            optimizers={"poisoned": lambda params, lr=0.1: Poisoned(params), "adamw": adamw},
            tuning={"poisoned": {"lr": [1.0, 2.0]}},
            seeds=(0,),
        )
        assert [(choice.trial, choice.validation) for choice in ended.choices] == [(None, None)]
        assert runs(tmp_path / "suite", role="tuned") == []
        assert len(runs(tmp_path / "suite", role="defaults")) == 2

    @pytest.mark.parametrize(
        ("broken", "error", "fault"),
        [
            (lambda make, seed, run: eval("missing"), NameError, "missing"),
            (lambda make, seed, run: (make(network().parameters()), 1 / "x"), TypeError, "unsupported operand"),
            (lambda make, seed, run: None, lab.Misuse, "made no optimizer"),
            (lambda make, seed, run: make(network().parameters()), lab.Misuse, "call run.finish\\(test_error=...\\)"),
            (lambda make, seed, run: (make(network().parameters()), run.step(1.0, at=7)), lab.Misuse, "step 7"),
        ],
    )
    def test_mistakes_in_the_program_are_said_of_no_optimizer(self, tmp_path, broken, error, fault):
        calls = []
        with pytest.raises(error, match=fault):
            compared(tmp_path / "suite", counted(calls, broken))
        assert len(calls) == 1 and not list(tmp_path.glob("suite/runs/*/failure.json"))
        # Once it is mended, all runs are done.
        assert compared(tmp_path / "suite").failed == []

    def test_trials_are_judged_after_the_last_step(self, tmp_path):
        def early(make, seed, run):
            model = network(seed)
            optimizer = make(model.parameters())
            run.step(step(model, optimizer, *batch(seed, 0)))
            run.evaluation(**judge(model, VALIDATION, "validation"))
            run.step(step(model, optimizer, *batch(seed, 1)))

        with pytest.raises(lab.Misuse, match="run.evaluation\\(validation_error=...\\) after the last step"):
            compared(tmp_path / "suite", early, tuning=RATES)

    def test_who_stops_early_has_come_to_the_end(self, tmp_path):
        """Fewer steps than were promised are no interruption where the function says that it is done."""

        def early(make, seed, run):
            model = network(seed)
            optimizer = make(model.parameters())
            for at in range(3):
                run.step(step(model, optimizer, *batch(seed, at)))
            run.evaluation(**judge(model, VALIDATION, "validation"))
            if run.test:
                run.finish(**judge(model, TEST, "test"))

        ended = compared(tmp_path / "suite", early, tuning=RATES, seeds=(0,))
        assert (ended.runs, ended.failed, ended.choices[0].trial is None) == (6, [], False)
        assert {result(path)["status"] for path in tmp_path.glob("suite/runs/*")} == {"completed"}
        calls = []
        compared(tmp_path / "suite", counted(calls, early), tuning=RATES, seeds=(0,))
        assert calls == []

    def test_a_full_disk_is_said_of_no_optimizer(self, tmp_path):
        def full(make, seed, run):
            make(network().parameters())
            raise OSError("no space left on device")

        with pytest.raises(OSError, match="no space left"):
            compared(tmp_path / "suite", full)
        assert not list(tmp_path.glob("suite/runs/*/failure.json"))
        assert compared(tmp_path / "suite").failed == []


class TestInterruptions:
    def test_it_goes_on_where_it_was_stopped(self, tmp_path):
        calls = []

        def stopped(make, seed, run):
            if len(calls) == 5:
                make(network().parameters())
                run.step(1.0)
                raise KeyboardInterrupt
            return train(make, seed, run)

        with pytest.raises(KeyboardInterrupt):
            compared(tmp_path / "suite", counted(calls, stopped), tuning=RATES)
        assert len(calls) == 5 and len(listing(tmp_path / "suite")["choices"]) == 1
        rest = []
        ended = compared(tmp_path / "suite", counted(rest), tuning=RATES)
        assert (ended.runs, ended.ours, len(rest)) == (9, 5, 5)
        # The one that was stopped within begins anew.
        assert rest[0] == calls[-1]
        assert not set(rest[1:]) & set(calls)

    def test_a_killed_program_goes_on(self, tmp_path):
        program = Path(__file__).with_name("killed_comparison.py")
        told = subprocess.run([sys.executable, str(program), str(tmp_path / "suite")], capture_output=True, text=True)
        assert told.returncode == -9, told.stderr
        done = [path for path in tmp_path.glob("suite/runs/*") if (path / "result.json").exists()]
        begun = [path for path in tmp_path.glob("suite/runs/*") if not (path / "result.json").exists()]
        assert len(done) == 2 and len(begun) == 1
        times = {path: (path / "result.json").stat().st_mtime_ns for path in done}
        calls = []
        ended = compared(tmp_path / "suite", counted(calls))
        assert (ended.runs, len(calls)) == (4, 2) and ended.failed == []
        assert times == {path: (path / "result.json").stat().st_mtime_ns for path in done}

    def test_what_another_program_has_just_done_is_not_done_again(self, tmp_path, monkeypatch):
        """It comes to its end between the question whether it is done and the lock."""
        compared(tmp_path / "theirs", seeds=(0,))
        taken, calls = lock.take, []

        def late(path):
            theirs = tmp_path / "theirs" / "runs" / path.name
            if path.parent.name == "runs" and path.is_relative_to(tmp_path / "ours"):
                for file in theirs.iterdir():
                    shutil.copy(file, path / file.name)
            return taken(path)

        monkeypatch.setattr(lock, "take", late)
        ended = compared(tmp_path / "ours", counted(calls), seeds=(0,))
        assert calls == [] and (ended.runs, ended.ours, ended.failed) == (2, 0, [])
        for path in tmp_path.glob("ours/runs/*/result.json"):
            assert path.read_bytes() == (tmp_path / "theirs" / path.relative_to(tmp_path / "ours")).read_bytes()

    def test_two_programs_share_a_folder(self, tmp_path):
        program = Path(__file__).with_name("killed_comparison.py")
        command = [sys.executable, str(program), str(tmp_path / "suite"), "shared"]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        told = [process.communicate(timeout=120)[0].split() for process in both]
        assert [process.returncode for process in both] == [0, 0]
        done = told[0] + told[1]
        assert len(done) == len(set(done)) == 4
        assert all(result(path)["status"] == "completed" for path in tmp_path.glob("suite/runs/*"))


class TestFolders:
    def test_one_that_holds_anything_else_is_refused(self, tmp_path):
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(lab.FolderError, match="holds files that are no comparison's"):
            compared(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_the_comparison_of_another_program_is_refused(self, tmp_path):
        (tmp_path / "suite.json").write_text('{"format": 1, "version": "0.1.0", "runs": []}')
        with pytest.raises(lab.OtherComparison, match="another program made"):
            compared(tmp_path)

    def test_a_damaged_listing_is_written_anew(self, tmp_path):
        compared(tmp_path / "suite", seeds=(0,))
        whole = (tmp_path / "suite" / "suite.json").read_text()
        (tmp_path / "suite" / "suite.json").write_text(whole[:100])
        calls = []
        compared(tmp_path / "suite", counted(calls), seeds=(0,))
        assert calls == [] and (tmp_path / "suite" / "suite.json").read_text() == whole

    def test_what_decides_a_run_is_in_its_name(self, tmp_path):
        def names(folder, **options):
            compared(tmp_path / folder, **{"optimizers": {"adamw": adamw}, "seeds": (0,), **options})
            return {path.name for path in (tmp_path / folder / "runs").iterdir()}

        first = names("one")
        assert names("two") == first
        decays = {"adamw": lambda params, lr=1e-2: torch.optim.AdamW(params, lr=lr, weight_decay=0.5)}
        for number, other in enumerate(
            [
                {"seeds": (1,)},
                {"config": {"batch_size": 16}},
                {"optimizers": decays},
                {"config": {"batch_size": 32, "x": 1}},
            ]
        ):
            assert names(f"other-{number}", **other).isdisjoint(first)

    def test_a_choice_of_the_defaults_is_the_same_run(self, tmp_path):
        ended = compared(tmp_path / "suite", optimizers={"adamw": adamw}, tuning={"adamw": {"lr": [1e-2]}}, seeds=(0,))
        assert runs(tmp_path / "suite", role="tuned") == runs(tmp_path / "suite", role="defaults")
        assert ended.runs == 2


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"optimizers": {}}, "nothing to compare"),
        ({"optimizers": {"best": adamw}}, "cannot be called 'best'"),
        ({"optimizers": {"adamw": 3}}, "give a function of parameters"),
        ({"seeds": ()}, "seeds must hold at least one"),
        ({"seeds": (0, 0)}, "a seed is there twice"),
        ({"seeds": (-1,)}, "-1 is no whole number"),
        ({"tuning": {"sgd": {"lr": [1.0]}}}, "'sgd' is none of the optimizers"),
        ({"tuning": {}}, "holds no optimizer"),
        ({"tuning": {"adamw": {}}}, "holds no hyperparameter"),
        ({"tuning": {"adamw": {"lr": 1.0}}}, "must be a list of numbers"),
        ({"tuning": {"adamw": {"lr": [math.nan]}}}, "no finite number"),
        ({"tuning": {"adamw": {"lr": [1.0, 1.0]}}}, "a value twice"),
        ({"tuning": {"adamw": {"learning_rate": [1.0]}}}, "takes no learning_rate"),
        ({"tuning": lab.Tuning(RATES, seeds=(1,))}, "1 is one of the reported seeds"),
        ({"tuning": {"adamw": {"lr": [1.0]}, "koala-a": {"lr": [1.0, 2.0]}}}, "the same number of trials"),
        ({"reference": "sgd"}, "reference = 'sgd'"),
        ({"measure": "accuracy"}, "measure = 'accuracy'"),
        ({"config": {"batch_size": 0}}, "batch-size = 0"),
    ],
)
def test_what_makes_no_sense_costs_nothing(tmp_path, options, fault):
    optimizers = {"adamw": adamw, "koala-a": lambda params, lr=1.0: koala_optim.KoalaA(params, lr=lr)}
    with pytest.raises(lab.Misuse, match=fault):
        compared(tmp_path / "suite", counted([]), **{"optimizers": optimizers, **options})
    assert not (tmp_path / "suite").exists()
