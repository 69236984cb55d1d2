"""kill -9 at seeded moments: training ends in the same bits all the same, and no half artefact is ever loadable."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="there is no kill -9 here")]
KILLS = 20
PRELOADED = ["functory.build", "functory_torch.loop", "functory_sdk.testing.adaptations", "functory_sdk.testing.toy_head",
             "functory_full.layers", "accelerate", "transformers.models.bert.modeling_bert"]  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Callable[..., tuple[int, Any]]:
    """Return a function that runs a job in a process of its own, and gives its exit code and what it told."""
    sys.path.insert(0, str(Path(__file__).parent))  # where the other process finds the jobs
    jobs = importlib.import_module("killed")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)

    def start(job: str, *arguments: Any) -> tuple[int, Any]:
        told = context.SimpleQueue()
        process = context.Process(target=getattr(jobs, job), args=(*arguments, told))
        process.start()
        process.join()
        return process.exitcode or 0, None if told.empty() else told.get()

    return start


def moments(count: int, seed: int) -> list[tuple[int, float]]:
    """Return moments of death, spread over all there are, each with a delay of up to three milliseconds."""
    draw = random.Random(seed)
    chosen = [draw.randint(1 + index * count // KILLS, max(1, (index + 1) * count // KILLS)) for index in range(KILLS)]
    return [(moment, draw.choice((0.0, draw.uniform(0, 0.003)))) for moment in chosen]


def test_a_killed_run_ends_in_the_same_bits(run: Callable[..., tuple[int, Any]], tmp_path: Path) -> None:
    code, (whole, count) = run("train", str(tmp_path / "whole"), 0, 0.0)
    assert code == 0
    assert run("train", str(tmp_path / "again"), 0, 0.0)[1][0] == whole, "two whole runs already differ"
    killed = 0
    for index, (moment, delay) in enumerate(moments(count, seed=1)):
        folder = str(tmp_path / f"killed-{index}")
        code, _ = run("train", folder, moment, delay)
        killed += code == -signal.SIGKILL
        code, told = run("train", folder, 0, 0.0)
        assert code == 0, f"killed at moment {moment} of {count} + {delay:.4f} s: going on failed"
        assert told[0] == whole, f"killed at moment {moment} of {count} + {delay:.4f} s: other weights came out"
    assert killed >= KILLS - 4, "the kills came too late to tell anything"


def test_a_run_killed_again_and_again_ends_in_the_same_bits(
    run: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    _, (whole, count) = run("train", str(tmp_path / "whole"), 0, 0.0)
    code = -1
    for _ in range(40):
        code, told = run("train", str(tmp_path / "killed"), count // 3, 0.001)
        if code == 0:
            break
    assert code == 0
    assert told[0] == whole


def test_no_half_artefact_is_loadable_and_the_earlier_one_stays(
    run: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    from functory import load
    from functory.errors import FunctoryError
    from functory_sdk.testing import kit

    folder = tmp_path / "fresh"
    _, (_, count) = run("save", str(folder), 1, 0, 0.0)
    _, (_, again) = run("save", str(folder), 2, 0, 0.0)
    for index, (moment, delay) in enumerate(moments(max(count, again), seed=2)):
        fresh = tmp_path / f"fresh-{index}"
        run("save", str(fresh), 1, moment, delay)
        with kit():
            if (fresh / "function").exists():
                assert load(fresh / "function")("good").label in ("no", "yes")
            else:
                with pytest.raises(FunctoryError):
                    load(fresh / "function")
        run("save", str(folder), 3 + index, moment, delay)
        with kit():
            assert load(folder / "function")("good").label in ("no", "yes"), f"the earlier one is gone after {moment}"
