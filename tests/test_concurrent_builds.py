"""Builds side by side: each ends in the bits that it ends in alone, and what belongs to the whole process stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk.testing import kit
from functory_sdk.testing.generators import generators_untouched
from functory_sdk.testing.toy import rows

torch = pytest.importorskip("torch")

BRIEF = {"epochs": 2, "batch_rows": 8}
WAYS: dict[str, dict[str, Any]] = {
    "lora": {"name": "lora", **BRIEF},
    "full": {"name": "full", "layers": 2, **BRIEF},
    "head": {"name": "head"},
    "a head with a hidden layer": {"name": "head", "hidden": 8},
}


@pytest.fixture(autouse=True)
def _kit() -> Iterator[None]:
    with kit():
        yield


def build(way: str, seed: int, **more: Any) -> functory.Function:
    return functory.build(task="toy", train=rows(60), backbone="tiny-encoder", adaptation=WAYS[way], seed=seed, **more)


def phi(function: functory.Function) -> dict[str, np.ndarray]:
    form: Any = function.form
    return {name: array.copy() for name, array in form.engine.phi(form.program.model).items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize("way", WAYS)
def test_four_threads_end_in_the_bits_that_each_ends_in_alone(way: str) -> None:
    seeds = [1, 2, 3, 4]
    alone = [phi(build(way, seed)) for seed in seeds]
    together = Barrier(4, timeout=60)

    def started_together(seed: int) -> dict[str, np.ndarray]:
        together.wait()
        return phi(build(way, seed))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(started_together, seeds))
    assert all(same(one, other) for one, other in zip(alone, found, strict=True))
    assert not same(alone[0], alone[1])


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("way", WAYS)
def test_a_build_leaves_what_belongs_to_the_whole_process_as_it_was(way: str, tmp_path: Path) -> None:
    def state() -> tuple[Any, ...]:
        return torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()

    before, given = state(), {"session": {"threads": 1}, "test": rows(20, seed=1)}
    torch.set_default_dtype(torch.float64)  # a caller who has other defaults gets the same function
    try:
        with generators_untouched(way), torch.inference_mode():
            function = build(way, 5, **given)
            assert torch.is_inference_mode_enabled()
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    with generators_untouched("saving and loading"):
        functory.load(function.save(tmp_path / "saved"))("good")
    assert state() == before
    assert same(phi(function), phi(build(way, 5, name="again", **given)))
