"""How an engine generates: the same text alone and in any batch, to where it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from functory.contracts.decoding import Decoding, Request, Steer, Steered, texts
from functory.contracts.guiding import Guide
from functory.contracts.rows import Program
from functory.errors import NotSupported, OptionError
from functory_sdk.testing.engines.programs import EngineChecks


class WritingChecks(EngineChecks):
    """A text is the same in any company."""

    _written: ClassVar[dict[str, list[Program]]] = {}

    @pytest.fixture(scope="class", autouse=True)
    def _place_of_written(self, request: pytest.FixtureRequest) -> None:
        """What is converted is converted once for all checks of the class."""
        request.cls._written = {}

    def test_generation_is_the_same_alone_and_in_any_batch(self) -> None:
        """Requests of unequal prompts and lengths give in one call the tokens that each gives alone, at its own index: the
        likeliest, and those that are drawn.

        If this fails: mask the prompts' padding, count positions without it, give back the index of the request, not of the
        batch, and draw with `request.noise` and nothing else.
        """
        for session, requests in self.each(self.writing()):
            for how in ({}, {"temperature": 1.5, "seed": 3}):
                asked = [replace(one, decoding=one.decoding.model_copy(update=how)) for one in requests]
                together = collect(session, asked)
                for index, request in enumerate(asked):
                    [alone] = collect(session, [request])
                    assert alone == together[index], f"request {index}: {alone} alone, {together[index]} in a batch."
                    assert len(alone) <= request.decoding.max_new_tokens, f"request {index} has {len(alone)} tokens."
                backwards = collect(session, asked[::-1])[::-1]
                assert backwards == together, "the order of the requests changes what is written."

    def test_generation_stops_where_it_is_told(self) -> None:
        """A stop token ends its request alone, and is no part of the text; and so does a text that its request says ends.
        Each text ends with a token that says why.

        If this fails: look at the token before it is given, request by request; ask `request.ends` after each.
        """
        for session, requests in self.each(self.writing()):
            free = collect(session, requests)
            stop = free[0][2]
            told = [replace(one, stop_ids=frozenset({stop})) for one in requests]
            for index, (written, whole) in enumerate(zip(collect(session, told), free, strict=True)):
                expected = whole[: whole.index(stop)] if stop in whole else whole
                assert written == expected, f"request {index}: {written}, stopped at {stop}; without stop {whole}."
            third = [replace(one, ends=lambda tokens: len(tokens) == 3) for one in requests[:2]]
            reasons = [(token.request, token.finish) for token in session.generate([*third, requests[2]]) if token.finish]
            assert sorted(reasons) == [(0, "stop"), (1, "stop"), (2, "length")], f"the texts ended so: {reasons}."

    def test_a_guided_text_is_what_its_guide_says_and_ends_in_time(self) -> None:
        """A text with a guide is what the guide says when it ends, and ends within its tokens: the likeliest, drawn and searched
        for, alone as in a batch. What cannot be held is refused before the first token, and the session goes on.

        If this fails: mask the scores before a token is chosen, count the token that ends a text, and look before each token
        whether what it opens can still be closed; an engine that holds no guide refuses `request.guide` with `NotSupported`.
        """
        guide = Guide.model_validate({"regex": r"(day|sun){1,40}(\(a+\))?!"})
        for session, requests in self.each(self.writing()):
            tokenizer: Any = requests[0].tokenizer
            ends = {one for sign in ("<end>", "[SEP]") if (one := tokenizer.id(sign)) is not None}
            for how in ({}, {"temperature": 3.0, "samples": 4}, {"beams": 3, "samples": 2}):
                asked = [
                    replace(
                        one, guide=guide, stop_ids=frozenset(ends),
                        decoding=one.decoding.model_copy(update={**how, "max_new_tokens": 9 + index}),
                    )
                    for index, one in enumerate(requests)
                ]  # fmt: skip
                try:
                    found = texts(asked, session.generate(asked))
                except NotSupported:
                    continue
                for request, rows in zip(asked, found, strict=True):
                    written = [row["tokens"].tolist() for row in rows]
                    for tokens in written:
                        text = tokenizer.text(tokens)
                        assert re.fullmatch(guide.regex or "", text), f"{text!r} is not what the guide says."
                        assert len(tokens) < request.decoding.max_new_tokens, f"{text!r} has no room for its end."
                    alone = [row["tokens"].tolist() for row in texts([request], session.generate([request]))[0]]
                    assert alone == written, f"{alone} alone, {written} in a batch."
                impossible = replace(asked[0], decoding=Decoding(max_new_tokens=3))
                with pytest.raises(OptionError):
                    list(session.generate([asked[1], impossible]))
                assert texts(asked[:1], session.generate(asked[:1])), "the session does not go on after a refusal."

    def test_a_text_begins_as_its_request_says_and_holds_nothing_that_it_forbids(self) -> None:
        """What a request starts with stands before the text and is no part of it, in its writing and in its likelihood; what may
        never come does not, alone and beside requests with other starts.

        If this fails: put `request.start` after the prompt (an encoder-decoder: after its first token), give none of it back, and
        take the scores of `request.never` out of the choice.
        """
        for session, requests in self.each(self.writing()):
            [whole] = collect(session, requests[:1])
            start, most = tuple(whole[:2]), requests[0].decoding.max_new_tokens - 2
            begun = replace(requests[0], start=start, decoding=Decoding(max_new_tokens=most))
            found = collect(session, [requests[1], begun, replace(begun, never=frozenset(whole[2:])), requests[2]])
            assert found[1] == whole[2:], f"{found[1]} after {start}; the whole text is {whole}."
            assert not set(found[2]) & set(whole[2:]), f"{found[2]} holds what may never come: {whole[2:]}."
            assert [found[0], found[3]] == collect(session, requests[1:3]), "the start of one text changes others."
            likely, of_all = session.likelihood([begun, requests[0]], [whole[2:], whole])
            off = float(np.abs(likely - of_all[2:]).max())
            assert off <= 1e-4, f"after its start a text's log-probabilities are off by {off:.2g}."

    def test_a_steered_text_is_as_its_steer_changes_the_scores(self) -> None:
        """A request whose scores are changed in process is written by the changed ones, the likeliest, drawn and searched for,
        alone as in a batch, beside requests that nothing steers; an engine that cannot ask refuses it.

        If this fails: ask `request.steer` at each token, with what was written before it, after the penalty on repetition and
        what a guide forbids, before temperature; or raise `NotSupported` before the first token.
        """
        for session, requests in self.each(self.writing()):
            free = collect(session, requests)
            for how in ({}, {"temperature": 2.0, "seed": 1}, {"beams": 2}):
                decoding = requests[1].decoding.model_copy(update=how)
                asked = [requests[0], replace(requests[1], decoding=decoding, steer=_Falling()), requests[2]]
                try:
                    found = collect(session, asked)
                except NotSupported:
                    continue
                falls = [one - other for one, other in zip(found[1], found[1][1:], strict=False)]
                assert falls and set(falls) <= {1, 2}, f"{found[1]} is not what the changed scores say."
                assert [found[0], found[2]] == [free[0], free[2]], "what steers one text changes others."
                assert collect(session, asked[1:2]) == found[1:2], f"{found[1]} in a batch, another text alone."

    def test_the_likelihood_of_a_text_is_what_its_writing_saw(self) -> None:
        """The log-probability of a written text: the same alone and in any batch, no other token likelier at its place,
        and that of its end where it stopped early.

        If this fails: the score of a token stands one place before it; mask the padding, and leave nothing of the prompt.
        """
        for session, requests in self.each(self.writing()):
            written = collect(session, requests)
            likely = session.likelihood(requests, written)
            for index, (request, text) in enumerate(zip(requests, written, strict=True)):
                assert np.shape(likely[index]) == (len(text),), f"request {index}: {np.shape(likely[index])}."
                off = float(np.abs(session.likelihood([request], [text])[0] - likely[index]).max())
                assert off <= 1e-4, f"request {index}: a batch changes its log-probabilities by {off:.2g}."
                for place, token in enumerate(text):
                    other = session.likelihood([request], [[*text[:place], token - 1 if token else 1]])[0][place]
                    assert other <= likely[index][place] + 1e-4, f"request {index}: token {place} was not the likeliest."
            stopping = replace(requests[0], stop_ids=frozenset({written[0][2]}))
            [early] = session.likelihood([stopping], [written[0][:2]])
            assert np.shape(early) == (3,), "a text that stopped early has no log-probability of its end."
            assert float(np.abs(early - likely[0][:3]).max()) <= 1e-4, "its end is not as likely as the token that ends it."

    def test_what_joins_is_written_as_by_itself_and_who_leaves_or_fails_disturbs_nobody(self) -> None:
        """Requests that are submitted from many threads at once give the tokens that each gives alone, while some of them leave
        early and one fails: its error is its own; one may have its tokens all at its end. Afterwards the session goes on.

        If this fails: choose each token from its own request's scores and noise, raise what is wrong with a request to whoever
        asked it alone, and take a request whose iterator is closed out of the batch; or leave `Session.submit` as it is.
        """
        from concurrent.futures import ThreadPoolExecutor

        def fail(tokens: Sequence[int]) -> bool:
            raise ZeroDivisionError("this request's own")

        def asked(session: Any, request: Request, number: int) -> list[int] | None:
            if number % 4 == 3:
                with pytest.raises(ZeroDivisionError):
                    list(session.submit(replace(request, ends=fail)))
                return None
            tokens = session.submit(replace(request, at_end=number % 4 == 2))
            found = [next(tokens).id for _ in range(2)] if number % 4 == 1 else [token.id for token in tokens]
            tokens.close() if hasattr(tokens, "close") else None
            return found

        for session, requests in self.each(self.writing()):
            drawn = [replace(one, decoding=one.decoding.model_copy(update={"temperature": 1.5, "seed": 3})) for one in requests]
            every = [*requests, *drawn] * 2
            whole = collect(session, every)
            with ThreadPoolExecutor(len(every)) as pool:
                found = list(pool.map(partial(asked, session), every, range(len(every))))
            for number, (tokens, expected) in enumerate(zip(found, whole, strict=True)):
                if tokens is not None:
                    assert tokens == expected[: len(tokens)], f"request {number}: {tokens} beside others, {expected} alone."
                    assert number % 4 == 1 or len(tokens) == len(expected), f"request {number} has {len(tokens)} tokens."
            assert collect(session, requests) == whole[: len(requests)], "the session does not go on."

    def test_a_session_that_does_not_generate_says_so(self, tmp_path: Path) -> None:
        """Asking for text from an engine that declares no generation is refused.

        If this fails: leave `Session.generate` as it is, or declare "generate".
        """
        if self.has("generate"):
            pytest.skip("the engine declares generation")
        for _, program, _ in self.each(self.programs(tmp_path)):
            session = self.open(program)
            try:
                list(session.generate([Request((1, 2))]))
            except NotSupported:
                continue
            raise AssertionError("the session generated without declaring it.")

    def writing(self) -> Iterator[tuple[Any, list[Request]]]:
        """Give sessions that write, after the prompts of a tiny decoder and from the sources of a tiny encoder-decoder: in
        every form that the engine has. An engine may refuse to convert one of the two.
        """
        from functory.running.backbones import open_backbone

        if not self.has("generate"):
            pytest.skip("the engine declares no generation")
        for backbone in map(open_backbone, ("tiny-decoder", "tiny-encoder-decoder")):
            prompted = ["we saw", "a", "the day was very fine and", "bad"]
            prompts = [tuple(map(int, tokens.ids)) for tokens in backbone.tokenizer.tokens(prompted)]
            requests = [
                Request(ids, Decoding(max_new_tokens=6 + index), tokenizer=backbone.tokenizer)
                for index, ids in enumerate(prompts)
            ]
            for program in self.written_by(backbone):
                session = self.open(program)
                yield session, requests
                session.close()

    def written_by(self, backbone: Any) -> Iterator[Program]:  # Any: a backbone
        """Give the program that writes with a backbone, in each form that the engine has: converted once for all checks."""
        from functory_sdk.torch import Model, structural_copy

        kind, spec = type(self), backbone.spec
        if kind._written.get(spec.reference) is None:
            model = Model(structural_copy(backbone.network), None, spec.ports(), (), spec.points).eval()
            whole = Program("generate", spec.ports(), model=model)
            has_forms = bool(self.load().precisions)
            kind._written[spec.reference] = list(self._written_forms(whole, spec.reference)) if has_forms else [whole]
        yield from kind._written[spec.reference]

    def _written_forms(self, whole: Program, name: str) -> Iterator[Program]:
        assert self._place is not None, "the checks run in pytest."
        for precision in self.load().precisions:
            place = self._place / f"{name}-{precision}"
            place.mkdir()
            try:
                yield self.engine.convert(whole, place, precision=precision)
            except NotSupported:
                continue


def collect(session: Any, requests: Sequence[Request]) -> list[list[int]]:
    """Return the tokens of each request, those of its first sample."""
    return [some[0]["tokens"].tolist() for some in texts(requests, session.generate(requests))]


class _Falling(Steer):
    """Each token is one or two below that before it."""

    def __call__(self, written: Sequence[int], scores: Any) -> Steered:
        last = written[-1] if written else len(scores)
        may = np.isin(np.arange(len(scores)), [last - 1, last - 2])
        return Steered(np.where(may, scores, -np.inf).astype(np.float32))
