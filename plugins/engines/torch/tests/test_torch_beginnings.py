"""What texts begin with is read once, within a call and after it, and the texts are those that are written without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from functory_sdk import Decoding, Guide, Program, Request, SessionOptions, open_backbone, texts  # noqa: E402
from functory_sdk.testing import kit  # noqa: E402
from functory_sdk.torch import Model  # noqa: E402
from functory_torch import TorchEngine, batch, branches  # noqa: E402
from functory_torch.beginnings import Beginnings, States  # noqa: E402

SYSTEM = tuple(range(40, 70))
WAYS: tuple[dict[str, Any], ...] = (
    {}, {"temperature": 1.3, "seed": 5}, {"temperature": 2.0, "samples": 3}, {"repetition_penalty": 1.3},
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    with kit():
        yield


def opened(remembered: int = 1, budget: int = 0) -> Any:
    backbone: Any = open_backbone("tiny-decoder")
    model = Model(backbone.network, None, backbone.spec.ports(), (), backbone.spec.points).eval()
    options = SessionOptions(remembered=remembered, budget=budget)
    return TorchEngine().open(Program("generate", backbone.spec.ports(), model=model), options)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each pass reads."""
    found: list[int] = []
    network = type(open_backbone("tiny-decoder").network)
    whole = network.resume

    def resume(self: Any, batch: Any, kept: Any) -> Any:
        found.append(int(batch["attention_mask"][:, -batch["input_ids"].shape[1] :].sum()))
        return whole(self, batch, kept)

    monkeypatch.setattr(network, "resume", resume)
    return found


def asked(count: int = 6, system: Sequence[int] = SYSTEM, **how: Any) -> list[Request]:
    options = Decoding(**{"max_new_tokens": 5, **how})
    return [Request((*system, *range(80 + number, 90)), options) for number in range(count)]


def written(session: Any, requests: Sequence[Request]) -> list[list[list[int]]]:
    return [[row["tokens"].tolist() for row in rows] for rows in texts(requests, session.generate(requests))]


@pytest.mark.parametrize("how", WAYS)
def test_what_requests_begin_with_is_read_once_and_the_texts_are_the_same(how: dict[str, Any], read: list[int]) -> None:
    alone = [written(opened(remembered=0), [request])[0] for request in asked(**how)]
    session, one = opened(), {**how, "max_new_tokens": 1}
    read.clear()
    written(session, asked(**one))
    assert sum(read) == len(SYSTEM) + sum(10 - number for number in range(6)), "a prompt was read more than once"
    read.clear()
    again = [replace(request, ids=(*request.ids[:-2], 3, 4)) for request in asked(**one)]
    written(session, again)
    assert sum(read) == 2 * 6, "a beginning that an earlier call has read was read again"
    assert written(opened(), asked(**how)) == alone
    assert written(session, asked(**how)) == alone
    assert written(session, asked(**how)[::-1]) == alone[::-1]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Of each step of texts of about one length: its rows, the tokens that are kept once, and the places of each row besides.
    Few do.
    """
    monkeypatch.setattr(branches, "SHARED", 16)
    monkeypatch.setattr(batch, "SHARED", 16)
    found: list[tuple[int, int, int]] = []
    advance = batch.advance

    def noted(several: Any, tokens: Any, beside: Any) -> Any:
        for one, own in zip(several, tokens, strict=True):
            keys, _ = one._kept.pairs()[0]
            found.append((len(own), len(one.common), keys.shape[2]))
        return advance(several, tokens, beside)

    monkeypatch.setattr(batch, "advance", noted)
    return found


@pytest.mark.parametrize("how", WAYS)
def test_what_texts_begin_with_is_kept_and_looked_at_once_for_all_of_them(how: dict[str, Any], held: list[Any]) -> None:
    alone = [written(opened(remembered=0), [request])[0] for request in asked(**how)]
    for session in (opened(), opened(remembered=0)):
        for _ in range(2):  # what is known by then is shared likewise
            held.clear()
            assert written(session, asked(**how)) == alone
            assert {common for _, common, _ in held} == {len(SYSTEM)}
            assert max(places for _, _, places in held) < 10 + 5


def test_texts_that_begin_otherwise_join_those_that_share_and_all_are_as_by_themselves(held: list[Any]) -> None:
    """However many there is room for, so that some join between two steps, and whoever leaves."""
    other = tuple(range(40, 60))
    requests = [
        replace(one, decoding=Decoding(max_new_tokens=3 + number % 5))
        for number, one in enumerate([*asked(4), *asked(3, other), *asked(2, (*SYSTEM, 3, 4)), *asked(2, (7, 8, 9))])
    ]
    alone = [written(opened(remembered=0), [one])[0] for one in requests]
    for remembered in (0, 1):
        for budget in (12, 1024):
            for order in (requests, requests[::-1]):
                found = written(opened(remembered, budget), order)
                assert found == (alone if order is requests else alone[::-1]), (remembered, budget)
    assert {0, 20, 30} <= {common for _, common, _ in held}


def test_so_many_texts_are_written_together_as_there_is_room_for_what_each_has_of_its_own(held: list[Any]) -> None:
    session = opened(budget=20)  # 160 tokens; each request has 45, and what is its own has 15
    written(session, asked())
    assert max(rows for rows, _, _ in held) == 6


@pytest.mark.parametrize("how", [{}, {"beams": 2}])
def test_texts_of_other_lengths_are_written_in_one_pass_and_none_is_padded_to_the_longest(
    how: dict[str, Any], held: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So more of them are written together: padded to the longest, three would have no room."""
    sizes: list[list[int]] = []
    advance = batch.advance
    monkeypatch.setattr(batch, "advance", lambda *given: (sizes.append([len(own) for own in given[1]]), advance(*given))[1])
    requests = [Request(tuple(range(3, 3 + size)), Decoding(max_new_tokens=4, **how)) for size in (40, 5, 6, 41, 5, 4)]
    alone = [written(opened(remembered=0), [one])[0] for one in requests]
    rows = how.get("beams", 1)
    sizes.clear()
    held.clear()
    session = opened(budget=17 * rows)
    assert written(session, requests) == alone
    assert max(len(kinds) for kinds in sizes) == 2
    assert max(sum(kinds) for kinds in sizes) == 6 * rows
    assert {places > 20 for _, _, places in held} == {False, True}
    assert max(count for count, _, places in held if places > 20) == 2 * rows


def test_prompts_of_texts_that_join_are_read_in_the_pass_that_writes_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    passes, steps, again = list[int](), list[int](), list[Any]()
    network, advance = type(open_backbone("tiny-decoder").network), batch.advance
    step, by_itself = network.step, batch.Alone
    monkeypatch.setattr(batch, "Alone", lambda *given: (again.append(given), by_itself(*given))[1])
    monkeypatch.setattr(network, "step", lambda self, index, *rest: (passes.append(index), step(self, index, *rest))[1])
    monkeypatch.setattr(batch, "advance", lambda *given: (steps.append(len(given[2])), advance(*given))[1])
    requests = [
        replace(one, ids=one.ids[number:], decoding=Decoding(max_new_tokens=3 + number % 4))
        for number, one in enumerate(asked(8))
    ]
    alone = [written(opened(remembered=0), [one])[0] for one in requests]
    passes.clear()
    again.clear()
    steps.clear()
    assert written(opened(budget=12), requests) == alone
    assert sum(steps) >= 4
    own = passes.count(1) - len(steps) - len(again)  # the first ones', and those where all others have just ended
    assert own <= 2, "a prompt was read in a pass of its own"


def test_guided_texts_are_the_same_after_beginnings_that_are_known() -> None:
    backbone = open_backbone("tiny-decoder")
    guide, stop = Guide.model_validate({"regex": "(day|sun){1,9}"}), frozenset({1})
    requests = [
        replace(one, guide=guide, stop_ids=stop, tokenizer=backbone.tokenizer) for one in asked(max_new_tokens=30)
    ]
    alone = [written(opened(remembered=0), [request])[0] for request in requests]
    session = opened()
    assert written(session, requests) == alone
    assert written(session, requests) == alone


def test_turns_before_are_known_to_the_next_turn_wherever_it_parts(read: list[int]) -> None:
    session, first = opened(), asked(1, max_new_tokens=1)
    written(session, first)
    read.clear()
    longer = replace(first[0], ids=(*first[0].ids, *range(20, 31)))
    written(session, [longer])
    assert sum(read) == 11
    read.clear()
    parted = replace(first[0], ids=(*first[0].ids[:20], *range(20, 31)))
    written(session, [parted])
    assert sum(read) == 11
    read.clear()
    written(session, [longer])
    assert sum(read) == 1, "the last token's scores are read, and nothing else"


def test_texts_of_which_each_has_a_beginning_of_its_own_that_is_known_are_read_in_few_passes(read: list[int]) -> None:
    session = opened()
    systems = [tuple(range(10 + number, 25 + 2 * number)) for number in range(6)]
    first = [asked(1, system, max_new_tokens=1)[0] for system in systems]
    written(session, first)
    how = Decoding(max_new_tokens=6)
    longer = [replace(one, ids=(*one.ids, 3, *range(number)), decoding=how) for number, one in enumerate(first)]
    longer = [longer[0], *longer]  # one comes twice
    alone = [written(opened(remembered=0), [one])[0] for one in longer]
    read.clear()
    next(iter(session.generate(longer)))
    assert len(read) == 1, "each was read in a pass of its own"
    assert read[0] == sum(1 + number for number in range(6))
    assert written(opened(), longer) == alone
    again = opened()
    written(again, first)
    assert written(again, longer) == alone


def test_a_session_that_is_told_to_remember_nothing_reads_all_again_in_the_next_call(read: list[int]) -> None:
    session, requests = opened(remembered=0), asked(max_new_tokens=1)
    for _ in range(2):
        read.clear()
        written(session, requests)
        assert sum(read) == len(SYSTEM) + sum(10 - number for number in range(6))


def test_threads_that_write_at_once_share_what_is_known() -> None:
    session = opened()
    systems = [tuple(range(10 * number, 10 * number + 12)) for number in range(8)]
    alone = [written(opened(remembered=0), asked(3, system)) for system in systems]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(lambda system: written(session, asked(3, system)), systems)) == alone


def test_label_scores_know_what_an_earlier_call_has_read_by_the_same_means(read: list[int]) -> None:
    from functory_sdk import Input, LabelOptions, Labels, LabelTask, Reader, load

    class Note(Input):
        text: str

    class Sorted(LabelTask[LabelOptions]):
        """Sorts texts."""

    Sorted.Input = Note
    engine, backbone = TorchEngine(), open_backbone("tiny-decoder")
    state, put = Labels(labels=("good", "bad", "fine")), Sorted().formulations(backbone.spec)["prompt"]
    model: Any = engine.adapt(backbone, put, state, load("adaptations", "zero-shot").configure())
    session: Any = engine.open(Program("forward", model.inputs, model.outputs, model=model), SessionOptions())

    def scores(text: str) -> list[Any]:
        rows = put.encode([Note(text=text)], Reader(backbone.tokenizer, backbone.spec), state).rows
        return [row["log_probability"] for row in session.run(rows)]

    first = scores("we saw the good film in the sun")
    read.clear()
    other = scores("we saw the good film in the rain")
    assert read, "nothing went on from what is kept"
    found = sum(read)
    session._beginnings.clear()
    read.clear()
    np.testing.assert_allclose(scores("we saw the good film in the rain"), other, atol=1e-5)
    assert sum(read) > found + 8
    assert not np.allclose(first, other)


def states(ids: Sequence[int]) -> States:
    """Return states that tell the tokens and all before them."""
    told = torch.tensor(np.cumsum([one * (3 + place) for place, one in enumerate(ids)]), dtype=torch.float64)[:, None]
    return States(told, ((told[None], 2 * told[None]), (told[None], told[None, :, :0])))


@given(st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=40), max_size=30), st.sampled_from([10**9, 2000]))
def test_what_is_known_of_a_text_is_the_longest_beginning_that_was_kept_of_any(made: list[list[int]], most: int) -> None:
    kept: list[list[int]] = []
    beginnings = Beginnings(most)
    for text in made:
        ids = np.asarray(text)
        longest = max((common(text, other) for other in kept), default=0)
        known = beginnings.known(ids)
        found = beginnings.take(ids)
        assert (len(found) if found is not None else 0) == known
        assert known == (longest if longest >= 8 else 0) or (most == 2000 and known <= longest)
        if found is not None:
            for own, expected in zip(flat(found), flat(states(text[:known])), strict=True):
                assert torch.equal(own, expected)
        beginnings.keep(ids, states(text).part(known, len(text)))
        kept.append(text)
        assert beginnings.size <= most
        assert beginnings.size == sum(one.states.size for one in stretches(beginnings._after))


def test_what_was_used_longest_ago_is_forgotten_first_and_a_text_that_is_too_long_is_kept_in_part() -> None:
    one = states(range(100)).size // 100
    beginnings, made = Beginnings(100 * one), [np.arange(30) + 100 * number for number in range(4)]
    for ids in made[:3]:
        beginnings.keep(ids, states(ids.tolist()))
    assert beginnings.take(made[0]) is not None
    beginnings.keep(made[3], states(made[3].tolist()))
    assert [beginnings.known(ids) for ids in made] == [30, 0, 0, 30]
    long = np.arange(1000, 1200)
    beginnings.keep(long, states(long.tolist()))
    assert beginnings.known(long) == 75


def stretches(after: dict[int, Any]) -> Iterator[Any]:
    for one in after.values():
        yield one
        yield from stretches(one.after)


def flat(found: States) -> list[Any]:
    return [found.hidden, *(each for pair in found.layers for each in pair)]


def common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@pytest.mark.parametrize("how", WAYS)
def test_what_a_text_wrote_is_known_to_the_prompt_that_goes_on_from_it(how: dict[str, Any], read: list[int]) -> None:
    """A dialogue's next turn reads what was said to it, and nothing of what it said itself."""
    session, told, count = opened(), asked(3, **how), 7
    for turn in range(3):
        before = list(read)
        expected = [written(opened(remembered=0), [request])[0] for request in told]
        read[:] = before
        found = written(session, told)
        assert found == expected, f"turn {turn}"
        longer = [
            replace(one, ids=(*one.ids, *several[0], *range(20, 20 + count))) for one, several in zip(told, found, strict=True)
        ]
        first = [replace(one, decoding=Decoding(max_new_tokens=1)) for one in longer]
        read.clear()
        written(session, first)
        assert sum(read) == len(first) * (count + 1), "of what was written only the last token was not read"
        told = longer


def test_what_was_written_is_found_though_others_joined_and_left_in_between(read: list[int]) -> None:
    session = opened()
    requests = [
        replace(one, decoding=Decoding(max_new_tokens=4 + 3 * (number % 3)))
        for number, one in enumerate([*asked(4), *asked(3, (7, 8, 9))])
    ]
    found = written(session, requests)
    once = Decoding(max_new_tokens=1)
    longer = [replace(one, ids=(*one.ids, *text, 5), decoding=once) for one, [text] in zip(requests, found, strict=True)]
    expected = [written(opened(remembered=0), [one])[0] for one in longer]
    read.clear()
    assert written(session, longer) == expected
    assert sum(read) == 2 * len(longer)
