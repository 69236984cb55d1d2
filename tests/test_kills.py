"""kill -9 at seeded moments: training ends in the same bits all the same, and no half artefact is ever loadable."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from killing import Processes, moments, package_kills, save_kills
from killing_builds import build_kills

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="there is no kill -9 here")]
KILLS = 20


@pytest.fixture(scope="module")
def run() -> Processes:
    """What runs a job in a process of its own, and gives its exit code and what it told."""
    return Processes()


def test_a_killed_run_ends_in_the_same_bits(run: Processes, tmp_path: Path) -> None:
    code, (whole, count) = run("train", str(tmp_path / "whole"), 0, 0.0)
    assert code == 0
    assert run("train", str(tmp_path / "again"), 0, 0.0)[1][0] == whole, "two whole runs already differ"
    killed = 0
    for index, (moment, delay) in enumerate(moments(count, KILLS, seed=1)):
        folder = str(tmp_path / f"killed-{index}")
        code, _ = run("train", folder, moment, delay)
        killed += code == -signal.SIGKILL
        code, told = run("train", folder, 0, 0.0)
        assert code == 0, f"killed at moment {moment} of {count} + {delay:.4f} s: going on failed"
        assert told[0] == whole, f"killed at moment {moment} of {count} + {delay:.4f} s: other weights came out"
    assert killed >= KILLS - 4, "the kills came too late to tell anything"


def test_a_run_killed_again_and_again_ends_in_the_same_bits(
    run: Processes, tmp_path: Path
) -> None:
    _, (whole, count) = run("train", str(tmp_path / "whole"), 0, 0.0)
    code = -1
    for _ in range(40):
        code, told = run("train", str(tmp_path / "killed"), count // 3, 0.001)
        if code == 0:
            break
    assert code == 0
    assert told[0] == whole


def test_a_killed_build_goes_on_to_the_same_function_and_so_does_one_beside_it(run: Processes, tmp_path: Path) -> None:
    found = build_kills(run, tmp_path, kills=12, seed=4)
    assert found["killed"] >= 9, "the kills came too late to tell anything"
    assert found["went on from a checkpoint"]
    assert found["trained nothing again"]
    assert found["built beside it"] == 3
    assert found["side by side"] == 9


def test_no_half_artefact_is_loadable_the_earlier_one_stays_and_nothing_is_left_unfinished(
    run: Processes, tmp_path: Path
) -> None:
    found = save_kills(run, tmp_path, KILLS, seed=2)
    assert found["killed"] >= KILLS - 4, "the kills came too late to tell anything"
    assert found["left unfinished"], "nothing was left, so that no sweeping was seen"
    assert {"the earlier", "a new one"} <= set(found)


def test_no_half_wheel_is_left(run: Processes, tmp_path: Path) -> None:
    found = package_kills(run, tmp_path, KILLS // 2, seed=3)
    assert found["killed"] >= KILLS // 2 - 3
    assert found["left unfinished"]
