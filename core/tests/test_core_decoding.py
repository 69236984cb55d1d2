"""How a text is written: options, the noise that draws, where a text is cut, and what of it can be told by now."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functory.contracts.component import read_options
from functory.contracts.decoding import Decoding, Request, Token, texts
from functory.errors import OptionError
from functory.reading.stopping import Stops


class Letters:
    """Tokens that are bytes."""

    def text(self, tokens: Any) -> str:
        return bytes(tokens).decode("utf-8", "replace")


def stops(*strings: str) -> Stops:
    return Stops(Letters(), strings)  # type: ignore[arg-type]


def test_options_that_contradict_each_other_are_refused_by_name() -> None:
    given: list[tuple[dict[str, Any], str]] = [
        ({"samples": 3}, "samples = 3 is not allowed: at temperature 0 every sample is the same"),
        ({"samples": 3, "beams": 2}, "samples = 3 is not allowed"),
        ({"beams": 2, "temperature": 1}, "beams search for the likeliest text and draw none"),
        ({"stop": ["a", ""]}, "an empty text stands everywhere"),
        ({"max_new_tokens": 0}, "max_new_tokens = 0"),
        ({"temperature": float("nan")}, "temperature = nan"),
        ({"temperature": -1}, "temperature = -1"),
        ({"top_p": 0}, "top_p = 0"),
        ({"repetition_penalty": 5e-324}, "repetition_penalty = 5e-324 is not allowed: .*greater than or equal to 0.01"),
        ({"repetition_penalty": 101}, "repetition_penalty = 101 is not allowed: .*less than or equal to 100"),
    ]
    for options, told in given:
        with pytest.raises(OptionError, match=told):
            read_options(Decoding, options, "the decoding")
    with pytest.raises(OptionError) as caught:
        read_options(Decoding, {"stop": ["stop"] * 1000}, "the decoding")
    assert len(caught.value.what) < 400, "a long value is told in short"
    assert read_options(Decoding, {"samples": 3, "temperature": 1, "stop": "."}, "the decoding").stop == (".",)


def test_noise_hangs_on_seed_prompt_sample_and_step_and_on_nothing_else() -> None:
    request = Request((5, 6), Decoding(seed=1))
    noise = request.noise(0, 0, 50)
    assert np.array_equal(noise, Request((5, 6), Decoding(seed=1, top_k=3)).noise(0, 0, 50))
    others = [request.noise(1, 0, 50), request.noise(0, 1, 50), Request((5, 7), request.decoding).noise(0, 0, 50),
              Request((5, 6), Decoding(seed=2)).noise(0, 0, 50)]  # fmt: skip
    assert all(abs(np.corrcoef(noise, other)[0, 1]) < 0.5 for other in others)
    many = np.concatenate([request.noise(0, step, 1000) for step in range(50)])
    assert abs(many.mean() - 0.5772) < 0.02
    assert abs(many.var() - np.pi**2 / 6) < 0.05


def test_a_text_ends_at_the_first_of_its_stop_strings_whatever_tokens_they_lie_across() -> None:
    one = stops("\n\n", "User:")
    assert one.text(b"Yes.\n\nUser: no") == ("Yes.", True)
    assert one.text(b"Yes.\nUser: no\n\n") == ("Yes.\n", True)
    assert one.text(b"Yes.\n") == ("Yes.\n", False)
    assert (one(b"Yes.\n"), one(b"Yes.\n\n")) == (False, True)


def test_what_may_be_the_beginning_of_a_stop_string_or_half_a_character_is_not_told_yet() -> None:
    one, whole = stops("<stop>", "st!"), "价格<st!".encode()
    told = [one.told(whole[:size]) for size in range(len(whole) + 1)]
    assert told == ["", "", "", "价", "价", "价", "价格", "价格", "价格", "价格", "价格<"]
    assert stops("aab").told(b"xaaa") == "xa"
    assert stops().told(b"abc") == "abc"


def test_the_tokens_of_many_requests_are_gathered_by_request_and_sample() -> None:
    requests = [Request((1,)), Request((2,), Decoding(temperature=1, samples=2, likelihoods=True))]
    tokens = [
        Token(1, 7, 1, None, -0.5, 2.0), Token(0, 3), Token(1, 8, 0, "length", -1.0, 1.0), Token(1, 2, 1, "end", -0.25, 0.5),
    ]  # fmt: skip
    [[first], [second, third]] = texts(requests, tokens)
    assert first["tokens"].tolist() == [3]
    assert "log_probability" not in first
    assert (second["tokens"].tolist(), second["log_probability"].tolist()) == ([8], [-1.0])
    assert (third["tokens"].tolist(), third["log_probability"].tolist()) == ([7], [-0.5, -0.25]), "the end is no part of it"
    assert third["lead"].tolist() == [2.0, 0.5]


def test_a_control_is_said_in_short_and_refuses_what_does_not_go_together() -> None:
    from functory.contracts.controlling import Control

    short = {"must": "sun", "words": "20-30", "characters": 90, "sentences": "2-"}
    said = read_options(Decoding, {"control": short}, "the decoding")
    assert said.control == Control(must=("sun",), words=(20, 30), characters=(0, 90), sentences=(2, None))
    assert read_options(Decoding, said.model_dump(mode="json"), "the decoding") == said
    spelled = read_options(Decoding, {"control": '{"must_not": ["New  York"]}'}, "the decoding")
    assert spelled.control == Control(must_not=("New York",))
    given: list[tuple[dict[str, Any], str]] = [
        ({"control": {"must": "a rose", "must_not": "ROSE"}}, "'a rose' must stand in the text, and 'ROSE'"),
        ({"control": {"words": "9-3"}}, "at least 9 and at most 3 is nothing"),
        ({"control": {"words": True}}, "words"),
        ({"control": {"must": [" "]}}, "an empty text stands everywhere"),
        ({"control": {"words": 3}, "guide": ["yes"]}, "a guide says the whole form of a text"),
    ]
    for options, told in given:
        with pytest.raises(OptionError, match=told):
            read_options(Decoding, options, "the decoding")
