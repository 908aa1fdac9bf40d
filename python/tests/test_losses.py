"""The ready losses: of what counts alone, equal to PyTorch's mean losses."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import cross_entropy

import koala_optim
from koala_optim import KoalaV, causal_lm_losses, classification_losses


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def tokens(padded: int) -> torch.Tensor:
    labels = torch.randint(7, (3, 6), generator=torch.Generator().manual_seed(padded))
    labels[0, 6 - padded :] = -100
    return labels


@pytest.mark.parametrize("padded", [0, 2, 5])
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_mean_over_tokens_is_that_of_causal_models(padded: int, wrapped: bool) -> None:
    logits, labels = random(3, 6, 7), tokens(padded)
    losses = causal_lm_losses(SimpleNamespace(logits=logits) if wrapped else logits, labels)
    expected = cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    assert losses.ndim == 1 and len(losses) == int((labels[:, 1:] != -100).sum())
    torch.testing.assert_close(losses.mean(), expected)
    shifted = causal_lm_losses(logits[:, :-1], labels[:, 1:], shifted=True)
    assert torch.equal(losses, shifted)


def test_padding_does_not_lower_what_the_filter_sees() -> None:
    """The same tokens with and without padding: as zeros, it would halve loss and R."""
    seen = []
    for extra in (0, 6):
        logits = torch.cat([random(3, 6, 7), torch.zeros(3, extra, 7)], 1)
        labels = torch.cat([tokens(0), torch.full((3, extra), -100)], 1)
        optimizer = KoalaV([torch.nn.Parameter(torch.ones(1))])
        optimizer.predict()
        optimizer.observe(causal_lm_losses(logits, labels))
        optimizer.step()
        seen.append((optimizer.report()["loss"], optimizer.filter_state()["measurement_noise"]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("shape", [(5,), (2, 4), (2, 3, 4)], ids=["samples", "tokens", "pixels"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_mean_over_samples_is_pytorchs(shape: tuple[int, ...], smoothing: float) -> None:
    logits = random(shape[0], 4, *shape[1:])
    labels = torch.randint(4, shape, generator=torch.Generator().manual_seed(1))
    labels.view(-1)[1] = -100
    losses = classification_losses(logits, labels, label_smoothing=smoothing)
    assert len(losses) == labels.numel() - 1
    torch.testing.assert_close(losses.mean(), cross_entropy(logits, labels, label_smoothing=smoothing))


def test_another_label_that_is_ignored() -> None:
    logits, labels = random(4, 3), torch.tensor([0, 2, 2, 1])
    losses = classification_losses(logits, labels, ignore_index=2)
    torch.testing.assert_close(losses.mean(), cross_entropy(logits, labels, ignore_index=2))
    assert len(losses) == 2
    rows = causal_lm_losses(random(2, 3, 5), torch.tensor([[0, 1, 1], [4, 1, 3]]), ignore_index=1)
    assert len(rows) == 1


def test_probabilities_as_mixup_makes_them() -> None:
    logits, labels = random(5, 4), random(5, 4).softmax(1)
    losses = classification_losses(logits, labels)
    assert losses.shape == (5,)
    torch.testing.assert_close(losses.mean(), cross_entropy(logits, labels))


def test_half_precision_is_widened_and_gradients_come_back() -> None:
    logits = random(3, 6, 7).bfloat16().requires_grad_()
    losses = causal_lm_losses(logits, tokens(2))
    assert losses.dtype is torch.float32
    losses.mean().backward()
    assert logits.grad.dtype is torch.bfloat16 and not logits.grad[0, 4:].any() and logits.grad[1].any()


def test_nothing_that_counts_is_nothing() -> None:
    assert causal_lm_losses(random(2, 3, 5), torch.full((2, 3), -100)).shape == (0,)
    assert classification_losses(random(2, 3), torch.full((2,), -100)).shape == (0,)


@pytest.mark.parametrize("losses_of", [koala_optim.causal_lm_losses, koala_optim.classification_losses])
def test_what_has_no_logits_is_named(losses_of) -> None:
    with pytest.raises(TypeError, match="expected logits, or a model's outputs that have them as .logits, not tuple"):
        losses_of((random(2, 3),), torch.zeros(2, dtype=torch.int64))
