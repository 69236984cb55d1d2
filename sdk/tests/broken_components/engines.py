"""Engines that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from functory_sdk import Engine, Fit, entries, load

counter = itertools.count(1)


Torch: Any = load("engines", "torch") if any(one.name == "torch" for one in entries("engines")) else Engine


class Wrapping(Torch):
    """The torch engine with one method of its sessions replaced."""

    def wrong(self) -> dict[str, Any]:
        return {}

    def open(self, program: Any, options: Any) -> Any:
        session = super().open(program, options)
        session.__class__ = type("Wrong", (type(session),), self.wrong())
        return session


def base(session: Any) -> Any:
    return type(session).__base__


class OffByALittle(Wrapping):
    """Computes a little wrongly."""

    def wrong(self) -> dict[str, Any]:
        return {"run_batch": lambda s, b: {name: v + np.float32(0.01) for name, v in base(s).run_batch(s, b).items()}}


class Lengthy(Torch):
    """Leaves texts' vectors at the lengths that they have."""

    def open(self, program: Any, options: Any) -> Any:
        model = copy.deepcopy(program.model)
        model.network.spec = model.network.spec.model_copy(update={"is_normalised": False})
        return super().open(replace(program, model=model), options)


class Averaging(Wrapping):
    """Mixes the rows of a batch."""

    def wrong(self) -> dict[str, Any]:
        return {"run_batch": lambda s, b: {name: v - v.mean(0) for name, v in base(s).run_batch(s, b).items()}}


class FirstAlone(Wrapping):
    """Reads the first text of a row in the place of each."""

    def wrong(self) -> dict[str, Any]:
        def run_batch(session: Any, batch: Any) -> Any:
            one = {name: np.repeat(v[:, :1], v.shape[1], 1) if v.ndim == 3 else v for name, v in batch.items()}
            return base(session).run_batch(session, one)

        return {"run_batch": run_batch}


class OneRequest(Wrapping):
    """Has one request object for all threads."""

    def wrong(self) -> dict[str, Any]:
        def run_batch(session: Any, batch: Any) -> Any:
            session.batch = batch
            time.sleep(0.003)
            return base(session).run_batch(session, session.batch)

        return {"run_batch": run_batch}


class Doubling(Wrapping):
    """Gives other types than the ports."""

    def wrong(self) -> dict[str, Any]:
        return {"run_batch": lambda s, b: {k: v.astype(np.float64) for k, v in base(s).run_batch(s, b).items()}}


class ClosingAll(Wrapping):
    """Ends every session with one."""

    def wrong(self) -> dict[str, Any]:
        def close(session: Any) -> None:
            session.program.model.closed = True

        def run_batch(session: Any, batch: Any) -> Any:
            if getattr(session.program.model, "closed", False):
                raise RuntimeError("closed")
            return base(session).run_batch(session, batch)

        return {"close": close, "run_batch": run_batch}


class AnyDevice(Torch):
    """Runs on the processor whatever was asked."""

    def open(self, program: Any, options: Any) -> Any:
        return super().open(program, options.model_copy(update={"device": "cpu"}))


class Converting(Torch):
    """Keeps what it converts in memory, under the folder's name."""

    abilities: ClassVar = frozenset({"forward"})
    precisions: ClassVar = ("fp32",)
    kept: ClassVar[dict[str, Any]] = {}

    def convert(self, program: Any, folder: Path, *, precision: str, samples: Any = ()) -> Any:
        (folder / "graph").write_text("a graph")
        self.kept[str(folder)] = program.model
        return replace(program.at(folder), precision=precision)

    def open(self, program: Any, options: Any) -> Any:
        return super().open(replace(program, model=self.kept.get(str(program.folder))), options)

    def adapt(self, *args: Any) -> Any:
        return SimpleNamespace()


class Open(Converting):
    """Runs on when it was closed."""

    def open(self, program: Any, options: Any) -> Any:
        session = super().open(program, options)
        session.close = lambda: None
        return session


class Blunt(Converting):
    """Rounds the head's weights to 255 steps of the largest."""

    precisions: ClassVar = ("int8",)
    adapt = Torch.adapt

    def convert(self, program: Any, folder: Path, *, precision: str, samples: Any = ()) -> Any:
        import torch

        weight = program.model.head.linear.weight
        with torch.no_grad():
            step = weight.abs().max() / 127
            weight.copy_((weight / step).round() * step)
        return super().convert(program, folder, precision=precision, samples=samples)


class TorchBound(Converting):
    """Opens its own form with torch."""

    def open(self, program: Any, options: Any) -> Any:
        import torch

        from functory_sdk import Session

        def run_batch(session: Any, batch: Any) -> Any:
            return {port.name: np.zeros((len(batch["input_ids"]), *port.axes), np.float32) for port in program.outputs}

        del torch
        return type("Zeros", (Session,), {"run_batch": run_batch})(program, options)


class Crowded(Wrapping):
    """Writes what the batch's size says."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Iterator[Any]:
            for token in base(session).generate(session, requests):
                yield replace(token, id=token.id + len(requests))

        return {"generate": generate}


class Unstoppable(Wrapping):
    """Writes on where it should stop."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Any:
            return base(session).generate(session, [replace(one, stop_ids=frozenset(), ends=None) for one in requests])

        return {"generate": generate}


class Beginning(Wrapping):
    """Begins every text anew."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Any:
            return base(session).generate(session, [replace(one, start=()) for one in requests])

        return {"generate": generate}


class Permissive(Wrapping):
    """Writes whatever is likeliest."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Any:
            return base(session).generate(session, [replace(one, never=frozenset()) for one in requests])

        return {"generate": generate}


class Unguided(Wrapping):
    """Writes what it likes, whatever the guide."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Any:
            return base(session).generate(session, [replace(one, guide=None) for one in requests])

        return {"generate": generate}


class Unsteered(Wrapping):
    """Writes by the backbone's own scores, whatever changes them."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Any:
            return base(session).generate(session, [replace(one, steer=None) for one in requests])

        return {"generate": generate}


class Contagious(Wrapping):
    """Writes no more for anybody once somebody has failed."""

    def wrong(self) -> dict[str, Any]:
        def submit(session: Any, request: Any) -> Iterator[Any]:
            try:
                for token in base(session).submit(session, request):
                    if getattr(session, "fault", None):
                        raise session.fault
                    yield token
            except ZeroDivisionError as error:
                session.fault = error
                raise

        return {"submit": submit}


class Rough(Torch):
    """Gives whole numbers where narrow ones are asked for."""

    def open(self, program: Any, options: Any) -> Any:
        session = super().open(program, options)
        if options.precision != "auto":
            exact = session.run_batch
            session.run_batch = lambda batch: {name: value.round() + 1 for name, value in exact(batch).items()}
        return session


class Neighbouring(Wrapping):
    """Gives each token the log-probability of its neighbour."""

    def wrong(self) -> dict[str, Any]:
        def likelihood(session: Any, requests: Any, written: Any) -> Any:
            return [np.roll(one, 1) for one in base(session).likelihood(session, requests, written)]

        return {"likelihood": likelihood}


class Secretive(Wrapping):
    """Generates without saying so."""

    abilities: ClassVar = frozenset({"forward", "training", "gradients"})

    def wrong(self) -> dict[str, Any]:
        return {"generate": lambda session, requests: iter(())}


class Deaf(Torch):
    """Does not take φ back."""

    def load_phi(self, model: Any, phi: Any) -> None:
        return


class Unseedable(Torch):
    """Draws what it likes."""

    def adapt(self, *args: Any, seed: int = 0) -> Any:
        return super().adapt(*args, seed=next(counter))


class Seizing(Torch):
    """Seeds what belongs to everybody."""

    def session(self, *args: Any) -> Any:
        import torch

        torch.manual_seed(0)
        return super().session(*args)


class Resting(Torch):
    """Has a loop that does nothing."""

    def session(self, *args: Any) -> Any:
        session = super().session(*args)
        session.loop = lambda options: Fit()
        return session


class Restarting(Torch):
    """Stops for good where it was interrupted."""

    def session(self, *args: Any) -> Any:
        session = super().session(*args)
        whole = session.loop

        def loop(options: Any) -> Any:
            mark = session.run.folder / "begun"
            if mark.exists():
                return Fit()
            session.run.folder.mkdir(parents=True, exist_ok=True)
            mark.touch()
            return whole(options)

        session.loop = loop
        return session


class Unable(Torch):
    """Declares nothing, so that nothing is asked of it."""

    abilities: ClassVar = frozenset()
