"""The native half of ``koala_optim``, private to it. Texts are JSON; positions count over all parameters."""

from typing import TypeAlias, TypedDict, final

Parameters: TypeAlias = list[tuple[str, list[int]]]
"""Names and shapes."""

Sums: TypeAlias = list[float]
"""|g|^2, |h|^2, |x|^2 of one parameter; then h.H', |H'|^2, h.v', H'.v', |v'|^2 (KOALA++, zeros for KOALA-V and KOALA-M) or
max s^, sum s^, sum s^/D, sum h^2/D, sum h^2/D^2, v.h, sum v^2 D and, if they were taken with the floor of the last update,
sum s^/D^2, sum h^2/D^2, sum h^2/D^3, sum v^2, else zeros (KOALA-A)."""

SLOTS: int
"""Vectors that the passes know for each parameter."""

class TooManyMissing(RuntimeError):
    """Too many measurements in a row were missing: the run has most likely diverged."""

class Lent(TypedDict):
    """Tensors as DLPack capsules: one list each, of ``memory`` one for each slot, empty where there is no use for it, else one
    for each position."""

    positions: list[int]
    parameters: list[object]
    gradients: list[object]
    memory: list[list[object]]

class Step(TypedDict):
    """What an update does with one parameter; ``None`` where the method has no such coefficient. If it does not move, its
    mean alone follows, or it is predicted alone."""

    moves: bool
    decay: float
    position: float
    shrinkage: float
    velocity: float | None
    averaging: float | None
    covariance: float | None
    previous: float | None
    gradient: float | None
    direction: float | None
    smoothing: float | None
    mean: float | None
    prediction: float | None

class MadeStep(TypedDict):
    """One step of a made run; vectors are bytes of ``float32``."""

    gain: float
    gradients: list[bytes | None]
    losses: bytes
    predicted: list[bytes]
    updated: list[bytes]
    evaluated: list[bytes]
    report: str

class MadeRun(TypedDict):
    """A run of the conformance suite with what it must come to."""

    description: str
    initial: list[bytes]
    steps: list[MadeStep]

@final
class Filter:
    """The filter of one optimizer."""

    def __new__(cls, config: str, group: str, parameters: Parameters) -> Filter: ...
    @staticmethod
    def from_state(state: str) -> Filter: ...
    def state(self) -> str: ...
    def config(self) -> str: ...
    def noise(self) -> str: ...
    def parameters(self) -> Parameters: ...
    def memory(self) -> list[str | None]: ...
    def mean_slot(self) -> int | None: ...
    def averaged(self, position: int) -> bool: ...
    def velocity_taken(self, position: int) -> float | None: ...
    def moves(self, position: int) -> bool: ...
    @property
    def predicted(self) -> bool: ...
    @property
    def step(self) -> int: ...
    def add_group(self, group: str, parameters: Parameters) -> int: ...
    def set_group(self, index: int, group: str) -> None: ...
    def rearrange(self, groups: list[str], parameters: list[tuple[str, list[int], int, int | None]]) -> None: ...
    def abandon(self) -> None: ...
    def motion(self) -> tuple[float, bool, float | None] | None: ...
    def complete_predict(self, deviations: list[float]) -> None: ...
    def reduction(self, position: int) -> tuple[float, str, float, float] | None: ...
    def floor(self) -> tuple[float, float] | None: ...
    def update(
        self, statistics: list[Sums | None], sum: float, sum_of_squares: float, count: int, predicting: bool = False
    ) -> None: ...
    def tensor_step(self, position: int) -> Step | None: ...
    def report(self) -> str | None: ...
    def advance(self, tensors: Lent, frozen: list[int], threads: int) -> list[float]: ...
    def reduce(self, tensors: Lent, threads: int) -> list[Sums | None]: ...
    def weigh(self, tensors: Lent, floor: float, first: list[Sums | None], threads: int) -> list[Sums | None]: ...
    def displace(self, tensors: Lent, threads: int) -> None: ...

def conformance_cases() -> int: ...
def conformance_case(index: int) -> MadeRun: ...
