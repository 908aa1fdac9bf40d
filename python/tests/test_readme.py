"""Every block of code in README.md is run, each with what the ones before it made."""

import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_blocks_of_python(tmp_path, capsys):
    """``loss_of``, ``path``, ``folder`` and ``comparison`` stand for the reader's own; all else the README makes itself."""
    torch.manual_seed(0)
    names = {
        "loss_of": lambda outputs, labels: torch.nn.functional.cross_entropy(outputs, labels, reduction="none"),
        "path": tmp_path / "checkpoint.pt",
        "folder": tmp_path / "run",
        "comparison": tmp_path / "comparison",
    }
    python = blocks("python")
    assert len(python) >= 7
    exec(compile(python[0], "README.md, block 1", "exec"), names)
    assert names["losses"].mean() < 0.5 * torch.tensor(3.0).log()
    for number, block in enumerate(python[1:], 2):
        optimizer = names["optimizer"]
        before = optimizer.filter_state()["step"]
        exec(compile(block, f"README.md, block {number}", "exec"), names)
        assert names["optimizer"].predicted is False
        steps = names["optimizer"].filter_state()["step"] - (before if names["optimizer"] is optimizer else 0)
        # What a comparison calls makes its steps with optimizers of its own.
        expected = "lab.compare(" not in block and ("step(" in block or "update(" in block)
        assert (steps > 0) == expected
        assert not steps or names["optimizer"].report()["outcome"] == "measured"
    assert names["ended"].runs == 8 and names["ended"].failed == []
    assert "koala/effective_learning_rate" in capsys.readouterr().out


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_and_commands_name_files_that_exist(page):
    text = page.read_text()
    links = [page.parent / link for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    scripts = [ROOT / script for script in re.findall(r"(?:examples|benchmarks)/\w+\.py", text)]
    # Pages of the source, which the README names and does not link to: it is read without them too.
    pages = [ROOT.parent / page for page in re.findall(r"`((?:python/)?docs/\w+\.md)`", text)]
    missing = {str(path) for path in links + scripts + pages if not path.exists()}
    assert not missing


def test_no_language_is_left_out():
    assert set(re.findall(r"^```(\w+)", README, re.MULTILINE)) == {"python", "sh"}
    assert blocks("sh")[0].splitlines()[0] == "pip install koala-optim"
