"""The recorded trajectories of fixtures/trajectories replay through the package: see FORMAT.md there."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from support import FIXTURES, difference
from torch import Tensor, nn

from koala_optim import Koala, KoalaA, KoalaM, KoalaPP, KoalaV

TYPES = {"float64": torch.float64, "f64": torch.float64, "float32": torch.float32, "f32": torch.float32}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6}
FILES = sorted((FIXTURES / "trajectories").glob("*.safetensors"))


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

    def see_number(found: float, recorded: Tensor) -> None:
        see("filter", abs(found - float(recorded)) / abs(float(recorded)) if recorded else abs(found))

    with safe_open(path, "pt") as file:
        metadata, names = file.metadata(), set(file.keys())
        parameters = [
            (name, nn.Parameter(file.get_tensor(f"param/0/{name}").to(device)))
            for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
        ]
        assert {p.dtype for _, p in parameters} == {TYPES[metadata["dtype"]]}
        optimizer = made(metadata, parameters, **engine)
        loss, square, lr, noise = (file.get_tensor(name) for name in ("loss", "loss_sq", "lr", "r"))
        for step in range(1, int(metadata["steps"]) + 1):
            optimizer.param_groups[0]["lr"] = float(lr[step - 1])
            optimizer.predict()
            for name, parameter in parameters:
                if f"predicted/{step}/{name}" in names:
                    see(
                        "predicted",
                        difference([file.get_tensor(f"predicted/{step}/{name}")], [parameter.detach().cpu()]),
                    )
                gradient = f"grad/{step}/{name}"
                parameter.grad = file.get_tensor(gradient).to(device) if gradient in names else None
            optimizer.observe(float(loss[step - 1]), mean_square=float(square[step - 1]))
            optimizer.step()
            for name, parameter in parameters:
                see("parameters", difference([file.get_tensor(f"param/{step}/{name}")], [parameter.detach().cpu()]))
            if f"average/{step}/fc1.bias" in names:
                with optimizer.averaged():
                    for name, parameter in parameters:
                        see(
                            "means", difference([file.get_tensor(f"average/{step}/{name}")], [parameter.detach().cpu()])
                        )
            if "rho" in names:
                found = optimizer.report()["whiteness"]["smoothed_correlation"]
                see("rho", abs(found - float(file.get_tensor("rho")[step - 1])))
            state = optimizer.filter_state()
            see_number(state["measurement_noise"], noise[step - 1])
            if "sigma" in names:
                see_number(state["covariance"]["scalar"], file.get_tensor("sigma")[step - 1])
            if "P" in names:
                recorded = file.get_tensor("P")[step - 1]
                for name, value in (("p11", recorded[0, 0]), ("p12", recorded[0, 1]), ("p22", recorded[1, 1])):
                    see_number(state["covariance"]["matrix"][name], value)
            if "qw" in names:
                see_number(state["process_noise"]["position-velocity"]["position"], file.get_tensor("qw")[step - 1])
            if "q" in names:
                see_number(state["process_noise"]["scalar"], file.get_tensor("q")[step - 1])
    assert int(metadata["steps"]) >= 20
    return worst


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_trajectory_is_repeated(path: Path, foreach: bool) -> None:
    with safe_open(path, "pt") as file:
        tolerance = TOLERANCE[TYPES[file.metadata()["dtype"]]]
    worst = replay(path, foreach=foreach)
    print(f"{path.stem}, foreach={foreach}: {worst}")
    assert max(worst.values()) <= tolerance


def test_all_trajectories_are_here() -> None:
    assert len(FILES) == 10


def test_a_wrong_filter_is_seen() -> None:
    """The comparison can fail: another R at the start is another trajectory."""
    worst = replay(FIXTURES / "trajectories" / "koala-m.safetensors", foreach=False, initial_measurement_noise=1.001)
    assert worst["parameters"] > 1e-6
