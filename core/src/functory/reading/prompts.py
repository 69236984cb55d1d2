"""What stands around the texts of a prompt: a template's own words, or a backbone's chat frame.

Apart from the reader, which puts texts into it: what a text spells never leaves its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from functory.contracts.backbone import BackboneSpec
from functory.contracts.rows import Port
from functory.errors import NotSupported, OptionError
from functory.reading.tokenizer import Ids
from functory.wording.told import told

PLACE = "\ue000message\ue001"
"""Stands for the message while the template is filled; private-use characters, which no template holds."""
SYSTEM = "\ue000system\ue001"
"""Likewise for what a caller tells before the messages."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before, between and after the texts of a prompt.

    :param pieces: one more than there are texts.
    :param fields: what each text is called.
    :param is_chat: a chat template made it: the signs that it spells are signs, and none stand around it.
    """

    pieces: tuple[str, ...] = ("", "")
    fields: tuple[str, ...] = ("prompt",)
    is_chat: bool = False

    def around(self, inner: Frame) -> Frame:
        """Return another frame in the place of this one's text: a template in a message.

        :param inner: one that no chat template made.
        """
        before, after = self.pieces
        first, *between, last = inner.pieces
        return Frame((before + first, *between, last + after), inner.fields, self.is_chat)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as read.

    :param ids: (tokens,) with what stands around its texts.
    :param notes: what the output should say: "cut at 512 tokens".
    """

    ids: Ids
    notes: tuple[str, ...] = ()


def scored_port(spec: BackboneSpec) -> Port:
    """Return the port that says which tokens of a row count, beside those of the backbone: ``scored``, of `Reader.written`."""
    return Port("scored", "int64", ("target" if spec.architecture == "encoder-decoder" else "tokens",), 0)


def template_frame(template: str, fields: Sequence[str], option: str = "prompt") -> Frame:
    """Return the frame of a template that says in braces where texts go: ``{text} It is``.

    :param fields: what may stand in it; braces around anything else are text.
    :param option: what the template is called, for the error.
    :raises OptionError: for a field that has no place, or two.
    """
    names = "|".join(map(re.escape, fields))
    found = re.split(rf"\{{({names})\}}", template)  # words, a field's name, words …
    pieces, named = tuple(found[::2]), tuple(found[1::2])
    wrong = next((field for field in fields if named.count(field) != 1), "")
    if wrong:
        what = f"has no {{{wrong}}}" if wrong not in named else f"has {{{wrong}}} twice"
        example = " ".join(f"{{{field}}}" for field in fields)
        raise OptionError(f"{option} = {template!r} {what}.", do=f"say where the text goes: '{example} It is'.")
    return Frame(pieces, named)


def chat_frame(template: str, system: str = "") -> Frame:
    """Return what a chat template puts before and after a user's message, the beginning of the answer included.

    The message itself never meets the template: what it spells stays text.

    :raises NotSupported: where the template fails, or does not put the message exactly once.
    """
    return turns_frame(template, 1, system)


@lru_cache(maxsize=256)
def turns_frame(template: str, count: int, system: str = "", *, has_system: bool = False) -> Frame:
    """Return what a chat template puts around the messages of a conversation, user and assistant in turns, the last one a user's.

    :param count: how many messages there are.
    :param has_system: whether a text of the caller's is told before them, after `system`: the frame's first, ``system``.
    :raises NotSupported: as `chat_frame` has it.
    """
    places = [PLACE.replace("message", str(index)) for index in range(count)]
    roles = ["user" if (count - index) % 2 else "assistant" for index in range(count)]
    own = "\n\n".join(filter(None, (system, SYSTEM if has_system else "")))
    messages = [{"role": "system", "content": own}] if own else []
    messages += [{"role": role, "content": place} for role, place in zip(roles, places, strict=True)]
    try:
        filled = _compiled(template).render(messages=messages, add_generation_prompt=True)
    except NotSupported:
        raise
    except Exception as error:  # whatever a stranger's template does
        raise NotSupported(
            f"the backbone's chat template failed: {told(error)}", do='use chat = "off", or no system text.'
        ) from error
    pieces, rest = [], filled
    for place in (SYSTEM, *places) if has_system else places:
        before, found, rest = rest.partition(place)
        if not found or place in rest:
            is_alone = count == 1 and not has_system
            what = "put the message once" if is_alone else "put each message once, in their order"
            raise NotSupported(f"the backbone's chat template does not {what}.", do='use chat = "off".')
        pieces.append(before)
    fields = ("prompt",) if count == 1 else tuple(f"turns.{index}" for index in range(count))
    fields = ("system", *fields) if has_system else fields
    return Frame((*pieces, rest), fields, is_chat=True)


@lru_cache(maxsize=16)
def _compiled(template: str) -> Any:  # Any: a jinja2.Template
    try:
        from jinja2.exceptions import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        raise NotSupported("chat templates are filled by jinja2, which is not installed.", do="pip install jinja2.") from error

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.globals["raise_exception"] = refuse  # templates of the hub call it
    return environment.from_string(template)
