"""A training run of any loop with any optimizer, kept in a folder that ``koala watch`` and ``koala report`` read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..optimizer import Koala
from ..report import scalars
from . import board, figures, records
from .errors import LabError, Misuse
from .kept import Kept


class Run(Kept):
    """Keeps a run in a folder: its configuration, every step and evaluation, and what came of it.

    >>> config = {"dataset": "moons", "seed": 0, "batch_size": 64}
    >>> with lab.Run("runs/moons-adamw-0", config, optimizer=optimizer, model=model, steps=1000) as run:
    ...     for inputs, labels in batches:
    ...         ...  # a step of any optimizer
    ...         run.step(loss)
    ...         if run.steps % 100 == 0:
    ...             run.evaluation(validation_loss=..., validation_error=...)
    ...     run.finish(test_loss=..., test_error=...)

    The files are those of ``koala train`` (``docs/format.md`` of the source): ``koala watch``, ``koala report`` and
    TensorBoard read them while the run goes. Every event is in its file as a whole line as soon as it is told;
    ``result.json`` is there as a whole or not at all. A program that is killed leaves a run that ``resume`` goes on with.

    How the block is left decides what becomes of the run. At its end, or after :meth:`finish`, it is *completed*; without
    :meth:`finish`, and with fewer steps than were promised by ``steps``, *interrupted*, as by Ctrl-C or ``sys.exit``. By
    any other exception it has *failed*, which ``failure.json`` remembers, unless the machine is to blame (a full disk, no
    memory left). Exceptions are never held back.

    One process of several that train together keeps the run.

    Args:
        path: the run's folder. It is made; one that holds anything is refused.
        config: everything that decides the run: ``dataset`` and ``seed``, and whatever else there is to tell
            (``batch_size``, options of the network). ``dataset``, ``model`` and ``optimizer`` are names, or mappings with a
            ``name`` and options. What differs between runs is how a report tells them apart.
        optimizer: what makes the steps. If the configuration does not name it, its class and options are taken; of one of
            :class:`koala_optim.Koala`'s the filter's report of each logged step is kept. Without one, :meth:`begin` tells.
        model: the network, of which the parameters are counted; its class is its name if the configuration has none.
        measure: by what evaluations are judged, see :data:`koala_optim.lab.Measure`.
        steps: how many steps are to be done, if that is known.
        epochs: how many epochs they are.
        train_samples: samples to train on.
        test_samples: samples to test on.
        log_every: every how many steps one is written.
        missing_limit: so many losses in a row that are not finite end the run with :class:`Diverged`.
        tensorboard: whether TensorBoard's event file is written; ``None`` if TensorBoard is installed.
        resume: goes on with the run in the folder, behind its last whole event; as a number, behind the steps that are done
            as your checkpoint knows them: what the log tells of later ones is cut away. Without a run in the folder,
            ``True`` and 0 begin one.
        overwrite: begins anew a run that is there. Files of others in its folder are left alone.

    Raises:
        Misuse: if an argument makes no sense.
    """

    def step(
        self,
        loss: Tensor | float,
        *,
        error: Tensor | float | None = None,
        top5_error: Tensor | float | None = None,
        at: int | None = None,
    ) -> None:
        """Tells of a step that was done. Only those that are logged read from a device.

        Args:
            loss: the losses of the minibatch's samples, or their mean, as they were before the step.
            error: share of the minibatch that was misread, in percent.
            top5_error: share of the minibatch whose class was not among the five with the highest scores, in percent.
            at: number of the step, from 0; left out, it is the next one. Of a run that was resumed, steps that its log
                knows are not told again.

        Raises:
            Diverged: if too many losses in a row were not finite.
        """
        if self._completed:
            raise LabError(
                f"{self.path}: the run is complete; do it anew by overwrite=True, or ask run.completed before the loop"
            )
        events, optimizer, number = self._open(), self._optimizer, self.steps
        assert optimizer is not None
        if at is not None and at != number:
            if 0 <= at < number and self._resume is not False:
                self._clocks.mark()
                return
            raise Misuse(f"step {at} was told after {number} steps; number them from 0, one after the other")
        self._clocks.stepped()
        mean = self._losses.add(loss)
        logged = number % self._every == 0
        if logged:
            misread = {"error": error, "top5_error": top5_error}
            read = {name: figures.number(name, value) for name, value in misread.items() if value is not None}
            event = records.step(number, self.epochs, mean, read, optimizer, self._clocks.seconds)
            events.write(event)
            if self._board is not None:
                self._board.write(number, {**board.of_step(event), **self._of_filter()})
        self._told.steps += 1
        if logged:
            self._losses.check(number)
        self._clocks.mark()

    def evaluation(self, **found: Tensor | float) -> None:
        """Tells what an evaluation within an epoch found.

        Args:
            **found: figures of held-out samples, ``validation_loss`` and, by the run's measure, ``validation_error`` (share
                of misread samples in percent), ``validation_top5_error``, ``validation_perplexity`` or ``validation_root``;
                or ``test_...`` where no samples are held out; ``train_...`` of training samples.
        """
        self._evaluated("evaluation", found)

    def epoch(self, **found: Tensor | float) -> None:
        """Tells that an epoch is over, and what its evaluation found; figures as in :meth:`evaluation`, if there was one.

        ``train_loss`` is the mean of the steps' losses, unless it is given; unknown of an epoch that was resumed within.
        """
        if self._completed:
            return
        self._open()
        mean = self._losses.mean()
        if mean is not None:
            found.setdefault("train_loss", mean)
        self._told.epochs += 1
        self._evaluated("epoch", found)
        self._losses.clear()

    def finish(self, **found: Tensor | float) -> None:
        """Tells that the run is at its end, and what the test samples say of it.

        The last thing told within the block. Held-out figures are those of the last evaluation, unless they are given.

        Args:
            **found: ``test_loss`` and what else the measure has; ``best_test_loss`` and so on with the weights of the best
                evaluation; ``validation_...`` of held-out samples with the last weights.
        """
        if self._completed:
            return
        self._open()
        self._finished = figures.read(self._measure, found, figures.SAMPLES)
        self._check_test(self._finished)

    def sync(self) -> None:
        """What was told until now outlasts a crash of the system too. Call it before you make a checkpoint."""
        if not self._completed:
            self._open().sync()

    def pause(self) -> None:
        """What has passed since the last step was not training; checkpoints, say."""
        if not self._completed:
            self._open()
            self._clocks.mark()

    def _evaluated(self, kind: str, given: dict[str, Any]) -> None:
        if self._completed:
            return
        events = self._open()
        found = figures.read(self._measure, given, ("train", *figures.JUDGED))
        self._check_test(found)
        if kind == "evaluation" and not found:
            raise Misuse("an evaluation without figures; give validation_loss=..., or what else was found")
        counts = {"step": self.steps, "epoch": self.epochs}
        seconds = {"seconds": self._clocks.seconds, "training_seconds": self._clocks.training}
        event = {"event": kind, **counts, **found, **seconds}
        events.write(event, durable=True)
        if self._board is not None:
            points = {"epoch": float(self.epochs)} if kind == "epoch" else {}
            self._board.write(self.steps, {**points, **board.of_figures(found)})
        self._judged.take(event)
        self._clocks.mark()

    def lacks(self) -> str | None:
        """What is still to be told before a comparison can use this run; ``None`` if nothing is.

        Trials are judged by held-out samples with the last weights, the others by the test samples.
        """
        told = self._finished or {}
        judge = figures.judge(self._measure)
        if self.test:
            return None if f"test_{judge}" in told else f"run.finish(test_{judge}=...)"
        held_out = f"validation_{judge}"
        evaluated = self._judged.at == self.steps and held_out in self._judged.last
        return None if evaluated or held_out in told else f"run.evaluation({held_out}=...) after the last step"

    def _of_filter(self) -> dict[str, float]:
        return scalars(self._optimizer, prefix="filter/") if isinstance(self._optimizer, Koala) else {}

    def _check_test(self, found: Mapping[str, float]) -> None:
        if not self.test and any(name.startswith(("test_", "best_test_")) for name in found):
            raise Misuse(
                "this run is one that something is chosen by, and leaves the test samples alone; test only where run.test "
                "is true"
            )
