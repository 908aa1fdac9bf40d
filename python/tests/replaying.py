"""The recorded trajectories of fixtures/trajectories, replayed: see FORMAT.md there.

Without safetensors or pytest, which a machine with a device need not have.
"""

import json
import struct
from pathlib import Path
from typing import Any

import torch
from support import FIXTURES, difference
from torch import Tensor, nn

from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV

TYPES = {"float64": torch.float64, "f64": torch.float64, "float32": torch.float32, "f32": torch.float32}
KINDS = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6}
FILES = sorted((FIXTURES / "trajectories").glob("*.safetensors"))


def read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What a file of safetensors holds: its metadata and its tensors."""
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", content)
    entries = json.loads(content[8 : 8 + length])
    metadata = entries.pop("__metadata__", {})
    tensors = {}
    for name, entry in entries.items():
        start, end = entry["data_offsets"]
        kind = KINDS[entry["dtype"]]
        flat = torch.frombuffer(content, dtype=kind, offset=8 + length + start, count=(end - start) // kind.itemsize)
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return metadata, tensors


def made(metadata: dict[str, str], parameters: list[tuple[str, Tensor]], **engine: Any) -> Koala:
    given = json.loads(metadata["hyperparameters"])
    decay = metadata["weight_decay_rule"]
    common = {
        "measurement_noise": given.get("r"),
        "measurement_noise_smoothing": given.get("alpha_r", 0.9),
        "weight_decay": given.get("weight_decay", 0.0),
        "decay_rule": "coupled" if decay == "none" else decay,
        **engine,
    }
    if metadata["optimizer"] == "koala-v":
        return KoalaV(
            parameters, initial_covariance=given.get("sigma", 1.0), process_noise=given.get("q", 1.0), **common
        )
    if metadata["optimizer"] == "koala-m":
        return KoalaM(
            parameters,
            initial_position_covariance=given.get("sw", 0.1),
            initial_cross_covariance=given.get("sc", 0.0),
            initial_velocity_covariance=given.get("sv", 0.1),
            velocity_decay=given.get("a", 0.9),
            initial_position_noise=given.get("qw", 0.01),
            velocity_noise=given.get("qv", 0.01),
            **common,
        )
    if metadata["optimizer"] == "koala-a":
        return KoalaA(
            parameters,
            initial_process_noise=given.get("Q0", 0.3),
            velocity_decay=given.get("kappa", 0.9),
            metric=given.get("metric", "diagonal"),
            second_moment_smoothing=given.get("beta2", 0.99),
            epsilon=given.get("eps", 1e-8),
            growth_rate=given.get("growth", 0.2),
            decline_rate=given.get("decay", 0.1),
            rate_horizon=given.get("k0", 30.0),
            whiteness_smoothing=given.get("smoothing", 0.9),
            # Recordings are of the equations without it.
            gradient_floor=given.get("floor", 0.0),
            mean=given.get("average", 8.0),
            target=given.get("target", 0.0),
            **common,
        )
    return KoalaPP(
        parameters,
        initial_covariance=given.get("sigma", 1.0),
        process_noise=given.get("q", 1.0),
        variant="symmetric" if given.get("is_symmetric", True) else "minimum-norm",
        **common,
    )


def replay(path: Path, device: torch.device | str = "cpu", **engine: Any) -> dict[str, float]:
    """The largest relative differences, by what differs."""
    worst = {"parameters": 0.0, "predicted": 0.0, "means": 0.0, "filter": 0.0, "rho": 0.0}

    def see(what: str, value: float) -> None:
        worst[what] = max(worst[what], value)

    def see_number(found: float, number: Tensor) -> None:
        see("filter", abs(found - float(number)) / abs(float(number)) if number else abs(found))

    metadata, recorded = read(path)
    parameters = [
        (name, nn.Parameter(recorded[f"param/0/{name}"].to(device)))
        for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
    ]
    assert {p.dtype for _, p in parameters} == {TYPES[metadata["dtype"]]}
    optimizer = made(metadata, parameters, **engine)
    loss, square, lr, noise = (recorded[name] for name in ("loss", "loss_sq", "lr", "r"))
    for step in range(1, int(metadata["steps"]) + 1):
        optimizer.param_groups[0]["lr"] = float(lr[step - 1])
        optimizer.predict()
        for name, parameter in parameters:
            if f"predicted/{step}/{name}" in recorded:
                see(
                    "predicted",
                    difference([recorded[f"predicted/{step}/{name}"]], [parameter.detach().cpu()]),
                )
            gradient = f"grad/{step}/{name}"
            parameter.grad = recorded[gradient].to(device) if gradient in recorded else None
        optimizer.observe(float(loss[step - 1]), mean_square=float(square[step - 1]))
        optimizer.step()
        for name, parameter in parameters:
            see("parameters", difference([recorded[f"param/{step}/{name}"]], [parameter.detach().cpu()]))
        if f"average/{step}/fc1.bias" in recorded:
            with optimizer.averaged():
                for name, parameter in parameters:
                    see("means", difference([recorded[f"average/{step}/{name}"]], [parameter.detach().cpu()]))
        if "rho" in recorded:
            found = optimizer.report()["whiteness"]["smoothed_correlation"]
            see("rho", abs(found - float(recorded["rho"][step - 1])))
        state = optimizer.filter_state()
        see_number(state["measurement_noise"], noise[step - 1])
        if "sigma" in recorded:
            see_number(state["covariance"]["scalar"], recorded["sigma"][step - 1])
        if "P" in recorded:
            covariance = recorded["P"][step - 1]
            for name, value in (("p11", covariance[0, 0]), ("p12", covariance[0, 1]), ("p22", covariance[1, 1])):
                see_number(state["covariance"]["matrix"][name], value)
        if "qw" in recorded:
            see_number(state["process_noise"]["position-velocity"]["position"], recorded["qw"][step - 1])
        if "q" in recorded:
            see_number(state["process_noise"]["scalar"], recorded["q"][step - 1])
    assert int(metadata["steps"]) >= 20
    return worst
