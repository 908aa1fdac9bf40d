import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "torchrun_digits.py"


@pytest.mark.parametrize("method", ["KoalaM", "KoalaA"])
def test_torchrun_trains_on_digits_in_two_processes(method):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(EXAMPLE)]
    finished = subprocess.run(
        [*command, "--method", method, "--epochs", "3"], capture_output=True, text=True, timeout=180
    )
    assert finished.returncode == 0, finished.stderr
    losses = [float(loss) for loss in re.findall(r"^epoch \d: loss ([\d.]+)", finished.stdout, re.MULTILINE)]
    assert len(losses) == 3, finished.stdout
    assert losses[2] < 0.3 * losses[0]
    assert re.findall(r"'step': (\d+)", finished.stdout) == ["15", "30", "45"]
