"""Stored features come out as they were computed, or are computed again: whatever lies in the store."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from functory_sdk import Array, Row
from functory_sdk.testing.fitted import toy_rows
from functory_sdk.testing.tiny import TinyEncoder
from functory_torch import store as stores
from functory_torch.store import FeatureStore

ROWS = 40


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SHARD_ROWS", 16)


@pytest.fixture(scope="module")
def network() -> Any:
    return TinyEncoder.configure({}).network


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(toy_rows(TinyEncoder.configure({}), ROWS).rows)


class Trunk:
    """The network up to a cut, that counts its passes."""

    def __init__(self, network: Any) -> None:
        self.network, self.passes = network, 0

    def __call__(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        self.passes += 1
        return {"hidden": self.network.hidden(batch)}


def features(store: FeatureStore, rows: list[Row], trunk: Trunk) -> Array:
    return np.concatenate([shard["hidden"] for shard in store.shards(rows, trunk, {"hidden": "tokens"})])


def damages() -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Give the ways in which disks and people damage a file."""
    yield (
        "a flipped bit",
        lambda file: file.write_bytes(
            file.read_bytes()[:-5] + bytes([file.read_bytes()[-5] ^ 4]) + file.read_bytes()[-4:]
        ),
    )
    yield "zeros", lambda file: file.write_bytes(file.read_bytes()[:130] + bytes(file.stat().st_size - 130))
    yield "no record", lambda file: file.write_text('{"files": {}}')
    yield "cut", lambda file: file.write_bytes(file.read_bytes()[:-100])
    yield "empty", lambda file: file.write_bytes(b"")
    yield "foreign", lambda file: file.write_bytes(b"PK\x03\x04 something else" * 10)
    yield "other numbers", lambda file: np.save(file, np.load(file) + 1)
    yield "gone", lambda file: file.unlink()
    yield "a folder", lambda file: (file.unlink(), file.mkdir())
    yield "a link in a circle", lambda file: (file.unlink(), file.symlink_to(file))


@pytest.mark.parametrize(("damage", "ruin"), [pytest.param(*one, id=one[0]) for one in damages()])
def test_a_damaged_shard_is_made_again_and_said(
    network: Any, rows: list[Row], tmp_path: Path, damage: str, ruin: Callable[[Path], object],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    member = "entry.json" if damage == "no record" else "hidden.npy"
    trunk = Trunk(network)
    sound = features(FeatureStore(tmp_path, network, 5, "state"), rows, trunk)
    passes, shard = trunk.passes, next(iter(sorted(tmp_path.iterdir())))
    ruin(shard / member)
    assert np.array_equal(features(FeatureStore(tmp_path, network, 5, "state"), rows, trunk), sound)
    assert passes < trunk.passes < 2 * passes, "the damaged shard alone is made again"
    told = capsys.readouterr().err
    assert told.startswith(f"note: the features in {shard} are damaged (")
    again = trunk.passes
    assert np.array_equal(features(FeatureStore(tmp_path, network, 5, "state"), rows, trunk), sound)
    assert trunk.passes == again


def test_another_body_code_or_reading_has_other_features(
    network: Any, rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk = Trunk(network)

    def passes(cut: int = 5, reduction: str = "state") -> int:
        before = trunk.passes
        features(FeatureStore(tmp_path, network, cut, reduction), rows, trunk)
        return trunk.passes - before

    once = passes()
    assert passes() == 0
    assert passes(cut=4) == once
    assert passes(reduction="pooled") == once
    with monkeypatch.context() as patch:
        patch.setattr(network, "made_of", "other files or code of the backbone's plugin")
        assert passes() == once
    with monkeypatch.context() as patch:
        patch.setattr(stores, "code_hash", lambda *modules: "other code of the engine or the kit")
        assert passes() == once
    with monkeypatch.context() as patch:
        patch.setattr(network, "spec", network.spec.model_copy(update={"is_normalised": True}))
        assert passes() == once
    with monkeypatch.context() as patch:
        patch.setattr(network, "spec", network.spec.model_copy(update={"licence": "MIT", "reference": "elsewhere"}))
        assert passes() == 0


def test_code_that_changes_how_features_are_read_is_in_the_key_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(stores, "code_hash", lambda *modules: asked.extend(modules) or "")
    stores._about(TinyEncoder.configure({}).network, 5, "state")
    assert {name.partition(".")[0] for name in asked} == {"functory_torch", "functory_sdk"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_store_that_cannot_be_written_gives_the_same_features(
    network: Any, rows: list[Row], tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = features(FeatureStore(tmp_path / "good", network, 5, "state"), rows, Trunk(network))

    def refuse(file: Any, array: Array, **options: Any) -> None:
        Path(file).write_bytes(array.tobytes()[:100])  # half of it, and then no room
        raise OSError(number, os.strerror(number), str(file))

    monkeypatch.setattr(np, "save", refuse)  # neither here nor in a temporary folder
    assert np.array_equal(features(FeatureStore(tmp_path / "bad", network, 5, "state"), rows, Trunk(network)), sound)
    assert not [path for path in (tmp_path / "bad").iterdir() if not path.name.endswith(".use")]


def test_threads_that_fill_one_store_at_once_leave_one_whole_shard_of_each(
    network: Any, rows: list[Row], tmp_path: Path
) -> None:
    found: list[Array] = []

    def work() -> None:
        found.append(features(FeatureStore(tmp_path, network, 5, "state"), rows, Trunk(network)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(one, found[0]) for one in found)
    assert len([path for path in tmp_path.iterdir() if not path.name.startswith(".")]) == -(-ROWS // 16)
    assert not list(tmp_path.glob(".*.part"))


def test_parts_are_taken_by_row_from_what_was_computed_of_all_rows_of_a_build(
    tmp_path: Path, network: Any, rows: list[Row]
) -> None:
    store, trunk, varying = FeatureStore(tmp_path, network, 5, "state"), Trunk(network), {"hidden": "tokens"}
    whole = store.taken(rows, (), trunk, varying)["hidden"]
    ends = np.cumsum([0, *(len(row["input_ids"]) for row in rows)])
    each, passes = [whole[start:stop] for start, stop in pairwise(ends)], trunk.passes
    asked = [30, 3, 7, 3, len(rows) - 1]
    found = store.taken([rows[n] for n in asked], rows, trunk, varying)["hidden"]
    assert trunk.passes == passes
    assert np.array_equal(found, np.concatenate([each[n] for n in asked]))
    foreign = {**rows[3], "input_ids": rows[3]["input_ids"][::-1].copy()}
    assert len(store.taken([foreign], rows, trunk, varying)["hidden"]) == len(each[3])
    assert trunk.passes == passes + 1
