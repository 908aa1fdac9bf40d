"""The example of a comparison, as its users start it."""

import importlib.util
import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "examples" / "lab_comparison.py"


def test_the_example(tmp_path):
    specification = importlib.util.spec_from_file_location("lab_comparison", FILE)
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    ended = example.main(str(tmp_path / "digits"), epochs=2, seeds=(0,))
    assert ended.failed == [] and {choice.optimizer for choice in ended.choices} == {"adamw", "sgd"}
    listing = json.loads((tmp_path / "digits" / "suite.json").read_text())
    assert listing["workloads"][0]["test_samples"] == 347 and listing["reference"] == "best"
    results = [json.loads(path.read_text()) for path in tmp_path.glob("digits/runs/*/result.json")]
    assert len(results) == ended.runs and all(result["steps"] == 42 for result in results)
    # It learns what it is for: nine of ten digits would be misread by chance.
    assert min(result["test_error"] for result in results if "test_error" in result) < 20.0
