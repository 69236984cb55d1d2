"""Functions that are served elsewhere: `functory.load("http://host/sentiment")` calls them as if they were here."""

from functory_remote.errors import (
    FunctionChanged,
    OtherServer,
    RemoteError,
    RequestRefused,
    ServerBusy,
    ServerFailed,
    StreamBroken,
    Unreachable,
)
from functory_remote.form import RemoteForm
from functory_remote.options import RemoteOptions

__all__ = [
    "FunctionChanged",
    "OtherServer",
    "RemoteError",
    "RemoteForm",
    "RemoteOptions",
    "RequestRefused",
    "ServerBusy",
    "ServerFailed",
    "StreamBroken",
    "Unreachable",
]
