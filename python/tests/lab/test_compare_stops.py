"""Comparisons that are stopped go on, and keep to their own folders."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lab_compared import RATES, compared, counted, listing, runs
from lab_problem import adamw, network, train
from test_run import result

from koala_optim import lab
from koala_optim.lab import lock


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

    def test_the_listing_of_a_newer_version_stays(self, tmp_path):
        compared(tmp_path / "suite", seeds=(0,))
        newer = '{"format": 2, "program": "koala-optim", "version": "7.0.0", "arms": {}}'
        (tmp_path / "suite" / "suite.json").write_text(newer)
        with pytest.raises(lab.FolderError, match=r"has format 2, .* go on with koala-optim 7\.0\.0"):
            compared(tmp_path / "suite", seeds=(0,))
        assert (tmp_path / "suite" / "suite.json").read_text() == newer

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
