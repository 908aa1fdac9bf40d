"""Stochastic rounding of parameters in ``bfloat16``: up or down by chance, so that the expected value is the number itself.

A number between two of ``bfloat16`` goes up with the probability of its distance from the lower one, of 16 bits: the lower
16 bits of ``float32`` plus 16 random ones carry into the upper, or do not. The random bits are a function of seed, step,
tensor and place: Philox 4x32-10 (Salmon et al., SC 2011) with the seed as key, and as counter an eighth of the place in the
tensor's memory, the tensor's position among all, the number of steps done, and twice the first one's upper half plus which
of the step's two roundings it is (0 the update, 1 the prediction). Each call gives eight: of its four words the lower and
then the upper half. There is no state, so that a step that is resumed, replayed by a graph or done by another process draws
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor

from ..rows import Row
from .pages import WIDTH, Pages

if TYPE_CHECKING:
    from .plan import Part

UPDATE, PREDICTION = 0, 1
"""Which of a step's roundings it is."""

_WORD = 0xFFFFFFFF
_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
# Parts of tensors that processes hold draw as tensors do that are so many positions apart.
_PROCESS = 1 << 20


class Rounding:
    """Draws for the foreach operations; kernels do so for themselves, and draw the same."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, part: Part, matrix: Tensor, step: Tensor, write: int) -> Tensor:
        """Values of a part's pages as they are to be stored: in ``float32``, but numbers of ``bfloat16``."""
        rows, places = part.draws
        counter = rows * (WIDTH // 8) + torch.arange(WIDTH // 8, device=matrix.device)
        done = step.to(torch.int64) & _WORD
        words = philox(self.seed, counter & _WORD, places, done, (counter >> 32) * 2 + write)
        halves = [half for word in words for half in (word & 0xFFFF, word >> 16)]
        random = torch.stack(halves, -1).reshape(matrix.shape).to(torch.int32)
        # As signed numbers the bits carry alike; only of what is no number they must not.
        kept = ((matrix.view(torch.int32) + random) >> 16) << 16
        return torch.where(matrix.isnan(), matrix, kept.view(torch.float32))


def draws(rows: list[Row], pages: Pages) -> tuple[Tensor, Tensor]:
    """By what each row of pages draws: which row of its tensor it is, and the tensor's place."""
    owners = pages.owners
    starts = pages.lengths.cumsum(0) - pages.lengths
    places = torch.tensor([place_of(row) for row in rows], device=owners.device)
    within = torch.arange(len(owners), device=owners.device) - starts.index_select(0, owners)
    return within.unsqueeze(1), places.index_select(0, owners).unsqueeze(1)


def place_of(row: Row) -> int:
    """By which place a tensor draws: its position among all; of one that is spread, with which part of it is here."""
    at = 0
    for group in row.over:
        at = at * dist.get_world_size(group) + dist.get_rank(group)
    return (row.position + at * _PROCESS) & _WORD


def philox(seed: int, *counter: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox 4x32-10 of counters in ``int64`` tensors, whose products are those of 32 bits with 64."""
    a, b, c, d = counter
    first, second = seed & _WORD, (seed >> 32) & _WORD
    for _ in range(_ROUNDS):
        left, right = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a = ((right >> 32) & _WORD) ^ b ^ first
        c = ((left >> 32) & _WORD) ^ d ^ second
        b, d = right & _WORD, left & _WORD
        first, second = (first + _WEYL[0]) & _WORD, (second + _WEYL[1]) & _WORD
    return a, b, c, d
