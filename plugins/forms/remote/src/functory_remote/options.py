"""How a function that is served elsewhere is reached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from functory_sdk import Options, read_options

TOKEN = "FUNCTORY_TOKEN"
"""The environment variable that holds the token where none is given."""


class RemoteOptions(Options):
    """How a function that is served elsewhere is reached."""

    token: str = Field(
        default="", pattern="^[!-~]*$", repr=False, max_length=4096,
        description=f"The word that the server lets its clients in by; what ${TOKEN} says when not given.",
    )  # fmt: skip
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=3600, description="How long one request may take, which the server is told too."
    )
    patience_seconds: float = Field(
        default=60.0, ge=0, le=86_400,
        description="For how long a request is tried again where the server has too much to do, each time after what its "
        "Retry-After says.",
    )  # fmt: skip
    connections: int = Field(default=4, ge=1, le=256, description="Requests that `map` has under way at once.")
    batch: int = Field(default=64, ge=1, le=1024, description="Inputs of one request.")


def options_of(given: Mapping[str, Any]) -> RemoteOptions:
    """Return the options that a caller gives, with the token that the environment has.

    :raises OptionError: for an unknown one, a wrong type or a value out of range.
    """
    return read_options(RemoteOptions, {"token": os.environ.get(TOKEN, ""), **given}, "a function that is served elsewhere")
