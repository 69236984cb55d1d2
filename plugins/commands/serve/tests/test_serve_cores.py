"""Workers share the machine's cores: who computes alone has all of them."""

from __future__ import annotations

import copy
import os

import pytest

from functory_sdk import shared_threads
from functory_serve import cores as module
from functory_serve.cores import Cores


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Cores]:
    """Three workers of one server, on a machine of eight cores, at a time that stands still."""
    monkeypatch.setattr(module, "cores", lambda: 8)
    monkeypatch.setattr(module.time, "monotonic", lambda: 1.0)
    first = Cores(3)
    found = [copy.copy(first) for _ in range(3)]  # as a fork has it: the memory is one
    for number, one in enumerate(found):
        one.take(number)
    return found


def test_who_computes_alone_takes_what_the_engine_takes_and_others_share(workers: list[Cores]) -> None:
    assert shared_threads() is None
    one, other, third = workers
    with one.shared("a"):
        assert shared_threads() == 0
        with other.shared("a"):
            assert shared_threads() == 4
            with third.shared("a"):
                assert shared_threads() == 2
                with third.shared("a"):  # another text that it writes, or what follows a batch that hangs
                    assert shared_threads() == 2
                    with third.shared("b"):  # another function in the same worker
                        assert shared_threads() == 2
                with third.shared("b"), third.shared("c"):
                    assert shared_threads() == 1
    assert shared_threads() is None


def test_a_worker_whose_next_batch_is_about_to_begin_has_its_share(
    workers: list[Cores], monkeypatch: pytest.MonkeyPatch
) -> None:
    with workers[0].shared("a"):
        pass
    with workers[1].shared("a"):
        assert shared_threads() == 4
    monkeypatch.setattr(module.time, "monotonic", lambda: 1.0 + 2 * module.AFTER_SECONDS)
    with workers[1].shared("a"):
        assert shared_threads() == 0


def test_who_takes_the_place_of_a_worker_that_was_killed_computes_nothing_yet(workers: list[Cores]) -> None:
    killed = workers[2].shared("a")
    killed.__enter__()  # and it never comes to its end
    with workers[0].shared("a"):
        assert shared_threads() == 4
    workers[2].take(2)
    with workers[0].shared("a"):
        assert shared_threads() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on this system")
def test_what_a_fork_computes_is_seen_by_the_others() -> None:
    two = Cores(2)
    asked, told = os.pipe()
    if not (pid := os.fork()):
        two.take(1)
        killed = two.shared("a")
        killed.__enter__()
        os.write(told, b".")
        os._exit(0)
    os.read(asked, 1)
    os.waitpid(pid, 0)
    two.take(0)
    with two.shared("a"):
        assert shared_threads() is not None
        assert shared_threads() > 0
