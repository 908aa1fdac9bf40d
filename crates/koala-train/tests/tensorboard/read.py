"""Checks a run's event file against its event log, with TensorBoard's own reader: read.py RUN_FOLDER.

Every number of the log, and nothing else, must be in the event file, rounded to 32 bits. The event file is read from its
records (EventFileLoader: nothing may be lost or be in the wrong order) and as the dashboards read it (EventAccumulator).
"""

import collections
import contextlib
import io
import json
import logging
import math
import pathlib
import sys
import tomllib

import numpy
from tensorboard.backend.event_processing import event_accumulator, event_file_loader
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import metadata as hparams

OUTCOMES = {"measured": 0, "no-gradient": 1, "missing": 2}
BLOCK_OUTCOMES = {
    "updated": 0,
    "clamped": 1,
    "restarted": 2,
    "frozen": 3,
    "no-gradient": 4,
    "vanishing-gradient": 5,
    "missing-measurement": 6,
}
# Said elsewhere: by the step itself, by its curve, by the names of the tags.
LEFT_OUT_OF_STEPS = {"event", "step", "epoch", "filter"}
LEFT_OUT_OF_EPOCHS = {"training_seconds", "event", "step", "seconds"}
LEFT_OUT_OF_REPORTS = {"step", "outcome", "blocks", "limiting_block", "process_noise", "covariance", "whiteness"}


def key(outcome):
    """The kind of an outcome, which is a word or a table of one entry."""
    return outcome if isinstance(outcome, str) else next(iter(outcome))


def noise(tag, value):
    """A number by itself, or by the names of its parts."""
    if value == "product":
        return {}
    (content,) = value.values()
    if isinstance(content, dict):
        return {f"{tag}/{name}": number for name, number in content.items()}
    return {tag: content}


def of_report(report):
    points = {f"filter/{k}": v for k, v in report.items() if k not in LEFT_OUT_OF_REPORTS}
    points["filter/outcome"] = OUTCOMES[key(report["outcome"])]
    points |= noise("filter/process_noise", report["process_noise"])
    points |= noise("filter/covariance", report["covariance"])
    # The smoothed correlation is what the corrected one is made of.
    whiteness = report.get("whiteness") or {}
    points |= {f"filter/whiteness/{k}": v for k, v in whiteness.items() if k != "smoothed_correlation"}
    limiting = report["limiting_block"]
    if limiting is not None:
        points["filter/limiting_block/index"] = limiting
        for number in ("innovation", "innovation_variance", "normalised_innovation_squared"):
            points[f"filter/limiting_block/{number}"] = report["blocks"][limiting][number]
    counts = collections.Counter(key(block["outcome"]) for block in report["blocks"])
    for outcome in ("skipped", "clamped", "restarted"):
        points[f"filter/{outcome}_blocks"] = counts[outcome]
    for block in report["blocks"]:
        place = f"blocks/{block['name']}"
        outcome = block["outcome"]
        points[f"{place}/outcome"] = BLOCK_OUTCOMES[outcome if isinstance(outcome, str) else outcome["skipped"]]
        if isinstance(outcome, str):
            points |= {f"{place}/{k}": v for k, v in block.items() if k not in ("name", "outcome")}
    return points


def of_step(event):
    own = {number: f"train/{number}" for number in ("loss", "error", "top5_error")}
    points = {own.get(k, k): v for k, v in event.items() if k not in LEFT_OUT_OF_STEPS}
    return points | (of_report(event["filter"]) if "filter" in event else {})


def of_epoch(event):
    points = {k: v for k, v in event.items() if k not in LEFT_OUT_OF_EPOCHS}
    return {k if k == "epoch" else figure(k): v for k, v in points.items()}


def of_evaluation(event):
    return {figure(k): v for k, v in event.items() if k not in LEFT_OUT_OF_EPOCHS | {"epoch"}}


def of_gan_step(event):
    points = {f"critic/{k}": event[k] for k in ("wasserstein", "penalty")} | {"seconds": event["seconds"]}
    for network in ("critic", "generator"):
        own = {k: v for k, v in event[network].items() if k != "filter"}
        own |= of_report(event[network]["filter"]) if "filter" in event[network] else {}
        points |= {f"{network}/{k}": v for k, v in own.items()}
    return points


def of_gan_epoch(event):
    means = {
        "critic/epoch_loss": "critic_loss",
        "generator/epoch_loss": "generator_loss",
        "critic/epoch_wasserstein": "wasserstein",
        "critic/epoch_penalty": "penalty",
    }
    return {"epoch": event["epoch"]} | {tag: event[k] for tag, k in means.items()} | of_gan_evaluation(event)


def of_gan_evaluation(event):
    points = {}
    for key in ("validation_distance", "test_distance"):
        if distance := event.get(key):
            tag = f"distance/{key.removesuffix('_distance')}"
            points[tag] = distance["mean"]
            for level in distance["levels"]:
                points[f"{tag}_{level['height']}x{level['width']}"] = level["distance"]
    return points


def figure(key):
    """test_loss is test/loss; numbers of training batches stand beside those of single batches."""
    samples, name = key.split("_", 1)
    return f"train/epoch_{name}" if samples == "train" else f"{samples}/{name}"


POINTS = {
    "step": of_step,
    "epoch": of_epoch,
    "evaluation": of_evaluation,
    "gan_step": of_gan_step,
    "gan_epoch": of_gan_epoch,
    "gan_evaluation": of_gan_evaluation,
}


def reports(log):
    """The reports of each filter with their steps, by the prefix of its tags."""
    found = collections.defaultdict(list)
    for event in log:
        networks = {"step": {"": event}, "gan_step": {f"{n}/": event.get(n) for n in ("critic", "generator")}}
        for prefix, network in networks.get(event["event"], {}).items():
            if "filter" in network:
                found[prefix].append((event["step"], network["filter"]))
    return found


def expected(log):
    """The points of each tag, in order."""
    curves = collections.defaultdict(list)
    for event in log:
        points = POINTS.get(event["event"], lambda _: {})(event)
        for tag, value in points.items():
            curves[tag].append((event["step"], value))
    return curves


def same(found, value):
    if value is None:
        return not math.isfinite(found)
    with numpy.errstate(over="ignore"):
        return numpy.float32(value) == numpy.float32(found)


def check(name, found, curves):
    found = dict(found)
    assert found.keys() == curves.keys(), f"{name}: {found.keys() ^ curves.keys()}"
    for tag, points in curves.items():
        steps = [step for step, _ in found[tag]], [step for step, _ in points]
        assert steps[0] == steps[1], f"{name}: {tag}: steps {steps}"
        for (step, value), (_, wanted) in zip(found[tag], points):
            assert same(value, wanted), f"{name}: {tag} at {step}: {value}, not {wanted}"


def code(text):
    return "".join(f"    {line}\n" for line in text.splitlines())


def flat(table, prefix=""):
    """The keys of a configuration with their tables, as the dashboard has columns."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def hyperparameters(folder, log, board):
    """The tags of the HPARAMS dashboard, once its own reader has found the configuration and the end in them."""
    tags = {hparams.SESSION_START_INFO_TAG}
    content = {tag: board.SummaryMetadata(tag).plugin_data.content for tag in board.PluginTagToContent("hparams")}
    start = hparams.parse_session_start_info_plugin_data(content[hparams.SESSION_START_INFO_TAG])
    found = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    wanted = dict(flat(tomllib.loads((folder / "config.toml").read_text())))
    assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
    for name, value in wanted.items():
        plain = isinstance(value, (bool, str)) or isinstance(value, (int, float)) and math.isfinite(value)
        assert found[name] == value if plain else isinstance(found[name], str), (name, found[name], value)
    assert start.start_time_secs > 1.7e9
    ends = {"end": api_pb2.STATUS_SUCCESS, "failure": api_pb2.STATUS_FAILURE}
    last = log[-1]
    if last["event"] in ends and last.get("status") != "interrupted":
        end = hparams.parse_session_end_info_plugin_data(content[hparams.SESSION_END_INFO_TAG])
        assert end.status == ends[last["event"]], end
        assert end.end_time_secs >= start.start_time_secs
        tags.add(hparams.SESSION_END_INFO_TAG)
    assert content.keys() == tags, content.keys()
    return tags


def main(folder):
    log = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    curves = expected(log)
    (file,) = folder.glob("*tfevents*")

    records = collections.defaultdict(list)
    descriptions = {}
    for event in event_file_loader.LegacyEventFileLoader(str(file)).Load():
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                records[value.tag].append((event.step, value.simple_value))
                descriptions.setdefault(value.tag, value.metadata.summary_description)
    check("records", records, curves)
    bare = [tag for tag, description in descriptions.items() if not description]
    assert not bare, f"without a description: {bare}"

    everything = dict.fromkeys(event_accumulator.DEFAULT_SIZE_GUIDANCE, 0)
    board = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    with contextlib.redirect_stderr(io.StringIO()) as complaints:
        logging.getLogger("tensorboard").addHandler(logging.StreamHandler(complaints))
        board.Reload()
    assert not complaints.getvalue(), complaints.getvalue()
    tags = board.Tags()
    scalars = {tag: [(e.step, e.value) for e in board.Scalars(tag)] for tag in tags["scalars"]}
    check("dashboard", scalars, curves)

    texts = {
        tag: [(e.step, e.tensor_proto.string_val[0].decode()) for e in board.Tensors(tag)]
        for tag in tags["tensors"]
        if board.SummaryMetadata(tag).plugin_data.plugin_name == "text"
    }
    assert texts["config"] == [(0, code((folder / "config.toml").read_text()))]
    listed = hyperparameters(folder, log, board)
    start = log[0]
    assert f'optimizer = "{start["optimizer"]}"' in texts["run"][0][1]
    missing = []
    for prefix, filters in reports(log).items():
        names = [line.split(maxsplit=1) for line in texts[f"{prefix}filter/blocks"][0][1].splitlines()]
        assert names == [[str(i), b["name"]] for i, b in enumerate(filters[0][1]["blocks"])]
        layouts = set(tags["tensors"]) - texts.keys() - listed
        assert layouts == {"custom_scalars__config__"}, layouts
        causes = [
            (step, code(report["outcome"]["missing"]["cause"]))
            for step, report in filters
            if key(report["outcome"]) == "missing"
        ]
        assert texts.get(f"{prefix}filter/missing", []) == causes
        missing += causes
    failures = [code(event["message"]) for event in log if event["event"] == "failure"]
    assert [text for _, text in texts.get("failure", [])] == failures

    numbers = sum(len(points) for points in curves.values())
    absent = sum(value is None for points in curves.values() for _, value in points)
    print(f"{len(curves)} curves of {numbers} numbers agree, {absent} of them not finite; "
          f"{len(missing)} missing measurements, {len(failures)} failures")


main(pathlib.Path(sys.argv[1]))
