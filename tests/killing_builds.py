"""Kills processes while they build, at seeded moments, and lets the same build go on: for the tests, and for scripts/kills.py.

Every look asks the same: whoever goes on, or builds beside the one that was killed, ends in the bits of a build that
nobody disturbed; and what stands in the place of the killed one's function is nothing, or that function whole.
"""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path

from killed import WAYS, content
from killing import Processes, moments

CROWD = 3
"""So many processes build the same at the same moment, and none is killed."""
BESIDE = 3
"""Every so often another process builds what the one that is killed builds, at the same moment."""


def build_kills(run: Processes, place: Path, kills: int, seed: int) -> Counter[str]:
    """Kill so many builds, of each adaptation in turn, and return what came of it.

    :param place: an empty folder.
    :raises AssertionError: where a build ended in other bits, or left what is no function.
    """
    found = Counter[str]()
    for number, way in enumerate(WAYS):
        code, (whole, count, _) = run("build", way, str(place / way), 0, 0, 0.0)
        assert code == 0
        for other, told in run.together(
            *(("build", way, str(place / f"{way}-crowd"), one, 0, 0.0) for one in range(CROWD))
        ):
            assert other == 0, f"{way}: a build beside others failed"
            assert told[0] == whole, f"{way}: builds side by side ended in other bits than one alone"
            found["side by side"] += 1
        for index, (moment, delay) in enumerate(moments(count, kills // len(WAYS), seed + number)):
            where = f"{way} {index}, moment {moment} of {count} + {delay:.4f} s"
            found += _killed(
                run, way, place / f"{way}-{index}", (moment, delay), whole, where, is_crowded=index % BESIDE == 1
            )
    return found


def _killed(
    run: Processes, way: str, folder: Path, death: tuple[int, float], whole: str, where: str, *, is_crowded: bool
) -> Counter[str]:
    """Kill one build, beside another where it is crowded, and let it go on."""
    found = Counter[str]()
    beside = [("build", way, str(folder), 1, 0, 0.0)] if is_crowded else []
    (code, _), *others = run.together(("build", way, str(folder), 0, *death), *beside)
    found["killed" if code == -signal.SIGKILL else "too late"] += 1
    assert code in (0, -signal.SIGKILL), f"{where}: it failed by itself"
    for other, told in others:
        assert other == 0, f"{where}: the build beside it failed"
        assert told[0] == whole, f"{where}: the build beside it ended in other bits"
        found["built beside it"] += 1
    saved = folder / "saved-0"
    assert not saved.exists() or content(saved) == whole, f"{where}: what stands there is another function"
    found["saved before it died"] += code != 0 and saved.exists()
    code, told = run("build", way, str(folder), 0, 0, 0.0)
    assert code == 0, f"{where}: going on failed"
    assert told[0] == whole, f"{where}: going on, it ended in other bits"
    found["went on from a checkpoint"] += any("from the checkpoint" in note for note in told[2])
    found["trained nothing again"] += any("nothing is trained again" in note for note in told[2])
    assert not list((folder / "cache" / "runs").iterdir()), f"{where}: the run's folder is left"
    shutil.rmtree(folder)
    return found
