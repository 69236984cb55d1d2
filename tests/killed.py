"""What the tests of kills do in processes of their own: train, or save, and die at a numbered moment.

A moment is a step's end or a touch of the run's files: opening, renaming, removing. At the chosen one a timer
starts that kills the process, so that death comes between two touches or in the midst of a write; a process that
outruns the timer dies at its next moment, or when its work ends, so that no machine is too fast to be killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

TOUCHES = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")


class Moments:
    """Counts moments; kills this process after one.

    :param folder: whose files count.
    :param fatal: the number of the moment; never when 0.
    :param delay: seconds between the moment and death.
    """

    def __init__(self, folder: Path, fatal: int, delay: float) -> None:
        self.seen, self._folder, self._fatal, self._delay = 0, str(folder), fatal, delay
        sys.addaudithook(self._touched)

    def note(self) -> None:
        self.seen += 1
        if self._fatal and self.seen >= self._fatal:
            if self._delay and self.seen == self._fatal:
                threading.Thread(target=_die, args=(self._delay,), daemon=True).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def over(self) -> int:
        """Return how many moments there were; a process whose moment had come ends here at the latest."""
        if self._fatal and self.seen >= self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.seen

    def _touched(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in TOUCHES and arguments and self._folder in os.fsdecode(str(arguments[0])):
            self.note()


def _die(delay: float) -> None:
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)


def train(folder: str, fatal: int, delay: float, told: Any) -> None:
    """Train a tiny model, going on from what lies in the folder; tell the hash of φ and how many moments there were.

    :param told: a queue.
    """
    import torch

    from functory.contracts.engine import Event, Run
    from functory.contracts.rows import Taught
    from functory.plugins.registry import load
    from functory.running.backbones import open_backbone
    from functory_sdk.testing import kit
    from functory_sdk.testing.fitted import toy_rows
    from functory_sdk.testing.toy import ToyState, ToyTask

    torch.set_num_threads(1)
    moments = Moments(Path(folder), fatal, delay)

    def emit(event: Event) -> None:
        if event.kind == "step":
            moments.note()

    with kit():
        backbone = open_backbone("tiny-encoder", {})
        options = {
            "layers": 2,
            "epochs": 3,
            "batch_rows": 8,
            "learning_rate": 2e-3,
            "checkpoint_steps": 4,
            "patience": 9,
        }
        engine, adaptation, task = (
            load("engines", "torch").configure(),
            load("adaptations", "full").configure(options),
            ToyTask(),
        )
        model = engine.adapt(backbone, task, ToyState(labels=("no", "yes")), adaptation, seed=5)
        rows = toy_rows(backbone, 96)
        dev = Taught(rows.rows[80:], rows.owner[80:], score=_score(rows.rows[80:]))
        run = Run(Path(folder) / "run", Path(folder) / "store", 5, emit)
        with engine.session(model, Taught(rows.rows[:80], rows.owner[:80]), dev, run) as session:
            adaptation.fit(session)
        told.put((_hash(engine.phi(model)), moments.over()))


def save(folder: str, seed: int, fatal: int, delay: float, told: Any) -> None:
    """Build a function with a seed and save it at ``folder/function``; tell how many moments saving had."""
    import functory
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    with kit():
        function = functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", seed=seed)
        moments = Moments(Path(folder), fatal, delay)
        function.save(Path(folder) / "function")
        told.put(("saved", moments.over()))


def optimize(folder: str, told: Any) -> None:
    """Save a function in the form of an engine at ``folder/optimized``, for `save_again`."""
    import functory
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    with kit():
        function = functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head", seed=1)
        function.optimize("int8", rows(64, seed=3), engines=["onnxruntime"], max_drop=1.0).save(Path(folder) / "optimized")
        told.put(("saved", 0))


def save_again(source: str, folder: str, seed: int, fatal: int, delay: float, told: Any) -> None:
    """Load a function in the form of an engine, give it a number, and save it at ``folder/function``, as `save` does."""
    from dataclasses import replace

    import functory
    from functory_sdk.testing import kit

    with kit():
        function = functory.load(source)
        about = replace(function.about, recipe={**function.about.recipe, "seed": seed})
        moments = Moments(Path(folder), fatal, delay)
        function.replaced(about=about).save(Path(folder) / "function")
        told.put(("saved", moments.over()))


def package(source: str, target: str, fatal: int, delay: float, told: Any) -> None:
    """Package a function; tell how many moments there were."""
    from functory.using.packaging import package
    from functory_sdk.testing import kit

    with kit():
        moments = Moments(Path(target), fatal, delay)
        package(source, "killed-toy", target)
        told.put(("packaged", moments.over()))


def build(way: str, folder: str, number: int, fatal: int, delay: float, told: Any) -> None:
    """Build a function, in a cache below the folder, and save it at ``folder/saved-number``.

    Tell what it is to the last bit, whether anything was trained, and how many moments there were.

    :param way: one of `WAYS`.
    """
    import functory
    from functory_sdk import hookimpl
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    os.environ |= {"FUNCTORY_CACHE": f"{folder}/cache", "FUNCTORY_LOGS": f"{folder}/logs"}
    moments, notes = Moments(Path(folder), fatal, delay), []

    class Watching:
        """Counts what happens in training as moments."""

        @hookimpl
        def progress(self, event: Any) -> None:
            moments.note()

    with kit():
        functory.build(
            task="toy", train=rows(60), test=rows(20, seed=1), backbone="tiny-encoder", adaptation=WAYS[way], seed=7,
            session={"threads": 1}, hooks=[Watching()], output=Path(folder) / f"saved-{number}", tell=notes.append,
        )  # fmt: skip
    told.put((content(Path(folder) / f"saved-{number}"), moments.over(), notes))


WAYS: dict[str, dict[str, Any]] = {
    "lora": {"name": "lora", "epochs": 3, "batch_rows": 8, "checkpoint_steps": 3},
    "full": {"name": "full", "layers": 2, "epochs": 3, "batch_rows": 8, "checkpoint_steps": 3},
    "head": {"name": "head", "folds": 3},
}


def content(function: Path) -> str:
    """Return what a saved function is, in one hash: its weights, its golden outputs, its figures and its notes."""
    manifest = json.loads((function / "function.json").read_text(encoding="utf-8"))
    told = {name: manifest[name] for name in ("state", "data", "metrics", "notes")}
    parts = [(function / name).read_bytes() for name in ("weights.safetensors", "golden.jsonl")]
    return hashlib.sha256(b"".join([*parts, json.dumps(told, sort_keys=True).encode()])).hexdigest()


def _score(rows: Any) -> Any:
    import numpy as np

    def score(outputs: Any) -> dict[str, float]:
        right = [int(output["scores"].argmax()) == int(row["gold"]) for output, row in zip(outputs, rows, strict=True)]
        return {"accuracy": float(np.mean(right))}

    return score


def _hash(phi: Any) -> str:
    digest = hashlib.sha256()
    for name in sorted(phi):
        digest.update(name.encode() + phi[name].tobytes())
    return digest.hexdigest()
