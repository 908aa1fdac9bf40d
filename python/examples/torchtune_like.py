"""KOALA-M in a fine-tuning loop like torchtune's: an adapter of low rank, padded prompts, token-weighted accumulation.

python examples/torchtune_like.py
"""

import torch
from torch import nn

import koala_optim

VOCABULARY, LENGTH, IGNORED = 16, 12, -100


class Adapted(nn.Module):
    """A frozen linear layer with an adapter of low rank."""

    def __init__(self, base: nn.Linear, rank: int = 4) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


class Language(nn.Module):
    """A small language model of which only the adapters are trained."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width).requires_grad_(False)
        self.memory = nn.GRU(width, width, batch_first=True).requires_grad_(False)
        self.middle, self.head = Adapted(nn.Linear(width, width)), Adapted(nn.Linear(width, VOCABULARY))

    def forward(self, tokens):
        hidden, _ = self.memory(self.embedding(tokens))
        return self.head(self.middle(hidden).relu())


def batch(size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows that count, of unequal length; the first token is a prompt, which is not to be learnt."""
    rows = (torch.randint(VOCABULARY, (size, 1)) + torch.arange(LENGTH)) % VOCABULARY
    labels = rows.clone()
    labels[:, 0] = IGNORED
    for row, length in zip(labels, torch.randint(4, LENGTH + 1, (size,))):
        row[length:] = IGNORED
    return rows, labels


def main(steps: int = 60, micro_batches: int = 4) -> tuple[nn.Module, koala_optim.Koala, list[float]]:
    torch.manual_seed(0)
    model = Language()
    optimizer = koala_optim.KoalaM(model.parameters())  # nothing is stored of what is frozen
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        optimizer.predict()
        parts = [batch() for _ in range(micro_batches)]
        counted = sum(int((labels[:, 1:] != IGNORED).sum()) for _, labels in parts)
        total = 0.0
        for tokens, labels in parts:
            losses = koala_optim.causal_lm_losses(model(tokens), labels)
            optimizer.observe(losses)
            (losses.sum() / counted).backward()  # of the mean over all tokens of the step
            total += losses.detach().sum().item()
        optimizer.step()
        history.append(total / counted)
    return model, optimizer, history


if __name__ == "__main__":
    _, optimizer, history = main()
    stored = sum(vector.numel() for vectors in optimizer.state.values() for vector in vectors.values())
    print(f"loss {history[0]:.3f} at first, {history[-1]:.3f} at last; {stored} numbers stored")
