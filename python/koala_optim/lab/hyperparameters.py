"""What TensorBoard's HPARAMS dashboard lists: the configuration with a column a key, and how the run ended.

The curves of the same file are its metrics. The program ``koala`` writes the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from . import toml


def start(config: toml.Table) -> tuple[str, Any]:
    """The beginning of a run of this configuration: a tag and its metadata."""
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    info = plugin_data_pb2.SessionStartInfo(start_time_secs=time.time())
    for name, value in _flat(config, ""):
        if isinstance(value, bool):
            info.hparams[name].bool_value = value
        elif isinstance(value, (int, float)) and math.isfinite(value):
            info.hparams[name].number_value = value
        else:
            # TensorBoard's own JSON knows no other numbers.
            info.hparams[name].string_value = value if isinstance(value, str) else toml.literal(value)
    data = plugin_data_pb2.HParamsPluginData(session_start_info=info)
    return metadata.SESSION_START_INFO_TAG, metadata.create_summary_metadata(data)


def end(completed: bool) -> tuple[str, Any]:
    """The end of a run, by itself or by a failure."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_SUCCESS if completed else api_pb2.STATUS_FAILURE
    info = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    data = plugin_data_pb2.HParamsPluginData(session_end_info=info)
    return metadata.SESSION_END_INFO_TAG, metadata.create_summary_metadata(data)


def is_end(tag: str) -> bool:
    """Whether a tag is that of a run's end."""
    from tensorboard.plugins.hparams import metadata

    return bool(tag == metadata.SESSION_END_INFO_TAG)


def _flat(table: toml.Table, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
