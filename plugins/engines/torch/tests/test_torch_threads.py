"""How many threads a computation takes: its session's, or those that who computes beside others is given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from functory_sdk import sharing_cores
from functory_torch.threads import threads


@pytest.fixture(autouse=True)
def four() -> Iterator[None]:
    """Torch takes four threads by itself."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("own", "shared", "taken"), [(0, None, 4), (2, None, 2), (8, None, 8), (1, 3, 3), (1, 0, 4), (2, 9, 4)])
def test_a_computation_takes_its_sessions_threads_or_what_is_said_though_no_more_than_torch_does(
    own: int, shared: int | None, taken: int
) -> None:
    if shared is None:
        with threads(own):
            assert torch.get_num_threads() == taken
    else:
        with sharing_cores(shared), threads(own):
            assert torch.get_num_threads() == taken
    assert torch.get_num_threads() == 4
