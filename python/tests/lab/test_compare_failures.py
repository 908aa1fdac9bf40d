"""Runs that fail in a comparison: each is counted, and the others go on."""

import json
import math

import pytest
import torch
from lab_compared import RATES, compared, counted, runs
from lab_problem import TEST, VALIDATION, adamw, batch, judge, network, step
from test_run import result

from koala_optim import lab


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
