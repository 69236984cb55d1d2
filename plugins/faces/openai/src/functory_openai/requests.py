"""What a request says, field by field: what is held, what says nothing of the answer, and what is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator

from functory_sdk import InputError, OptionError, Options, read_options

O = TypeVar("O", bound=Options)  # noqa: E741 - as everywhere
MOST = 128
"""Answers to one prompt at most."""

SILENT = frozenset({
    "metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier", "user",
})  # fmt: skip
"""Fields that say who asks, or how the answer is kept, and nothing of the answer itself: they are read over."""
NEUTRAL: dict[str, tuple[tuple[Any, ...], str]] = {
    "best_of": ((1,), "ask for n answers and logprobs, and choose."),
    "echo": ((False,), "put the prompt before the answer yourself."),
    "frequency_penalty": ((0,), "repetition_penalty = 1.1 is held here."),
    "presence_penalty": ((0,), "repetition_penalty = 1.1 is held here."),
    "logit_bias": (({},), "say what the text must be by response_format."),
    "modalities": ((["text"],), "ask for text."),
    "moderation": ((), "leave it out."),
    "audio": ((), "ask for text."),
    "prediction": ((), "leave it out."),
    "web_search_options": ((), "leave it out."),
    "reasoning_effort": (("none",), "leave it out."),
    "verbosity": (("medium",), "say it in a message."),
    "service_tier": (("auto", "default"), "leave it out."),
    "store": ((False,), "keep the answer yourself: nothing is kept here."),
    "suffix": (("",), "leave it out."),
    "top_logprobs": ((0,), "logprobs tells the tokens that were written, and no others."),
    "functions": (([],), "say it as tools."),
    "function_call": (("none",), "say it as tool_choice."),
}
"""Fields that are not held here: the values that change nothing, which are taken, and what to do in place of others."""


class StreamOptions(Options):
    """How an answer is streamed."""

    include_usage: StrictBool = Field(default=False, description="Whether the last event says how many tokens there were.")
    include_obfuscation: StrictBool = Field(
        default=False, json_schema_extra={"const": False}, description="Whether events are padded: they are not."
    )

    @field_validator("include_obfuscation")
    @classmethod
    def _plain(cls, said: bool) -> bool:
        if said:
            raise ValueError("events are not padded here; leave it out")
        return said


DECODING = (
    "temperature", "top_p", "seed", "stop", "top_k", "min_p", "repetition_penalty", "beams", "length_penalty", "guide", "control",
)  # fmt: skip
"""Fields that are a decoding's own, by the same names; the first four are OpenAI's too."""


class Writing(Options):
    """What requests for texts have in common. What is out of range says the decoding, which these fields are handed to."""

    model: StrictStr = Field(description="The function, by the name under which it is served.")
    stream: StrictBool = Field(default=False, description="Whether the text comes as it is written, as server-sent events.")
    stream_options: StreamOptions | None = Field(default=None, description="How it is streamed.")
    n: StrictInt = Field(default=1, ge=1, le=MOST, description="How many answers; each has the seed after the one before.")
    max_tokens: StrictInt | None = Field(default=None, description="How many tokens are written at most.")
    stop: StrictStr | list[StrictStr] | None = Field(default=None, description="Texts at which it ends.")
    temperature: StrictFloat | None = Field(default=None, description="0 takes the likeliest token each time.")
    top_p: StrictFloat | None = Field(default=None, description="Draw among the likeliest tokens of this probability together.")
    seed: StrictInt | None = Field(default=None, description="Decides what is drawn.")
    top_k: StrictInt | None = Field(default=None, description="Draw among so many of the likeliest tokens.")
    min_p: StrictFloat | None = Field(
        default=None, description="Draw among tokens at least this part as probable as the likeliest."
    )
    repetition_penalty: StrictFloat | None = Field(
        default=None, description="Above 1, tokens that were there become less likely."
    )
    beams: StrictInt | None = Field(default=None, description="Above 1, so many beginnings are followed at once.")
    length_penalty: StrictFloat | None = Field(default=None, description="Of beams: above 0 favours long texts.")
    guide: dict[str, Any] | list[StrictStr] | None = Field(
        default=None,
        description='What the text must be: {"regex": "…"}, a list of choices, {"grammar": "…"}, {"json_schema": …}.',
    )
    control: dict[str, Any] | None = Field(
        default=None, description='What it holds and does not hold, and how long it is: {"must": ["sun"], "words": "20-30"}.'
    )

    def decoding(self) -> dict[str, Any]:
        """Return how the text is written, as `Function.using` takes it: what is not said stays the function's own.

        :raises OptionError: for a classifier that a text is steered by: which there are, nobody outside says.
        """
        if "toward" in (self.control or {}):
            do = "build the function with it, or leave it out."
            raise OptionError("control.toward is not taken from a request.", where="control.toward", do=do, field="control")
        said = {name: value for name in DECODING if (value := getattr(self, name)) is not None}
        return said if self.max_tokens is None else {**said, "max_new_tokens": self.max_tokens}

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with the number of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage


class Completing(Writing):
    """A request for the texts that go with prompts."""

    prompt: StrictStr | list[StrictStr] = Field(description="The prompt, or several, each with answers of its own.")
    logprobs: StrictInt | None = Field(
        default=None, ge=0, le=0, description="0 tells how likely each token is that was written; of others nothing is told."
    )


class Chatting(Writing):
    """A request for the next message of a conversation."""

    messages: list[dict[str, Any]] = Field(min_length=1, description="The conversation so far.")
    max_completion_tokens: StrictInt | None = Field(default=None, description="As max_tokens.")
    logprobs: StrictBool = Field(default=False, description="Whether it is told how likely each token is that was written.")
    response_format: dict[str, Any] | None = Field(default=None, description="What the text must be: json_schema …")
    tools: list[dict[str, Any]] = Field(default=[], description="Functions that may be called.")
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = Field(default=None, description="Which is called.")
    parallel_tool_calls: StrictBool = Field(default=True, description="Whether several may be called at once; one is.")

    def decoding(self) -> dict[str, Any]:
        """Return how the text is written, likewise.

        :raises OptionError: likewise, and where two fields say otherwise how many tokens there may be.
        """
        most, other = self.max_completion_tokens, self.max_tokens
        if most is not None and other is not None and most != other:
            what = f"max_tokens is {other}, and max_completion_tokens {most}."
            raise OptionError(what, where="max_tokens", do="say one of them.", field="max_tokens")
        return super().decoding() if most is None else {**super().decoding(), "max_new_tokens": most}


class Embedding(Options):
    """A request for vectors."""

    model: StrictStr = Field(description="The function, by the name under which it is served.")
    input: StrictStr | list[StrictStr] = Field(description="The text, or several.")
    dimensions: StrictInt | None = Field(default=None, ge=1, description="How many of a vector's first numbers are given.")
    encoding_format: Literal["float", "base64"] = Field(default="float", description="How numbers are written.")


def read(kind: type[O], body: Any) -> O:  # Any: JSON
    """Return a request as its fields say; nulls are fields that are not there.

    :raises InputError: for what is no object.
    :raises OptionError: for a field that is not known or not held, and a value that is none.
    """
    if not isinstance(body, Mapping):
        raise InputError("the request is no JSON object.", do='send {"model": …, …}.')
    said = {name: value for name, value in body.items() if value is not None and name not in SILENT}
    for name, (taken, do) in NEUTRAL.items():
        if name not in said or name in kind.model_fields:
            continue
        value = said.pop(name)
        if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in taken):
            raise OptionError(f"{name} is not held here.", where=name, do=do, field=name)
    return read_options(kind, said, "the request")
