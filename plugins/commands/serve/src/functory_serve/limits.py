"""What a server takes on at most: told once, as options, for the command line, the configuration and Python."""

from __future__ import annotations

from pydantic import Field

from functory_sdk import Options


class Limits(Options):
    """What a server takes on at most; beyond it a request is refused, and told so, before anything is computed for it."""

    wait_seconds: float = Field(
        default=2.0, gt=0, le=3600,
        description="How long a request may be expected to wait and run when it comes; of a function that writes, to wait until "
        "its text begins. One more is refused, with the time after which to try again.",
    )  # fmt: skip
    waiting: int = Field(default=4096, ge=1, description="Requests of one function that have no answer yet.")
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=3600,
        description="After how long a request that has no answer is told so, where its client asks for no other time.",
    )  # fmt: skip
    compute_seconds: float = Field(
        default=60.0, gt=0,
        description="After how long one batch is given up as hanging: its requests are told so, and others go on.",
    )  # fmt: skip
    batch_seconds: float = Field(
        default=0.25, gt=0, description="How long one batch may be expected to take: what waits for it is answered after that."
    )
    receive_seconds: float = Field(
        default=10.0, gt=0, description="How long a client may take to send a request's head, or its body."
    )  # fmt: skip
    connections: int = Field(default=800, ge=1, description="Connections at once, of all clients.")
    texts: int = Field(default=64, ge=1, description="Texts of one function that are written together; others wait for them.")
    streams: int = Field(default=32, ge=1, description="Texts of one function that are written for a client each, as they come.")
    explanations: int = Field(default=2, ge=1, description="Outputs of one function that are explained at once.")
    send_seconds: float = Field(default=30.0, gt=0, description="How long a client may take to receive a piece of an answer.")
    body_bytes: int = Field(default=8_000_000, ge=1, description="The longest body of a request.")
    inputs: int = Field(default=1024, ge=1, description="Inputs of one request.")
    text_characters: int = Field(default=1_000_000, ge=1, description="Characters of all texts of one input.")
    input_values: int = Field(default=10_000, ge=1, description="Texts, numbers, lists and objects in one input.")
