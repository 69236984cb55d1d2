"""Put a message into a backbone's chat template, so that no message can leave its place."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from functory.contracts.rows import Array
from functory.errors import NotSupported
from functory.reading.tokenizer import Tokenizer
from functory.wording.told import told

PLACE = "\ue000message\ue001"
"""Stands for the message while the template is filled; private-use characters, which no template holds."""


def frame(template: str, system: str) -> tuple[str, str]:
    """Return what the template puts before and after a user's message, the beginning of the answer included.

    The message itself never meets the template: what it spells stays text.

    :raises NotSupported: where the template fails, or does not put the message exactly once.
    """
    messages = [{"role": "system", "content": system}] if system else []
    try:
        filled = _compiled(template).render(messages=[*messages, {"role": "user", "content": PLACE}], add_generation_prompt=True)
    except NotSupported:
        raise
    except Exception as error:  # whatever a stranger's template does
        raise NotSupported(
            f"the backbone's chat template failed: {told(error)}", do='use chat = "off", or no system text.'
        ) from error
    before, found, after = filled.partition(PLACE)
    if not found or PLACE in after:
        raise NotSupported("the backbone's chat template does not put the message once.", do='use chat = "off".')
    return before, after


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


def ids(tokenizer: Tokenizer, before: str, after: str) -> tuple[Array, Array]:
    """Return the tokens of a frame; its special tokens are special."""
    head, tail = tokenizer.tokens([before, after], reads_special=True)
    return np.asarray(head.ids), np.asarray(tail.ids)
