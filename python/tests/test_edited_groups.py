"""Parameter groups that are edited while they train: pruned, grown, replaced, added to, taken out of."""

import copy

import pytest
import torch
from support import Maker, Variant, same, values
from torch import Tensor, nn

from koala_optim import KoalaA, KoalaM


class Points:
    """Points that are drawn to the origin; the optimizer moves them, densification and pruning change their number."""

    def __init__(self, make, number: int = 6, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        self.points = nn.Parameter(torch.randn(number, 3, generator=generator))
        self.scale = nn.Parameter(torch.ones(1))
        self.optimizer = make([{"params": [self.points], "lr": 0.5}, {"params": [self.scale]}])

    def step(self):
        self.optimizer.zero_grad()
        self.optimizer.predict()
        losses = (self.points.square().sum(1) + 1.0) * self.scale.square()
        losses.mean().backward()
        self.optimizer.update(losses)

    def replace(self, points: Tensor, change=None):
        """As programs for such models do it: the new parameter gets the old one's state, changed alike."""
        group = self.optimizer.param_groups[0]
        kept = self.optimizer.state.pop(group["params"][0], None)
        self.points = nn.Parameter(points)
        group["params"][0] = self.points
        if change is not None and kept is not None:
            self.optimizer.state[self.points] = {name: change(vector) for name, vector in kept.items()}

    def parameters(self):
        return values([self.points, self.scale])


def pruned(vector: Tensor) -> Tensor:
    return vector.detach()[:4].clone()


def grown(vector: Tensor) -> Tensor:
    return torch.cat([vector.detach(), vector.detach()[:2]])


def reloaded(make, model: Points) -> Points:
    """From the model's own checkpoint."""
    other = Points(make, len(model.points), seed=9)
    with torch.no_grad():
        other.points.copy_(model.points)
        other.scale.copy_(model.scale)
    other.optimizer.load_state_dict(copy.deepcopy(model.optimizer.state_dict()))
    return other


@pytest.mark.parametrize("with_state", [True, False], ids=["state", "anew"])
@pytest.mark.parametrize("change", [pruned, grown])
def test_the_layout_follows_and_the_checkpoint_loads(make: Maker, change, with_state: bool) -> None:
    model = Points(make)
    for _ in range(3):
        model.step()
    before = model.optimizer.filter_state()
    model.replace(change(model.points), change if with_state else None)
    # Saved before the next step already.
    reloaded(make, model)
    assert model.optimizer.filter_state() == before
    for _ in range(2):
        model.step()
    other = reloaded(make, model)
    for one in (model, other):
        one.step()
    assert same(model.parameters(), other.parameters())
    assert model.optimizer.filter_state() == other.optimizer.filter_state()
    copied = copy.deepcopy(model.optimizer)
    assert copied.filter_state() == model.optimizer.filter_state()


def test_a_state_that_is_carried_on_makes_another_step_than_none(variant: Variant) -> None:
    if not variant.memory:
        return
    results = []
    for change in (pruned, None):
        model = Points(variant)
        for _ in range(4):
            model.step()
        model.replace(pruned(model.points), change)
        model.step()
        model.step()
        results.append(model.parameters()[0])
    assert not torch.equal(*results)


def test_a_row_that_is_replaced_by_itself_changes_nothing(make: Maker) -> None:
    model, twin = Points(make), Points(make)
    for one in (model, twin):
        for _ in range(3):
            one.step()
    model.replace(model.points.detach().clone(), torch.clone)
    for _ in range(2):
        model.step()
        twin.step()
    assert same(model.parameters(), twin.parameters())
    assert model.optimizer.filter_state() == twin.optimizer.filter_state()


def test_a_parameter_put_into_a_group_or_taken_out(make: Maker) -> None:
    """As if it had been added in a group of its own, but for the group's options."""
    model, twin = Points(make), Points(make)
    more = [nn.Parameter(torch.full((2,), 0.5)) for _ in range(2)]
    for one in (model, twin):
        for _ in range(3):
            one.step()
    model.optimizer.param_groups[1]["params"].append(more[0])
    twin.optimizer.add_param_group({"params": [more[1]]})
    for one, extra in ((model, more[0]), (twin, more[1])):
        for _ in range(3):
            one.optimizer.zero_grad()
            one.optimizer.predict()
            losses = (one.points.square().sum(1) + extra.square().sum()) * one.scale.square()
            losses.mean().backward()
            one.optimizer.update(losses)
    assert same([*model.parameters(), more[0]], [*twin.parameters(), more[1]])
    del model.optimizer.param_groups[1]["params"][1]
    model.step()
    assert set(model.optimizer.state) <= {model.points, model.scale}
    reloaded(make, model).step()


def test_a_group_that_is_taken_out(make: Maker) -> None:
    model = Points(make)
    model.step()
    del model.optimizer.param_groups[0]
    model.step()
    assert [block["name"] for block in model.optimizer.report()["blocks"]] == ["1"]
    state = copy.deepcopy(model.optimizer.state_dict())
    other = make([model.scale])
    other.load_state_dict(state)
    assert other.filter_state() == model.optimizer.filter_state()


def test_names_stay_with_their_parameters(variant: Variant) -> None:
    parameters = {name: nn.Parameter(torch.ones(2)) for name in ("a", "b", "c")}
    optimizer = variant(list(parameters.items()))
    group = optimizer.param_groups[0]
    group["params"][1] = nn.Parameter(torch.ones(3))
    group["params"].append(nn.Parameter(torch.ones(1)))
    group["params"].reverse()
    optimizer.predict()
    optimizer.update(1.0)
    names = [block["name"] for block in optimizer.report()["blocks"]]
    # The list of names is shorter now, and no longer says which is whose.
    assert len(set(names)) == 4 and names[1] == "c" and names[3] == "a"


def test_data_of_another_shape(make: Maker, variant: Variant) -> None:
    model = Points(make)
    model.step()
    model.points.data = model.points.data[:4].clone()
    if variant.memory:
        with pytest.raises(
            ValueError, match=r"parameter 0 was changed to the shape \[4, 3\], but its '\w+' has \[6, 3\]"
        ):
            model.step()
        del model.optimizer.state[model.points]
        model.optimizer.abandon()
    model.step()
    reloaded(make, model).step()


def test_not_between_predict_and_step(make: Maker) -> None:
    model = Points(make)
    model.step()
    model.optimizer.predict()
    model.replace(pruned(model.points))
    with pytest.raises(
        RuntimeError, match="changed in a group between predict and step; change them after step, or call abandon"
    ):
        model.optimizer.update(1.0)
    model.optimizer.abandon()
    model.step()


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (
            lambda o: o.param_groups[0]["params"].append(torch.zeros(2, dtype=torch.int64)),
            TypeError,
            "type torch.int64",
        ),
        (lambda o: o.param_groups[1]["params"].append(o.param_groups[0]["params"][0]), ValueError, "more than once"),
        (lambda o: [group["params"].clear() for group in o.param_groups], ValueError, "no parameter is left"),
        (
            lambda o: o.param_groups.append({"params": [nn.Parameter(torch.ones(1))]}),
            ValueError,
            r"has no decay_rule; add groups with optimizer\.add_param_group\(\)",
        ),
    ],
    ids=["integer", "twice", "none", "half-a-group"],
)
def test_edits_that_cannot_be(make: Maker, edit, error: type, message: str) -> None:
    model = Points(make)
    model.step()
    edit(model.optimizer)
    before = model.parameters()
    with pytest.raises(error, match=message):
        model.optimizer.predict()
    assert same(model.parameters(), before)


def test_the_mean_follows(foreach: bool) -> None:
    model = Points(lambda params: KoalaA(params, foreach=foreach))
    for _ in range(4):
        model.step()
    model.replace(pruned(model.points), pruned)
    mean = model.optimizer.state[model.points]["mean"].clone()
    with model.optimizer.averaged():
        assert torch.equal(model.points, mean)
    model.replace(pruned(model.points))
    before = model.points.detach().clone()
    with model.optimizer.averaged():
        assert torch.equal(model.points, before)


def test_adding_a_group_after_an_edit(make: Maker) -> None:
    model = Points(make)
    model.step()
    model.replace(grown(model.points))
    model.optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2))]})
    model.step()
    assert len(model.optimizer.report()["blocks"]) == 3


def test_many_steps_between_edits_cost_no_layout(monkeypatch) -> None:
    model = nn.Linear(3, 2)
    optimizer, twin = KoalaM(model.parameters()), copy.deepcopy(model)
    other = KoalaM(twin.parameters())
    assert optimizer._known.is_of(optimizer.param_groups)
    monkeypatch.setattr("koala_optim.groups.followed", None)
    for one, net in ((optimizer, model), (other, twin)):
        one.predict()
        losses = net(torch.ones(2, 3)).square().mean(1)
        losses.mean().backward()
        one.update(losses)
    assert same(values(model), values(twin))
