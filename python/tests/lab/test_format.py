"""The folder format: real runs of the program and of this package hold to the schemas, and the schemas to them.

With ``KOALA`` set to the program ``koala``, it trains here and now as well.
"""

import copy
import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from lab_problem import CONFIG, adamw, network
from test_run import trained

import koala_optim
from koala_optim import lab

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

ROOT = Path(__file__).resolve().parents[3]
RUNS = sorted(path.parent for path in (ROOT / "fixtures" / "runs").glob("*/config.toml"))


def schema(name):
    found = json.loads((ROOT / "docs" / "format" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


EVENTS, RESULT = schema("events"), schema("result")
OF_EVENTS, OF_RESULT = (jsonschema.Draft202012Validator(found) for found in (EVENTS, RESULT))


def unknown(value, of, root, path=""):
    """Keys that a schema does not describe. Readers must tolerate them; our programs write none."""
    while "$ref" in of:
        of = root["$defs"][of["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [found for inner in value for found in unknown(inner, of.get("items", {}), root, path)]
    if not isinstance(value, dict):
        return []
    parts = [of, *of.get("anyOf", [])]
    known = {name: inner for part in parts for name, inner in part.get("properties", {}).items()}
    found = [path + name for name in value if name not in known]
    for name, inner in value.items():
        found += unknown(inner, known.get(name, {}), root, f"{path}{name}.")
    return found


def check(folder):
    """Everything that is wrong with the files of a run."""
    faults = []
    for number, line in enumerate((folder / "events.jsonl").read_text().splitlines(), 1):
        event = json.loads(line)
        faults += [f"line {number}: {error.message}" for error in OF_EVENTS.iter_errors(event)]
        kind = event["event"]
        assert kind in EVENTS["$defs"], kind
        faults += [f"line {number}: {name} is not described" for name in unknown(event, EVENTS["$defs"][kind], EVENTS)]
    if (folder / "result.json").exists():
        result = json.loads((folder / "result.json").read_text())
        faults += [f"result: {error.message}" for error in OF_RESULT.iter_errors(result)]
        faults += [f"result: {name} is not described" for name in unknown(result, RESULT, RESULT)]
    return faults


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_runs_of_every_kind(folder):
    assert check(folder) == []


def test_every_event_was_met():
    met = {json.loads(line)["event"] for folder in RUNS for line in (folder / "events.jsonl").read_text().splitlines()}
    assert met | {"evaluation"} == {condition["if"]["properties"]["event"]["const"] for condition in EVENTS["allOf"]}


@pytest.mark.parametrize(
    "make",
    [adamw, koala_optim.KoalaV, koala_optim.KoalaM, koala_optim.KoalaPP, koala_optim.KoalaA],
    ids=lambda make: make.__name__,
)
def test_what_this_package_writes(tmp_path, make):
    trained(tmp_path / "run", make=make, epochs=2, train_samples=200, test_samples=50)
    assert check(tmp_path / "run") == []


def test_what_breaks_off(tmp_path):
    optimizer = koala_optim.KoalaM(network().named_parameters())
    with pytest.raises(lab.Diverged):
        with lab.Run(
            tmp_path / "run", CONFIG, optimizer=optimizer, missing_limit=1, log_every=1, tensorboard=False
        ) as run:
            optimizer.zero_grad()
            optimizer.predict()
            optimizer.update(torch.tensor(float("nan")))
            run.step(float("nan"))
    assert check(tmp_path / "run") == []


@pytest.mark.skipif("KOALA" not in os.environ, reason="KOALA does not name the program koala")
def test_what_the_program_writes_today(tmp_path):
    command = [
        os.environ["KOALA"],
        "train",
        "--quiet",
        "--max-steps",
        "30",
        "--validation",
        "200",
        "--out",
        tmp_path / "run",
    ]
    subprocess.run(command, check=True)
    assert check(tmp_path / "run") == []


BROKEN = {
    "step without a number": lambda event: event.pop("step"),
    "a step that is negative": lambda event: event.update(step=-1),
    "a loss that is text": lambda event: event.update(loss="1"),
    "a filter of another method": lambda event: event["filter"].update(covariance={"p": 1}),
    "an outcome that there is not": lambda event: event["filter"].update(outcome="lost"),
    "a block without its name": lambda event: event["filter"]["blocks"][0].pop("name"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_schema_finds_faults(name):
    lines = (ROOT / "fixtures" / "runs" / "images" / "events.jsonl").read_text().splitlines()
    event = copy.deepcopy(json.loads(lines[1]))
    assert event["event"] == "step" and not list(OF_EVENTS.iter_errors(event))
    BROKEN[name](event)
    assert list(OF_EVENTS.iter_errors(event))


def test_what_is_not_known_is_left_room_for():
    event = {"event": "of-tomorrow", "x": 1}
    assert not list(OF_EVENTS.iter_errors(event))
    result = json.loads((ROOT / "fixtures" / "runs" / "images" / "result.json").read_text())
    assert not list(OF_RESULT.iter_errors({**result, "of_tomorrow": 1}))
    assert list(OF_RESULT.iter_errors({**result, "status": "lost"}))
