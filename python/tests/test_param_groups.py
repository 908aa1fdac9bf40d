"""Parameter groups as recipes want them."""

import pytest
import torch
from support import run_step
from torch import nn

from koala_optim import KoalaM, param_groups


class LlamaRMSNorm(nn.Module):
    """As language models have them: no normalisation of PyTorch's, but by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.layer = nn.Linear(3, 3)
        self.attention = nn.MultiheadAttention(3, 1)
        self.recurrent = nn.LSTM(3, 2)
        self.own_norm, self.layer_norm, self.batch_norm = LlamaRMSNorm(), nn.LayerNorm(3), nn.BatchNorm1d(3)
        self.group_norm = nn.GroupNorm(1, 3)
        self.scale = nn.Parameter(torch.ones(()))
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embedding.weight


WEIGHTS = {"embedding.weight", "layer.weight", "attention.in_proj_weight", "attention.out_proj.weight", "scale"}
WEIGHTS |= {"recurrent.weight_ih_l0", "recurrent.weight_hh_l0"}
BIASES = {"layer.bias", "attention.in_proj_bias", "attention.out_proj.bias", "recurrent.bias_ih_l0"}
BIASES |= {"recurrent.bias_hh_l0"}
NORMS = {"own_norm.weight"}
NORMS |= {f"{kind}_norm.{part}" for kind in ("layer", "batch", "group") for part in ("weight", "bias")}


def names(groups: list[dict]) -> list[set[str]]:
    return [{name for name, _ in group["params"]} for group in groups]


@pytest.mark.parametrize(
    ("no_decay", "without"),
    [
        ("norm and bias", NORMS | BIASES),
        ("norm", NORMS),
        ("bias", BIASES | {name for name in NORMS if name.endswith("bias")}),
        (lambda name, parameter: parameter.ndim < 2, NORMS | BIASES | {"scale"}),
    ],
    ids=["norm-and-bias", "norm", "bias", "function"],
)
def test_who_has_decay(no_decay, without: set[str]) -> None:
    groups = param_groups(Model(), weight_decay=0.1, no_decay=no_decay, lr=0.5)
    assert names(groups) == [(WEIGHTS | BIASES | NORMS) - without, without]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(group["lr"] == 0.5 for group in groups)


def test_an_empty_group_is_left_out() -> None:
    (group,) = param_groups(Model(), weight_decay=0.1, no_decay="nothing")
    assert names([group]) == [WEIGHTS | BIASES | NORMS] and group["weight_decay"] == 0.1


def test_an_optimizer_takes_them() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3))
    optimizer = KoalaM(param_groups(model, weight_decay=0.1))
    run_step(optimizer, model, 0)
    assert [block["name"] for block in optimizer.report()["blocks"]] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="no_decay = 'biases': must be 'norm and bias', 'norm', 'bias', 'nothing' or"):
        param_groups(Model(), weight_decay=0.1, no_decay="biases")
    with pytest.raises(ValueError, match="no parameter of the model requires a gradient"):
        param_groups(Model().requires_grad_(False), weight_decay=0.1)
