"""Annotated sentences, each with its entities and their relations, as CoNLL04 has them → a row for each two of the entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import DataError, DataFile, DataReader, Fault, Options, Record, load, message_of

WANTED = "give text, entities [{start, end, label}] and relations [{head, tail, label}], head and tail from 0."


class SentenceOptions(Options):
    """Options of the reader of annotated sentences."""

    nothing: str = Field("none", description="The label of two entities that are not related.")


class Sentences(DataReader[SentenceOptions]):
    """JSON Lines with text, entities and relations between them; a row for each two entities.

    An entity is ``{"start", "end", "label"}`` in characters of the text, or in words where the row holds ``tokens``; a relation
    ``{"head", "tail", "label"}``, the numbers of two entities. Only asked for by its name: such files are data for entities too.
    """

    Options: ClassVar[type[Options]] = SentenceOptions
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task relation --train conll04.jsonl --format entities-and-relations --backbone minilm",
    )

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for row in load("readers", "jsonl")().read(file):
            if isinstance(row, Fault):
                yield row
                continue
            try:
                yield from (Record(values, row.where) for values in self._pairs(row.values))
            except DataError as error:
                yield Fault(error.what, 0, row.where, do=error.do)
            except KeyError as error:
                yield Fault(f"the row is no annotated sentence: it has no {error}", 0, row.where, do=WANTED)
            except (TypeError, IndexError, ValueError, AttributeError) as error:
                yield Fault(f"the row is no annotated sentence: {message_of(error)}", 0, row.where, do=WANTED)

    def _pairs(self, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give each two entities in the order of the text, with their relation and its direction."""
        text, entities = _text(row), _entities(row)
        related: dict[tuple[int, int], str] = {}
        for one in row["relations"]:
            related[int(one["head"]), int(one["tail"])] = one["label"] if "label" in one else one["type"]
        if any(not 0 <= place < len(entities) for pair in related for place in pair):
            raise DataError("a relation names an entity that there is not", do=WANTED)
        order = sorted(range(len(entities)), key=lambda place: entities[place])
        for one, other in combinations(order, 2):
            if entities[other][0] < entities[one][1]:
                continue  # one lies in the other
            label = self.options.nothing
            if (one, other) in related:
                label = f"{related[one, other]}(e1,e2)"
            elif (other, one) in related:
                label = f"{related[other, one]}(e2,e1)"
            yield {"text": text, "head": list(entities[one]), "tail": list(entities[other]), "label": label}


def _text(row: Mapping[str, Any]) -> str:
    text = row["text"] if "text" in row else " ".join(row["tokens"])
    if not isinstance(text, str):
        raise DataError("the text is none", do=WANTED)
    return text


def _entities(row: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return where each entity stands, in characters."""
    found = [(int(one["start"]), int(one["end"])) for one in row["entities"]]
    if "text" in row:
        return found
    starts = [0]
    for token in row["tokens"]:
        starts.append(starts[-1] + len(token) + 1)
    return [(starts[start], starts[end] - 1) for start, end in found]
