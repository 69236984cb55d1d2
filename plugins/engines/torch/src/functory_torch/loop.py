"""The training loop: AdamW on φ, exact resume, the best on dev kept, and sentinels that look at what came out.

A step depends on its number, the data and φ alone (`schedule`), so that a run which was killed at any moment
goes on from its last checkpoint (`checkpoints`) and ends in the same bits. Where outputs come from is `sources`'s.
"""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from functory_sdk import (
    Event,
    Fit,
    Program,
    Row,
    StorageError,
    Taught,
    TrainingError,
    TrainingOptions,
    TrainingSession,
    plan,
    unpad,
)
from functory_sdk.torch import not_drawing
from functory_torch.checkpoints import Checkpoints
from functory_torch.headfirst import fit_head_first
from functory_torch.objective import objective_of
from functory_torch.placing import device
from functory_torch.rounding import entered, settled
from functory_torch.schedule import evaluation_steps, length, rate
from functory_torch.sentinels import Sentinels, copied, put
from functory_torch.sources import FromFeatures, Source, crown_source, set_mode
from functory_torch.store import axis_sizes
from functory_torch.straying import SLACK, WINDOW, Diverged, Mean, astray, is_dead
from functory_torch.training import telling

MICRO_TOKENS, MICRO_TOKENS_CPU = 8192, {"fp32": 512, "bf16": 2048}
"""Tokens of one pass forward and back: a step with more is cut into passes of rows of like length, and their gradients
are added up. On a CPU small passes cost nothing and save padding; but narrow weights are made anew for each."""
EVALUATION_TOKENS = 4096
PROBE_ROWS = 8
"""Rows on which the effect of φ is looked at."""


@dataclass
class Position:
    """Where a run is, and its best so far. Stored with each checkpoint.

    :param step: steps done.
    :param best: the best first metric on dev.
    :param waited: evaluations since it was reached.
    :param first: the losses of the first steps; ``last`` those of the last ones.
    :param low: the lowest mean of as many steps, and its standard error.
    """

    step: int = 0
    best: float = -math.inf
    best_step: int = 0
    waited: int = 0
    is_done: bool = False
    seen: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    largest: dict[str, float] = field(default_factory=dict)
    losses: tuple[float, float] = (math.inf, -math.inf)
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    low: tuple[float, float] = (math.inf, 0.0)

    def note(self, step: int, loss: float) -> None:
        """Note a step's loss."""
        self.step, self.seen = step, loss
        self.last = [*self.last, loss][-WINDOW:]
        if step <= WINDOW:
            self.first.append(loss)
        if len(self.last) == WINDOW:
            mean = Mean.of(self.last)
            self.low = min(self.low, (mean.value, mean.error))


class Loop:
    """One run of the loop.

    :param training: the model, on the device of its run, the rows, place, seed and observers.
    :param options: how.
    :raises TrainingError: when there is nothing to learn from, or a sentinel finds something.
    """

    def __init__(self, training: TrainingSession, options: TrainingOptions) -> None:
        self.model, self.run_ = training.model, training.run
        self.train, self.dev = training.train, training.dev if training.dev and training.dev.rows else None
        if not self.train.rows:
            raise TrainingError("there are no rows to train on.", do="give training data.")
        where = device(self.run_.options.device)
        self.options = options = settled(options, where, self.model)
        self.lengths = axis_sizes(self.train.rows, self.model.network.spec, "tokens")
        self.sentinels = Sentinels(self.model)
        self.phi, self.learned = self.model.phi(), self.model.learned()
        self.optimizer = _optimizer(self.learned, options)
        self.checkpoints = Checkpoints(self.run_.folder / "checkpoints", self._about(where))
        self.at = Position()
        self.total = 0  # steps of all epochs
        self.best: dict[str, Tensor] = {}
        self._is_told = False  # that no checkpoint can be written
        if self.model.head is not None:
            self.model.head.dropout.p = options.dropout
        self.sources = [self._source(training, side, where) for side in (self.train, self.dev) if side]
        is_short = where.type == "cpu" and not isinstance(self.sources[0], FromFeatures)
        budget = MICRO_TOKENS_CPU[options.precision] if is_short else MICRO_TOKENS
        rounded = entered(options, where)
        self.objective = objective_of(self.sources[0], self.lengths, options, self.run_.seed, budget, rounded)

    def run(self) -> Fit:
        """Train, or go on; leave the best φ in the model.

        :raises Diverged: where the loss climbs; a run that goes on finds that at once.
        """
        per_epoch = self.objective.per_epoch
        self.total = total = length(per_epoch, self.options)
        self._go_on()
        self._watch()
        if not self.at.step and self.options.head_first:
            objective = self.objective
            fit_head_first(
                self.sources[0], self.lengths, objective.budget, self.run_.seed, self.run_, objective.shape
            )
        with not_drawing():  # a step draws by a seed of its own; what lies between draws nothing
            self._steps(total, per_epoch)
            return self._finish(total, per_epoch)

    def _steps(self, total: int, per_epoch: int) -> None:
        """Do the steps that are left, until the end or until dev gets no better."""
        evaluate_after = evaluation_steps(per_epoch, total, self.options)
        while self.at.step < total and not self.at.is_done:
            epoch, done = divmod(self.at.step, per_epoch)
            left = total - self.at.step
            for within, rows in enumerate(self.objective.steps(epoch)[done : done + left], done + 1):
                self._step(rows, total)
                self._watch()
                if self.dev and self.at.step in evaluate_after:
                    self._evaluate()
                if within == per_epoch:
                    self._tell("epoch", epoch=epoch + 1, loss=self.at.seen)
                if self.at.waited >= self.options.patience:
                    break
                if self.at.step % self.options.checkpoint_steps == 0 and self.at.step < total:
                    self._checkpoint()
            if self.at.waited >= self.options.patience:
                break

    def _step(self, rows: list[int], total: int) -> None:
        """Do one step of the optimiser."""
        started = time.perf_counter()
        step = self.at.step + 1
        set_mode(self.model, self.model.cut)
        loss, count = self.objective.backward(rows, step)
        if not count:
            raise TrainingError(
                f"step {step} has nothing to learn from.",
                where=f"rows {sorted(rows)[:8]}",
                do="see that the task gives gold to some token of every row, or raise batch_rows.",
            )
        self.sentinels.loss(loss / count, step, rows)
        for parameter in self.learned.values():
            if parameter.grad is not None:
                parameter.grad /= count
        self.sentinels.gradients(step)
        nn.utils.clip_grad_norm_(self.learned.values(), self.options.clip)
        factor = rate(step, total, self.options.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * factor
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.at.note(step, loss / count)
        speed = len(rows) / max(time.perf_counter() - started, 1e-9)
        self._tell("step", loss=loss / count, learning_rate=self.options.learning_rate * factor, rows_per_second=speed)

    def _watch(self) -> None:
        """See that the losses fall, or stay low."""
        at = self.at
        if not at.is_done and at.step >= 2 * WINDOW:
            self._refuse(astray(at.first, at.last, Mean(*at.low), at.step / self.total))

    def _refuse(self, why: str) -> None:
        """End a run that goes astray.

        :param why: how that shows; empty where it does not.
        :raises Diverged: where it does.
        """
        if why:
            self._checkpoint()
            raise Diverged(why, self.options.learning_rate)

    def _see_life(self, probe: Mapping[str, Tensor]) -> None:
        """See that what was learned tells rows apart, unless the loss is as low as it gets."""
        at = self.at
        if at.step >= 2 * WINDOW and fmean(at.last) > SLACK and is_dead(self.sentinels.outputs(probe), probe):
            self._refuse(f"at its end all rows had one answer, and the loss was {fmean(at.last):.3g}")

    def _evaluate(self) -> None:
        """Score the dev rows; keep φ where the first metric is the best yet."""
        metrics = dict(self.dev.score(self._outputs(self.sources[1]))) if self.dev and self.dev.score else {}
        if not metrics:
            return
        first = next(iter(metrics.values()))
        self.at.history.append({"step": self.at.step, "loss": self.at.seen, **metrics})
        self.at.waited += 1
        if first > self.at.best:
            self.at.best, self.at.best_step, self.at.waited = first, self.at.step, 0
            self.best = copied(self.phi)
        self._tell("metric", **{f"dev_{name}": value for name, value in metrics.items()})

    def _outputs(self, source: Source) -> list[Row]:
        """Return the outputs of all rows of a source, each without its padding."""
        self.model.eval()
        results: list[Row] = [{}] * len(source.rows)
        program = Program("forward", self.model.inputs, self.model.outputs)
        sizes = axis_sizes(source.rows, self.model.network.spec, "tokens")
        for chosen in plan(sizes, EVALUATION_TOKENS):
            with torch.inference_mode():
                outputs, _ = source.run(chosen)
            arrays = {name: value.float().cpu().numpy() for name, value in outputs.items()}
            for index, output in zip(chosen, unpad(arrays, [source.rows[i] for i in chosen], program), strict=True):
                results[index] = output
        return results

    def _finish(self, total: int, per_epoch: int) -> Fit:
        """Let the sentinels look, put the best φ into the model, and say how it went."""
        at, last = self.at, copied(self.phi)
        probe = self.sources[0].batch(range(min(PROBE_ROWS, len(self.train.rows))))
        if not at.is_done:
            self.sentinels.finish(last, at.step)
            self._see_life(probe)
            at.is_done = True
            self._checkpoint()
        notes = []
        if at.step < total:
            notes.append(f"stopped early after {at.step / per_epoch:.1f} of {total / per_epoch:.3g} epochs.")
        if self.best:
            put(self.phi, self.best)
        self.sentinels.effect(probe)
        self.model.eval()
        metrics = {"loss": at.seen, "steps": float(at.step)}
        if at.history:
            metrics["best_step"] = float(at.best_step)
            kept = next(entry for entry in at.history if entry["step"] == at.best_step)
            metrics |= {f"dev_{name}": value for name, value in kept.items() if name not in ("step", "loss")}
        return Fit(metrics, list(at.history), notes, precision=self.options.precision)

    # -- checkpoints ----------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        tensors: dict[str, Tensor] = {f"phi {name}": tensor for name, tensor in self.phi.items()}
        for name, parameter in self.learned.items():
            for moment in ("exp_avg", "exp_avg_sq", "step"):
                if moment in self.optimizer.state[parameter]:
                    tensors[f"{moment} {name}"] = self.optimizer.state[parameter][moment]
        tensors.update({f"best {name}": value for name, value in self.best.items()})
        self.at.largest, self.at.losses = self.sentinels.largest, self.sentinels.losses
        try:
            self.checkpoints.write(self.at.step, tensors, {"position": asdict(self.at)})
        except (OSError, StorageError) as error:
            self._without_checkpoint(error)
            return
        self._tell("checkpoint")

    def _without_checkpoint(self, error: Exception) -> None:
        """Go on training where a checkpoint cannot be written: it is a help, never a need. The first time it is told."""
        if self._is_told:
            return
        self._is_told = True
        why, kept = getattr(error, "strerror", None) or error.args[0], self.checkpoints.newest()
        text = (
            f"no checkpoint can be written in {self.checkpoints.folder}: {why}. Training goes on, and tries again at the "
            f"next; broken off before that, it {'begins again' if kept is None else f'goes on from step {kept}'}. "
            "Free some space there."
        )
        self.run_.emit(Event("note", self.at.step, text=text))

    def _go_on(self) -> None:
        """Take up the newest checkpoint, where there is one."""
        found = self.checkpoints.latest()
        if found is None:
            return
        tensors, record = found
        self.at = Position(**record["position"])
        self.at.losses, self.at.low = (self.at.losses[0], self.at.losses[1]), (self.at.low[0], self.at.low[1])
        self.sentinels.largest, self.sentinels.losses = self.at.largest, self.at.losses
        groups: dict[str, dict[str, Tensor]] = {"phi": {}, "best": {}, "exp_avg": {}, "exp_avg_sq": {}, "step": {}}
        for key, tensor in tensors.items():
            group, _, name = key.partition(" ")
            groups[group][name] = tensor
        put(self.phi, groups["phi"])
        self.best = groups["best"]
        for name, parameter in self.learned.items():
            if name in groups["step"]:
                moments = {part: groups[part][name].to(parameter.device) for part in ("exp_avg", "exp_avg_sq")}
                self.optimizer.state[parameter] = {"step": groups["step"][name], **moments}
        self.run_.emit(Event("note", self.at.step, text=f"going on from the checkpoint at step {self.at.step}"))
        self._tell("checkpoint")

    def _about(self, where: torch.device) -> dict[str, str]:
        """Return what decides the bits."""
        options = self.options.model_dump(mode="json", exclude={"checkpoint_steps"})
        data = hashlib.sha256()
        for side in (self.train, self.dev):
            for row in side.rows if side else ():
                for name, array in row.items():
                    data.update(f"{name} {array.dtype} {array.shape}".encode())
                    data.update(array.tobytes())
            data.update(f"{side.group if side else None}".encode())
        start = hashlib.sha256()
        for name, tensor in self.sentinels.initial.items():
            start.update(name.encode() + tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return {
            "seed": str(self.run_.seed),
            "options": " ".join(f"{name}={value}" for name, value in options.items()),
            "data": data.hexdigest()[:16],
            "first φ": start.hexdigest()[:16],
            "backbone": self.model.network.spec.weights_hash[:16],
            "torch": torch.__version__,
            "threads": str(torch.get_num_threads()),
            "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
            "device": torch.cuda.get_device_name(where) if where.type == "cuda" else str(where),
        }

    def _source(self, training: TrainingSession, side: Taught, where: torch.device) -> Source:
        """Return where a side's outputs come from: the less is computed again, the better."""
        model, network = self.model, self.model.network
        reading = model.head.reading if model.head is not None else None
        if model.cut == network.points and reading is not None and reading.is_stored and reading.unit == "row":
            return FromFeatures(model, side, where, training.features(side.rows))
        told = telling(self.run_, "features" if side is self.train else "features of dev", len(side.rows))
        return crown_source(model, side, where, self.run_, told)

    def _tell(self, kind: Any, **values: float) -> None:
        self.run_.emit(Event(kind, self.at.step, values, total=self.total))


def _optimizer(phi: dict[str, nn.Parameter], options: TrainingOptions) -> torch.optim.AdamW:
    """Return AdamW on φ: weights decay, biases and norms do not."""
    spared = [p for name, p in phi.items() if _is_spared(name, p)]
    decayed = [p for name, p in phi.items() if not _is_spared(name, p)]
    groups: Sequence[dict[str, Any]] = [
        {"params": decayed, "weight_decay": options.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=options.learning_rate, fused=True)


def _is_spared(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim < 2 or "norm" in name.lower()
