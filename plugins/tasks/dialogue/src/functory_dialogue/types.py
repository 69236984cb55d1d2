"""The types that callers meet: a conversation, one with its next turn, the options. What is written is the SDK's `Written`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from functory_sdk import Input, WriteOptions

ROLES = ("user", "assistant")


class DialogueOptions(WriteOptions):
    """Options of dialogue: the persona is `system`, which a chat template tells; else it stands before the first turn."""

    most_turns: int = Field(
        default=0, ge=0, le=10_000, description="The last turns, so many at most, are read; as many as there is room for when 0."
    )
    names: tuple[str, str] = Field(
        default=("User", "Assistant"),
        description="What the two are called where the backbone has no chat template: their turns are lines that begin so.",
    )

    @field_validator("names")
    @classmethod
    def _told_apart(cls, names: tuple[str, str]) -> tuple[str, str]:
        if not all(name.strip() and "\n" not in name for name in names) or names[0] == names[1]:
            raise ValueError("two different names are wanted, each in one line")
        return names


def turned(value: Any) -> Any:  # Any: what a caller gives
    """Return a text as one turn, and what messages say, whose roles take turns, as turns; all else as it is.

    :raises ValueError: where they do not, or where one is neither user's nor assistant's.
    """
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, Mapping) for one in value):
        return value
    roles = [one.get("role") for one in value]
    strange = next((role for role in roles if role not in ROLES), None)
    if strange is not None:
        what = f"the role {strange!r} is neither user nor assistant"
        raise ValueError(f"{what}; what is told before the turns is the field `system`")
    if any(one == other for one, other in pairwise(roles)):
        raise ValueError("user and assistant do not take turns")
    return tuple(one.get("content") for one in value)


class Conversation(Input):
    """A conversation so far."""

    turns: Annotated[tuple[str, ...], BeforeValidator(turned)] = Field(
        min_length=1, max_length=10_000,
        description="The turns of two who speak in turns; the last one is answered. One text is one turn; messages with role and "
        "content are taken too.",
    )  # fmt: skip
    system: str = Field(default="", description="Told before the first turn, after the function's own persona.")


class Replied(Conversation):
    """A conversation with the turn that came next."""

    reply: str = Field(default="", description="The next turn; where it is left out, the last of the turns is it.")

    @model_validator(mode="before")
    @classmethod
    def _parted(cls, data: Any) -> Any:  # Any: what a row holds
        if not isinstance(data, Mapping) or data.get("reply") not in (None, ""):
            return data
        turns = turned(data.get("turns"))
        if not isinstance(turns, list | tuple) or len(turns) < 2:
            raise ValueError("reply is missing, and the turns are too few for the last one to be it")
        return {**data, "turns": tuple(turns[:-1]), "reply": turns[-1]}
