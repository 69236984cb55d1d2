"""The batcher and the admission, put through thousands of schedules in virtual time; and ways to break them, each caught."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import functory_serve.batcher as batching
from functory_serve.admission import Overloaded
from functory_serve.batcher import Batcher
from functory_serve.limits import Limits


def load(name: str, file: Path, source: str = "") -> ModuleType:
    """Return the module that a file is, or a changed source of it."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if source:
        exec(compile(source, str(file), "exec"), module.__dict__)
    else:
        spec.loader.exec_module(module)
    return module


simulation = load("serve_simulation", Path(__file__).parent / "simulation.py")


def test_no_schedule_loses_doubles_reorders_or_answers_late() -> None:
    ends: Counter[str] = Counter()
    for seed in range(1500):
        ran = simulation.Simulation(seed).run()
        ends.update(one.end for one in ran.asked.values())
        ends["refused"] += ran.refused
    assert min(ends[end] for end in ("answered", "late", "hanging", "left", "refused")) > 100, ends


@pytest.mark.slow
def test_no_schedule_of_a_hundred_thousand_does() -> None:
    for seed in range(100_000):
        simulation.Simulation(seed).run()


MUTANTS = {
    "outcomes are put at the wrong place": ("outcomes[piece.place] = outcome", "outcomes[-1 - piece.place] = outcome"),
    "a request is answered before it is whole": ("        if request.missing:\n", "        if request.missing > 1:\n"),
    "an input is taken again": ("            request.next += 1\n", "            request.next += len(pieces) > 1\n"),
    "a long list is dropped after its first input": (
        "                self._turn_of.append(request)\n", "                pass\n"),
    "late answers are given": (" or request.deadline <= now:", ":"),
    "late requests are computed": ("        late = self._late(now)\n", "        late: list[int] = []\n"),
    "what a client left is computed": ("            if request.is_over:\n", "            if False:\n"),
    "a batch that was given up answers": ("        if batch.number not in self._running:\n", "        if False:\n"),
    "a batch is filled without end": ("            if pieces and cost + own > budget:\n", "            if cost > budget * 9:\n"),
    "nobody wakes for a batch that hangs": (
        "            times.append(next(iter(self._running.values())).batch.begun + self._limits.compute_seconds)\n",
        "            pass\n"),
    "nobody wakes for the late": ("            times.append(self._deadlines[0][0])\n", "            pass\n"),
    "what left is counted still": ("        self._waiting -= request.waiting\n", ""),
    "two batches run": ("        if self._running or not self._pieces:\n", "        if not self._pieces:\n"),
    "the neighbours of a hanging batch are forgotten": (
        "            hanging += sorted(running.wanted)\n            for one in sorted(running.wanted):\n",
        "            hanging += sorted(self._requests)\n            for one in sorted(self._requests):\n"),
    "a text that nobody waits for is written on": ("                self._left.append(batch)\n", "                pass\n"),
    "one list takes all places": ("            elif len(request.running) < self.share:\n", "            elif True:\n"),
    "more texts are written than may be": (
        "len(self._running) < self._limits.texts and", "len(self._running) <= self._limits.texts and"),
    "nobody sees to it that a hurried request is told in time": (
        "        return self._requests[request].deadline < wake\n", "        return False\n"),
    "a place stays taken": ("self._requests[piece.request].running.discard(batch.number)", "pass"),
}  # fmt: skip
"""Ways to break the batcher: what it is, and what stands in the place of what."""


@pytest.mark.parametrize("what", MUTANTS)
def test_a_broken_batcher_is_caught(what: str) -> None:
    source = Path(batching.__file__).read_text(encoding="utf-8")
    old, new = MUTANTS[what]
    assert source.count(old) == 1, "the mutant no longer fits the source"
    mutant = load("functory_serve_mutant", Path(batching.__file__), source.replace(old, new))
    broken = (simulation.Broken, KeyError, IndexError)  # what must not be, or what the batcher itself trips over
    with pytest.raises(broken):
        simulate(mutant)


def simulate(batching: ModuleType) -> None:
    for seed in range(1500):
        simulation.Simulation(seed, batching).run()


def test_a_lone_request_waits_for_nobody_and_what_comes_meanwhile_makes_the_next_batch() -> None:
    batcher = Batcher(Limits())
    first = batcher.offer([10], 0.0)
    [batch] = batcher.turn(0.0).batches
    others = [batcher.offer([10], 0.001) for _ in range(3)]
    assert not batcher.turn(0.001).batches
    [answered] = batcher.finish(batch, ["a"], 0.01)
    assert (answered.request, answered.outcomes) == (first, ["a"])
    [following] = batcher.turn(0.01).batches
    assert [piece.request for piece in following.pieces] == others


def test_those_that_a_full_batch_answered_are_waited_for_a_moment_and_no_longer() -> None:
    batcher = Batcher(Limits())
    for _ in range(20):
        batcher.offer([10], 0.0)
    [batch] = batcher.turn(0.0).batches
    batcher.offer([10], 0.01)
    batcher.finish(batch, [""] * 20, 0.02)
    turn = batcher.turn(0.02)
    assert not turn.batches
    assert turn.wake == pytest.approx(0.02 + 0.02 * batching.LINGER_SHARE)
    for _ in range(19):
        batcher.offer([10], 0.021)
    [full] = batcher.turn(0.021).batches
    assert len(full.pieces) == 20


def test_a_long_list_holds_up_nobody() -> None:
    batcher = Batcher(Limits())
    long = batcher.offer([batching.LEAST_BUDGET // 4] * 100, 0.0)
    short = batcher.offer([5], 0.0)
    [batch] = batcher.turn(0.0).batches
    assert {piece.request for piece in batch.pieces} == {long, short}
    assert [one.request for one in batcher.finish(batch, [""] * len(batch.pieces), 0.1)] == [short]


def test_more_than_can_be_done_in_time_is_refused_with_the_time_that_it_takes() -> None:
    batcher = Batcher(Limits(wait_seconds=2.0))
    batcher.pace.saw(1000, 1.0)
    batcher.offer([1500], 0.0)
    with pytest.raises(Overloaded, match="than can be done") as refused:
        batcher.offer([1000], 0.0)
    assert refused.value.retry_seconds == pytest.approx(0.5)
    with pytest.raises(Overloaded):
        batcher.offer([100], 0.0, seconds=1.0)  # it says itself how long it waits
    with pytest.raises(Overloaded):
        batcher.offer([200], 0.0, seconds=2.0)  # it would be in time by a hair
    batcher.offer([500], 0.0)
    batcher.turn(0.0)
    with pytest.raises(Overloaded):  # what runs is ahead of it too
        batcher.offer([1000], 0.0)
