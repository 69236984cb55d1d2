"""Kills processes while they save, at seeded moments, and looks at what they leave: for the tests, and for scripts/kills.py.

Every look asks the same: what stands in the place is one function, whole, of those that were saved there; and the next
save leaves nothing beside it.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Job = Callable[..., tuple[int, Any]]
"""Runs a job of `killed` in a process of its own: its name and arguments → its exit code and what it told."""
PRELOADED = ["functory.build", "functory_torch.loop", "functory_sdk.testing.fitted", "functory_sdk.testing.toy_head",
             "functory_full.layers", "functory_head.layers", "functory_lora.layers", "peft",
             "functory_sdk.torch.layers.bert"]  # fmt: skip
WAYS = ("fresh", "over", "crowd")
"""Where a killed process saves: where nothing is, over an earlier function, or at the same moment as two others."""

MOMENTS = 10_000
"""Into so many parts a save is divided where its number of moments depends on what stands in the place."""


class Processes:
    """Starts jobs in processes that have imported what they need already."""

    def __init__(self) -> None:
        sys.path.insert(0, str(Path(__file__).parent))  # where the other process finds the jobs
        self._jobs = importlib.import_module("killed")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def __call__(self, job: str, *arguments: Any) -> tuple[int, Any]:
        [found] = self.together((job, *arguments))
        return found

    def together(self, *jobs: Sequence[Any]) -> list[tuple[int, Any]]:
        """Run several at the same time."""
        started = []
        for job, *arguments in jobs:
            told = self._context.SimpleQueue()
            process = self._context.Process(target=getattr(self._jobs, job), args=(*arguments, told))
            process.start()
            started.append((process, told))
        for process, _ in started:
            process.join()
        return [(process.exitcode or 0, None if told.empty() else told.get()) for process, told in started]


def moments(count: int, kills: int, seed: int) -> list[tuple[int, float]]:
    """Return moments of death, spread over all there are, each with a delay of up to three milliseconds."""
    draw = random.Random(seed)
    firsts = [1 + index * count // kills for index in range(kills)]
    chosen = [draw.randint(first, max(first, (index + 1) * count // kills)) for index, first in enumerate(firsts)]
    return [(moment, draw.choice((0.0, draw.uniform(0, 0.003)))) for moment in chosen]


def save_kills(run: Processes, place: Path, kills: int, seed: int, job: str = "save", *given: Any) -> Counter[str]:
    """Kill so many saves, and return what they left: how often nothing, the earlier function, or the new one.

    :param place: an empty folder.
    :param job: `save`, or another of `killed` that saves a function with a number at ``folder/function``.
    :param given: what the job takes before all else.
    :raises AssertionError: where something else was left.
    """
    probe, found = place / "probe", Counter[str]()
    counts = [run(job, *given, str(probe), number, 0, 0.0)[1][1] for number in (1, 2)]
    for index, (share, delay) in enumerate(moments(MOMENTS, kills, seed)):
        way = WAYS[index % len(WAYS)]
        moment = 1 + (share - 1) * counts[way != "fresh"] // MOMENTS
        folder = place / f"{way}-{index}" if way == "fresh" else place / "kept"
        before = saved_in(folder)
        others = [(job, *given, str(folder), 1000 * other + index, 0, 0.0) for other in (2, 3) if way == "crowd"]
        codes = [code for code, _ in run.together((job, *given, str(folder), 1000 + index, moment, delay), *others)]
        found["killed" if codes[0] == -signal.SIGKILL else "too late"] += 1
        assert not any(codes[1:]), f"{way} {index}: who was not killed failed"
        after = saved_in(folder)
        allowed = {before, 1000 + index} if not others else {2000 + index, 3000 + index, 1000 + index}
        assert after in allowed, f"{way} {index}, moment {moment} + {delay:.4f} s: {after} was left, not one of {allowed}"
        found["nothing left" if after is None else "the earlier" if after == before else "a new one"] += 1
        found["left unfinished"] += len(_others(folder))
        if way == "fresh":
            assert run(job, *given, str(folder), 1, 0, 0.0)[0] == 0
            assert not _others(folder), f"{way} {index}: {_others(folder)} is not swept"
            shutil.rmtree(folder)
    assert run(job, *given, str(place / "kept"), 1, 0, 0.0)[0] == 0
    assert not _others(place / "kept"), f"{_others(place / 'kept')} is not swept"
    return found


def package_kills(run: Processes, place: Path, kills: int, seed: int) -> Counter[str]:
    """Kill so many packagings of a function, and return what they left.

    :param place: an empty folder.
    :raises AssertionError: where no whole wheel was left, of those that were written there.
    """
    import zipfile

    assert run("save", str(place), 1, 0, 0.0)[0] == 0
    source, dist, found = place / "function", place / "dist", Counter[str]()
    _, (_, count) = run("package", str(source), str(dist), 0, 0.0)
    [wheel] = dist.iterdir()
    whole = wheel.read_bytes()
    for index, (moment, delay) in enumerate(moments(count, kills, seed)):
        wheel.write_bytes(whole)
        if index % 2:
            wheel.unlink()
        code, _ = run("package", str(source), str(dist), moment, delay)
        found["killed" if code == -signal.SIGKILL else "too late"] += 1
        found["a whole one" if wheel.exists() else "nothing left"] += 1
        assert index % 2 or wheel.exists(), f"package {index}: the earlier wheel is gone"
        if wheel.exists():
            assert wheel.read_bytes() == whole, f"package {index}: a wheel that is no wheel"
            assert zipfile.ZipFile(wheel).testzip() is None
        found["left unfinished"] += len([path for path in dist.iterdir() if path != wheel])
    assert run("package", str(source), str(dist), 0, 0.0)[0] == 0
    assert list(dist.iterdir()) == [wheel], "not all is swept"
    return found


def saved_in(folder: Path) -> int | None:
    """Return the number of the function that stands at ``folder/function``, after its files and golden examples were checked."""
    import functory
    from functory_sdk.testing import kit

    function = folder / "function"
    if not function.exists():
        return None
    with kit():
        functory.verify(function)
    return int(json.loads((function / "function.json").read_text())["recipe"]["seed"])


def _others(folder: Path) -> list[str]:
    """Return what lies beside the function."""
    return sorted(path.name for path in folder.iterdir() if path.name != "function") if folder.exists() else []
