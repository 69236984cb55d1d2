"""What a face owes: paths of its own, the same outputs as everywhere, refusals that help, and the server's limits kept."""

from __future__ import annotations

from functory_sdk.testing.faces.host import Heard, Question
from functory_sdk.testing.faces.keeping import KeepingChecks
from functory_sdk.testing.faces.refusing import RefusingChecks
from functory_sdk.testing.faces.telling import TellingChecks

__all__ = ["FaceSuite", "Heard", "Question"]


class FaceSuite(TellingChecks, RefusingChecks, KeepingChecks):
    """Inherit it, name the face in `component`, and say in `question` how it is asked for a function's output.

    The face answers in the real server, without sockets: the verb `serve` must be installed (functory-serve). What it tells of
    outputs in another shape than their JSON, `output` reads and `part` says; where its refusals have another sign than the
    status, `outcome` knows it. A face that only shows pages sets `computes = False`.
    """
