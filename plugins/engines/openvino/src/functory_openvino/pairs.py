"""Opens the graphs of an encoder-decoder: one reads sources, one the next token of what is written after them. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino as ov

from functory_sdk import ArtefactCorrupt, message_of

SOURCES, STEP, FACTS = "sources.xml", "model.xml", "pair.json"
GIVEN = ("ids", "mask", "source_mask")
"""What a step reads besides what is stored, all int64: a new token of each text, (rows, 1); which places are real, of those that
are stored and of the new one, (rows, stored + 1), and of the sources', (rows, source)."""
NEW = "new."
"""What a step adds to an array is called as the array, after this."""

Sizes = Mapping[str, tuple[int, int]]
"""Arrays of what is stored, (rows, heads, places, width), by their names: heads and width."""


@dataclass(frozen=True)
class PairFacts:
    """What is known of the graphs besides themselves.

    :param vocabulary: how many tokens have a score.
    :param start: the token that stands before every text.
    :param texts: what is stored of texts.
    :param sources: what is stored of their sources.
    """

    vocabulary: int
    start: int
    texts: Sizes
    sources: Sizes

    @classmethod
    def read(cls, file: Path) -> PairFacts:
        """Return what `sources.convert` wrote.

        :raises ArtefactCorrupt: where the file does not say it.
        """
        try:
            told = json.loads(file.read_text("utf-8"))
            texts, sources = (
                {str(name): (int(heads), int(width)) for name, (heads, width) in told[kind].items()}
                for kind in ("texts", "sources")
            )
            found = cls(int(told["vocabulary"]), int(told["start"]), texts, sources)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unsaid(message_of(error), file) from error
        if not texts or not sources or any(size < 1 for sizes in (*texts.values(), *sources.values()) for size in sizes):
            raise _unsaid(f"no such sizes: {texts}, {sources}", file)
        return found


def _unsaid(why: str, file: Path) -> ArtefactCorrupt:
    return ArtefactCorrupt(
        f"it does not say what the graphs are: {why}", where=str(file), do="get a fresh copy, or convert the function again."
    )


@dataclass(frozen=True)
class Pair:
    """The two graphs, ready to run."""

    facts: PairFacts
    sources: Any  # Any: an openvino CompiledModel
    step: Any


def opened(folder: Path, device: str, settings: Mapping[str, Any]) -> Pair:
    """Return the graphs of a folder.

    :raises ArtefactCorrupt: when OpenVINO cannot read them, or they are not what the facts say.
    """
    facts = PairFacts.read(folder / FACTS)
    sources, step = (_compiled(folder / name, device, settings) for name in (SOURCES, STEP))
    wanted = {*GIVEN, *facts.texts, *facts.sources}, set(facts.sources), {"scores", *(NEW + name for name in facts.texts)}
    found = _names(step.inputs), _names(sources.outputs), _names(step.outputs)
    if any(needed != there for needed, there in zip(wanted, found, strict=True)):
        raise ArtefactCorrupt(
            "the graphs have other inputs and outputs than are told of them.", where=str(folder),
            do="get a fresh copy, or convert the function again.",
        )  # fmt: skip
    return Pair(facts, sources, step)


def _names(ports: Any) -> set[str]:  # Any: openvino's
    return {name for port in ports for name in port.get_names()}


def _compiled(graph: Path, device: str, settings: Mapping[str, Any]) -> Any:  # Any: an openvino CompiledModel
    core = ov.Core()
    try:
        return core.compile_model(core.read_model(graph), device, dict(settings))
    except Exception as error:
        raise ArtefactCorrupt(
            f"OpenVINO cannot open the graph: {message_of(error)}", where=str(graph),
            do="get a fresh copy, or convert the function again.",
        ) from error  # fmt: skip
