"""How an engine generates: the same text alone and in any batch, to where it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.contracts.rows import Program, Request
from functory.errors import NotSupported
from functory_sdk.testing.engines.programs import EngineChecks


class WritingChecks(EngineChecks):
    """A text is the same in any company."""

    def test_generation_is_the_same_alone_and_in_any_batch(self) -> None:
        """Requests of unequal prompts and lengths give in one call the tokens that each gives alone, at its own index.

        If this fails: pad prompts on the left or mask them, count positions without padding, and give back the index
        of the request, not of the batch.
        """
        for session, requests in self.each(self.writing()):
            together = collect(session, requests)
            for index, request in enumerate(requests):
                [alone] = collect(session, [request])
                assert alone == together[index], f"request {index}: {alone} alone, {together[index]} in a batch."
                assert len(alone) <= request.max_new_tokens, f"request {index} has {len(alone)} tokens."
            backwards = collect(session, requests[::-1])[::-1]
            assert backwards == together, "the order of the requests changes what is written."

    def test_generation_stops_where_it_is_told(self) -> None:
        """A stop token ends its request alone, and is not given back.

        If this fails: look at the token before it is given, request by request.
        """
        for session, requests in self.each(self.writing()):
            free = collect(session, requests)
            stop = free[0][2]
            told = [Request(one.ids, one.max_new_tokens, frozenset({stop})) for one in requests]
            for index, (written, whole) in enumerate(zip(collect(session, told), free, strict=True)):
                expected = whole[: whole.index(stop)] if stop in whole else whole
                assert written == expected, f"request {index}: {written}, stopped at {stop}; without stop {whole}."

    def test_the_likelihood_of_a_text_is_what_its_writing_saw(self) -> None:
        """The log-probability of a written text: the same alone and in any batch, no other token likelier at its place,
        and that of its end where it stopped early.

        If this fails: the score of a token stands one place before it; mask the padding, and leave nothing of the prompt.
        """
        for session, requests in self.each(self.writing()):
            texts = collect(session, requests)
            likely = session.likelihood(requests, texts)
            for index, (request, text) in enumerate(zip(requests, texts, strict=True)):
                assert np.shape(likely[index]) == (len(text),), f"request {index}: {np.shape(likely[index])}."
                off = float(np.abs(session.likelihood([request], [text])[0] - likely[index]).max())
                assert off <= 1e-4, f"request {index}: a batch changes its log-probabilities by {off:.2g}."
                for place, token in enumerate(text):
                    other = session.likelihood([request], [[*text[:place], token - 1 if token else 1]])[0][place]
                    assert other <= likely[index][place] + 1e-4, f"request {index}: token {place} was not the likeliest."
            stopping = Request(requests[0].ids, requests[0].max_new_tokens, frozenset({texts[0][2]}))
            [early] = session.likelihood([stopping], [texts[0][:2]])
            assert np.shape(early) == (3,), "a text that stopped early has no log-probability of its end."
            assert float(np.abs(early - likely[0][:3]).max()) <= 1e-4, "its end is not as likely as the token that ends it."

    def test_a_session_that_does_not_generate_says_so(self, tmp_path: Path) -> None:
        """Asking for text from an engine that declares no generation is refused.

        If this fails: leave `Session.generate` as it is, or declare "generate".
        """
        if self.has("generate"):
            pytest.skip("the engine declares generation")
        for _, program, _ in self.each(self.programs(tmp_path)):
            session = self.open(program)
            try:
                list(session.generate([Request((1, 2), 2)]))
            except NotSupported:
                continue
            raise AssertionError("the session generated without declaring it.")

    def writing(self) -> Iterator[tuple[Any, list[Request]]]:
        """Give sessions that write, after the prompts of a tiny decoder and from the sources of a tiny encoder-decoder."""
        from functory.running.backbones import open_backbone

        if not self.has("generate"):
            pytest.skip("the engine declares no generation")
        from functory_sdk.torch import Model, structural_copy

        for backbone in map(open_backbone, ("tiny-decoder", "tiny-encoder-decoder")):
            network, spec = structural_copy(backbone.network), backbone.spec
            model = Model(network, None, spec.ports(), (), spec.points).eval()
            session = self.open(Program("generate", spec.ports(), model=model))
            texts = ["we saw", "a", "the day was very fine and", "bad"]
            prompts = [tuple(map(int, tokens.ids)) for tokens in backbone.tokenizer.tokens(texts)]
            yield session, [Request(ids, 6 + index) for index, ids in enumerate(prompts)]
            session.close()


def collect(session: Any, requests: Sequence[Request]) -> list[list[int]]:
    """Return the tokens of each request."""
    written: list[list[int]] = [[] for _ in requests]
    for index, token in session.generate(requests):
        written[index].append(int(token))
    return written
