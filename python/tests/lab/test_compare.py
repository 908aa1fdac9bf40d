"""Comparisons: the protocol of ``koala compare``, and what is asked wrongly."""

import json
import math
import os
import random
import shutil
import subprocess
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lab_compared import OPTIMIZERS, RATES, compared, counted, listing, runs
from lab_problem import adamw
from test_run import events, result

import koala_optim
from koala_optim import lab


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


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"optimizers": {}}, "nothing to compare"),
        ({"optimizers": {"best": adamw}}, "cannot be called 'best'"),
        ({"optimizers": {"adamw": 3}}, "give a function of parameters"),
        ({"seeds": ()}, "seeds must hold at least one"),
        ({"seeds": (3, 0, 0)}, "seeds: 0 is there twice: leave one out"),
        ({"seeds": (-1,)}, "-1 is no whole number"),
        ({"tuning": {"sgd": {"lr": [1.0]}}}, "'sgd' is none of the optimizers"),
        ({"tuning": {}}, "holds no optimizer"),
        ({"tuning": {"adamw": {}}}, "holds no hyperparameter"),
        ({"tuning": {"adamw": {"lr": 1.0}}}, "must be a list of numbers"),
        ({"tuning": {"adamw": {"lr": [math.nan]}}}, "no finite number"),
        ({"tuning": {"adamw": {"lr": [1.0, 1]}}}, "lr has 1 twice: leave one out"),
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
