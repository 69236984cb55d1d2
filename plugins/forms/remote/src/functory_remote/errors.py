"""What may go wrong between a program and a server, beside what a function itself refuses, which comes as what it is.

All of it is one kind of error:

    FunctoryError
    └── RemoteError
        ├── Unreachable       nothing answers there, or no more
        ├── OtherServer       what answers is no such server, or one of another version
        ├── RequestRefused    it does not let the request in, or knows no such function (exit code 2)
        ├── ServerBusy        it has more to do than it can, for longer than this program waits
        ├── ServerFailed      the function, or the server, failed
        ├── FunctionChanged   another function is served under the name by now
        └── StreamBroken      a text broke off before it was told why it ended
"""

from __future__ import annotations

from functory_sdk import FunctoryError


class RemoteError(FunctoryError):
    """Something went wrong between this program and a server."""


class Unreachable(RemoteError):
    """Nothing answers, or no more."""


class OtherServer(RemoteError):
    """What answers is no server of functions, or one that speaks otherwise."""


class RequestRefused(RemoteError):
    """The server takes no such request from this client."""

    exit_code = 2


class ServerBusy(RemoteError):
    """The server has more to do than it can do in time."""


class ServerFailed(RemoteError):
    """The function, or the server, failed."""


class FunctionChanged(RemoteError):
    """What is served under the name is another function than the one that was loaded."""


class StreamBroken(RemoteError):
    """A text broke off."""
