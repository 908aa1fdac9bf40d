"""The folder format: real runs of the program and of this package hold to the schemas, and the schemas to them.

With ``KOALA`` set to the program ``koala``, it trains here and now as well.
"""

import copy
import json
import os
import re
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


EVENTS, RESULT, DATA = (schema(name) for name in ("events", "result", "data"))
OF_EVENTS, OF_RESULT, OF_DATA = (jsonschema.Draft202012Validator(found) for found in (EVENTS, RESULT, DATA))


def unknown(value, of, root, path=""):
    """Keys that a schema does not describe. Readers must tolerate them; our programs write none."""
    while "$ref" in of:
        of = root["$defs"][of["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [found for inner in value for found in unknown(inner, of.get("items", {}), root, path)]
    if not isinstance(value, dict):
        return []
    parts = [of, *of.get("anyOf", [])]
    for condition in of.get("allOf", []):
        # A key that tells what else there is.
        if jsonschema.Draft202012Validator(condition["if"]).is_valid(value):
            parts.append(root["$defs"][condition["then"]["$ref"].rpartition("/")[2]])
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
    for name, whole, validator in (("result", RESULT, OF_RESULT), ("data", DATA, OF_DATA)):
        if (folder / f"{name}.json").exists():
            found = json.loads((folder / f"{name}.json").read_text())
            faults += [f"{name}: {error.message}" for error in validator.iter_errors(found)]
            faults += [f"{name}: {key} is not described" for key in unknown(found, whole, whole)]
    return faults


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_runs_of_every_kind(folder):
    assert check(folder) == []


def test_every_event_was_met():
    met = {json.loads(line)["event"] for folder in RUNS for line in (folder / "events.jsonl").read_text().splitlines()}
    # Warnings need a folder that resists, a checkpoint that cannot be removed say.
    rare = {"evaluation", "warning"}
    assert met | rare == {condition["if"]["properties"]["event"]["const"] for condition in EVENTS["allOf"]}


def test_a_warning_has_a_message():
    event = {"event": "warning", "message": "an old checkpoint could not be removed"}
    assert OF_EVENTS.is_valid(event) and unknown(event, EVENTS["$defs"]["warning"], EVENTS) == []
    assert not OF_EVENTS.is_valid({"event": "warning"})
    assert not OF_EVENTS.is_valid(event | {"message": 3})


def test_every_kind_of_data_was_met():
    notes = [json.loads((folder / "data.json").read_text()) for folder in RUNS if (folder / "data.json").exists()]
    met = [note["preparation"] for note in notes]
    assert {of["of"] for of in met} == set(DATA["properties"]["preparation"]["properties"]["of"]["enum"])
    tables = [of for of in met if of["of"] == "table"]
    kinds = {f"label_{of['label']['kind']}" for of in tables}
    kinds |= {f"column_{column['kind']}" for of in tables for column in of["columns"]}
    assert kinds == {name for name in DATA["$defs"] if name.startswith(("label_", "column_"))}
    # Of a text nothing is told.
    assert all(note["warnings"] for note in notes if note["preparation"]["of"] != "text")


def test_every_key_of_data_of_ones_own_is_described():
    tomllib = pytest.importorskip("tomllib", reason="of Python 3.11")
    rows = re.findall(r"^\| `(images|idx|table|text)` \| (.*) \|$", (ROOT / "docs" / "format.md").read_text(), re.M)
    described = {name: {"name", *re.findall(r"`([^`]+)`", keys)} for name, keys in rows}
    assert set(described) == {"images", "idx", "table", "text"}
    met = [tomllib.loads((folder / "config.toml").read_text()) for folder in RUNS if (folder / "data.json").exists()]
    assert met
    for config in met:
        assert set(config["dataset"]) == described[config["dataset"]["name"]]


def test_data_and_result_warn_of_the_same():
    for folder in RUNS:
        result = folder / "result.json"
        told = json.loads(result.read_text()).get("warnings", []) if result.exists() else []
        note = folder / "data.json"
        assert told == (json.loads(note.read_text())["warnings"] if note.exists() else []), folder.name


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
@pytest.mark.parametrize(
    "options",
    [
        "--validation 200 --optimizer koala-a",
        "--dataset table --file own.csv --label animal --validation 20",
        "--dataset table --file own.csv --label legs --label-kind number",
    ],
    ids=["digits", "classes", "numbers"],
)
def test_what_the_program_writes_today(tmp_path, options):
    rows = (f"{'koala' if at % 2 else 'ant'},{2 if at % 2 else 6},{at * 7 % 5 if at % 9 else ''}" for at in range(100))
    (tmp_path / "own.csv").write_text("\n".join(["animal,legs,age", *rows]))
    program = Path(os.environ["KOALA"]).resolve()
    command = [program, "train", "--quiet", "--max-steps", "30", "--out", tmp_path / "run"]
    subprocess.run([*command, *options.split()], check=True, cwd=tmp_path)
    assert (tmp_path / "run" / "data.json").exists() == ("--dataset" in options)
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


BROKEN_DATA = {
    "no samples to train on": lambda note: note["samples"].update(train=0),
    "a part without a count": lambda note: note["samples"].pop("validation"),
    "digits that are not hexadecimal": lambda note: note.update(sha256="g" * 64),
    "a warning that is no text": lambda note: note["warnings"].append(1),
    "data of another kind": lambda note: note["preparation"].update(of="sounds"),
    "a table without its columns": lambda note: note["preparation"].pop("columns"),
    "a label that is neither": lambda note: note["preparation"]["label"].update(kind="ranks"),
    "classes without names": lambda note: note["preparation"]["label"].update(classes=[]),
    "a deviation of 0": lambda note: note["preparation"]["columns"][0].update(deviation=0),
    "a column of numbers that says it has categories": lambda note: note["preparation"]["columns"][0].update(
        kind="categories"
    ),
}


@pytest.mark.parametrize("name", BROKEN_DATA)
def test_the_schema_finds_faults_of_data(name):
    note = json.loads((ROOT / "fixtures" / "runs" / "own-table" / "data.json").read_text())
    assert not list(OF_DATA.iter_errors(note))
    BROKEN_DATA[name](note)
    assert list(OF_DATA.iter_errors(note))


def test_keys_that_nothing_describes_are_found_in_data():
    note = json.loads((ROOT / "fixtures" / "runs" / "own-table" / "data.json").read_text())
    for of in (note, note["samples"], note["preparation"], note["preparation"]["label"]):
        of["of-tomorrow"] = 1
    note["preparation"]["columns"][1]["indicator"] = True
    # They are no fault: readers tolerate them.
    assert not list(OF_DATA.iter_errors(note))
    assert sorted(unknown(note, DATA, DATA)) == [
        "of-tomorrow",
        "preparation.columns.indicator",
        "preparation.label.of-tomorrow",
        "preparation.of-tomorrow",
        "samples.of-tomorrow",
    ]


def test_what_is_not_known_is_left_room_for():
    event = {"event": "of-tomorrow", "x": 1}
    assert not list(OF_EVENTS.iter_errors(event))
    result = json.loads((ROOT / "fixtures" / "runs" / "images" / "result.json").read_text())
    assert not list(OF_RESULT.iter_errors({**result, "of_tomorrow": 1}))
    assert list(OF_RESULT.iter_errors({**result, "status": "lost"}))
