"""What peers answered, kept in the cache: a peer changes with its packages alone, ours with every commit."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from measure import PACKAGES, machine

from functory.machine.places import cache_root
from functory.running.replays import cpu, versions

PLACE = cache_root() / "bench"


class Answered(NamedTuple):
    """What a peer answered, in how many seconds, and on which machine."""

    answers: Any
    seconds: float
    machine: str


def remembered(about: Sequence[Any], work: Callable[[], Any]) -> Answered:
    """Return a peer's answers, the seconds that they took and where: those of a run before, of the same packages, where there
    was one.

    :param about: what decides the answers: plain data.
    """
    packages = {name: version for name, version in versions(PACKAGES).items() if name != "functory"}
    key = hashlib.sha256(json.dumps([*about, packages], sort_keys=True).encode()).hexdigest()[:24]
    file = PLACE / f"{key}.json"
    if file.is_file():
        kept = json.loads(file.read_text(encoding="utf-8"), object_hook=_read)
        return Answered(kept["answers"], kept["seconds"], kept.get("on", cpu()))
    started = time.perf_counter()
    answers = work()
    seconds = time.perf_counter() - started
    PLACE.mkdir(parents=True, exist_ok=True)
    made = file.with_suffix(".part")
    made.write_text(json.dumps({"answers": answers, "seconds": seconds, "on": machine()}, default=_written), encoding="utf-8")
    made.replace(file)
    return Answered(answers, seconds, machine())


def _written(value: Any) -> Any:
    """Write what JSON has no word for: sets of spans, numbers of numpy."""
    return {"spans": sorted(value)} if isinstance(value, set) else value.item()


def _read(value: dict[str, Any]) -> Any:
    return {tuple(span) for span in value["spans"]} if set(value) == {"spans"} else value
