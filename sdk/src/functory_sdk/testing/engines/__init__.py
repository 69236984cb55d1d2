"""What an engine owes: every ability that it declares, honoured; every one that it does not, refused with a reason."""

from __future__ import annotations

from functory_sdk.testing.engines.converting import ConvertingChecks
from functory_sdk.testing.engines.running import RunningChecks
from functory_sdk.testing.engines.training import TrainingChecks
from functory_sdk.testing.engines.writing import WritingChecks


class EngineSuite(RunningChecks, ConvertingChecks, WritingChecks, TrainingChecks):
    """Inherit it, and name the engine in `component`.

    Programs are made from a tiny encoder with a toy head, by the engine itself where it trains, else by `reference`.
    """
