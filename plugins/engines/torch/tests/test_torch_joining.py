"""Requests from many threads are written together, each as by itself; some leave, some fail, and the session lives on."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from functory_sdk import Decoding, Guide, NotSupported, Program, Request, SessionOptions, open_backbone, texts  # noqa: E402
from functory_sdk.lines import Line  # noqa: E402
from functory_sdk.testing import kit  # noqa: E402
from functory_sdk.torch import Model  # noqa: E402
from functory_torch import TorchEngine  # noqa: E402
from functory_torch.batch import Batch  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    with kit():
        yield


@pytest.fixture(params=["tiny-decoder", "tiny-encoder-decoder"])
def session(request: pytest.FixtureRequest) -> Iterator[Any]:
    backbone: Any = open_backbone(request.param)
    model = Model(backbone.network, None, backbone.spec.ports(), (), backbone.spec.points).eval()
    opened = TorchEngine().open(Program("generate", backbone.spec.ports(), model=model), SessionOptions())
    yield opened
    opened.close()
    assert not writers()


def writers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "functory-writing"]


def asked(number: int, **how: Any) -> Request:
    """Return one of many requests: some greedy, some drawn, several samples, with what they begin with in common or not."""
    ways: tuple[dict[str, Any], ...] = (
        {}, {"temperature": 1.2, "seed": number}, {"temperature": 1.5, "samples": 3}, {"repetition_penalty": 1.2},
    )  # fmt: skip
    ids = (*range(30, 30 + 10 * (number % 2)), *range(50, 52 + number % 7))
    return Request(ids, Decoding(**{"max_new_tokens": 4 + number % 9, **ways[number % 4], **how}))


def alone(session: Any, request: Request) -> list[list[int]]:
    [rows] = texts([request], session.generate([request]))
    return [row["tokens"].tolist() for row in rows]


def gathered(tokens: Any, request: Request) -> list[list[int]]:
    [rows] = texts([request], tokens)
    return [row["tokens"].tolist() for row in rows]


def test_a_hundred_threads_write_together_while_some_leave_early(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {number: alone(session, asked(number)) for number in range(63)}
    passes: list[int] = []
    step = Batch.step
    monkeypatch.setattr(Batch, "step", lambda self: (passes.append(len(self)), step(self))[1])
    start = threading.Barrier(100)

    def ask(number: int) -> bool:
        request, expected = asked(number % 63), kinds[number % 63]
        start.wait()
        tokens = session.submit(request)
        if number % 5 == 0:
            first = next(tokens)
            tokens.close()
            assert next(tokens, None) is None
            return first.id == expected[first.sample][0]
        return gathered(tokens, request) == expected

    with ThreadPoolExecutor(100) as pool:
        assert all(pool.map(ask, range(100)))
    assert max(passes) > 8, "they were not written together"
    assert len(passes) < 400


def test_an_error_is_its_own_requests_and_the_others_go_on(session: Any) -> None:
    def fail(tokens: Sequence[int]) -> bool:
        if len(tokens) == 2:
            raise LookupError("of this one")
        return False

    others, faulty = [asked(number, max_new_tokens=20) for number in (0, 1)], replace(asked(0), ends=fail)
    expected = [alone(session, one) for one in others]
    going = [session.submit(one) for one in others]
    firsts = [next(one) for one in going]
    broken, unreadable = session.submit(faulty), session.submit(Request((10**6,), Decoding(max_new_tokens=3)))
    with pytest.raises(LookupError, match="of this one"):
        list(broken)
    with pytest.raises(IndexError):
        list(unreadable)
    for tokens, first, request, whole in zip(going, firsts, others, expected, strict=True):
        assert gathered([first, *tokens], request) == whole


def test_where_the_network_fails_all_are_told_and_the_session_lives_on(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = alone(session, asked(0))
    advance = "functory_torch.batch.advance"

    def fail(several: Any, tokens: Any, beside: Any) -> None:
        raise MemoryError("no more")

    with monkeypatch.context() as broken:
        broken.setattr(advance, fail)
        going = [session.submit(asked(number)) for number in range(3)]
        for tokens in going:
            with pytest.raises(MemoryError):
                list(tokens)
    assert gathered(session.submit(asked(0)), asked(0)) == expected


def test_who_leaves_or_is_lost_is_written_no_further(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    go_on = Line.go_on
    monkeypatch.setattr(Line, "go_on", lambda self, *rest: (steps.append(len(self.tokens)), go_on(self, *rest))[1])
    long = Request((5, 6), Decoding(max_new_tokens=40))
    for leave in ("close", "lose"):
        steps.clear()
        tokens = session.submit(long)
        next(tokens)
        tokens.close() if leave == "close" else None
        del tokens
        for writer in writers():
            writer.join(60)
        assert not writers()
        assert len(steps) < 40


def test_a_session_that_is_closed_tells_those_that_wait_and_ends_its_thread(session: Any) -> None:
    going = [session.submit(asked(number, max_new_tokens=60)) for number in (0, 1)]
    next(going[0])
    session.close()
    assert not writers()
    for tokens in going:
        with pytest.raises(NotSupported, match="the session was closed"):
            list(tokens)
    for ask in (session.submit, lambda one: list(session.generate([one]))):
        with pytest.raises(NotSupported, match="the session was closed"):
            ask(asked(0))


def test_at_the_end_of_the_program_what_is_written_ends_between_two_tokens(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is its thread cut off within torch, nor does the program wait for texts that nobody takes."""
    tokens = session.submit(Request((5, 6), Decoding(max_new_tokens=60)))
    next(tokens)
    [writer] = writers()
    assert not writer.daemon
    ended = threading.Thread()
    with monkeypatch.context() as over:
        over.setattr(threading, "main_thread", lambda: ended)
        over.setattr(threading, "enumerate", lambda: [writer])
        writer.join(60)
    assert not writer.is_alive()
    with pytest.raises(NotSupported, match="the session was closed"):
        list(tokens)


def test_ctrl_c_while_a_token_is_waited_for_leaves_the_others_as_they_are(session: Any) -> None:
    expected = alone(session, asked(1))

    def interrupt(tokens: Sequence[int]) -> bool:
        if len(tokens) == 2:
            _thread.interrupt_main()
        return False

    def wait() -> None:
        list(session.submit(replace(asked(0, max_new_tokens=60), ends=interrupt)))
        threading.Event().wait(60)

    other = session.submit(asked(1))
    with pytest.raises(KeyboardInterrupt):
        wait()
    assert gathered(other, asked(1)) == expected


def test_a_guide_that_cannot_be_held_is_refused_when_it_is_submitted_and_one_that_can_is_held() -> None:
    from functory_sdk import OptionError

    backbone: Any = open_backbone("tiny-decoder")
    model = Model(backbone.network, None, backbone.spec.ports(), (), backbone.spec.points).eval()
    session: Any = TorchEngine().open(Program("generate", backbone.spec.ports(), model=model), SessionOptions())
    guide = Guide.model_validate({"regex": "(day|sun){3,9}"})
    request = replace(asked(0, max_new_tokens=30), guide=guide, stop_ids=frozenset({1}), tokenizer=backbone.tokenizer)
    with pytest.raises(OptionError, match="max_new_tokens = 3"):
        session.submit(replace(request, decoding=Decoding(max_new_tokens=3)))
    assert gathered(session.submit(request), request) == alone(session, request)
    session.close()


def test_a_fork_writes_though_its_thread_and_its_lock_are_the_parents(session: Any) -> None:
    expected = alone(session, asked(0))
    joining = session._joining
    joining._process, joining._writer = -1, threading.Thread()
    joining._lock.acquire()
    assert gathered(session.submit(asked(0)), asked(0)) == expected

def test_a_caller_who_waits_for_the_whole_text_is_woken_at_its_end(session: Any) -> None:
    written: list[int] = []

    def ends(tokens: Sequence[int]) -> bool:
        written.append(len(tokens))
        return False

    request = replace(asked(0, max_new_tokens=9), ends=ends)
    tokens = session.submit(replace(request, at_end=True))
    found = [next(tokens)]
    assert written == [*range(1, 10)], "its first token came before the last was chosen"
    assert [one.id for one in (*found, *tokens)] == [one.id for one in session.submit(request)]
