"""The types of the end-to-end task: a text, and the graph of its entities and how they are related."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from functory_sdk import Entity, Input, Label, Options, Output, Span, plain
from functory_sdk.spans.types import fitted


class Text(Input):
    """A text whose entities and relations are looked for; it may be empty."""

    text: str = Field(description="The text.")


class Tie(BaseModel):
    """A relation as the data give it."""

    model_config = ConfigDict(frozen=True)

    head: int = Field(ge=0, description="The number of the entity that it goes from, counted from 0.")
    tail: int = Field(ge=0, description="The number of the entity that it goes to.")
    label: Label = Field(description="The relation.")


class RelatedText(Text):
    """A text with its entities and the relations between them."""

    entities: tuple[Span, ...] = Field((), description="The right entities: {start, end, label}.")
    relations: tuple[Tie, ...] = Field((), description="The right relations: {head, tail, label}, numbers of two entities.")

    @field_validator("entities", "relations", mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:  # Any: whatever the data hold
        return plain(given)

    @field_validator("entities", mode="after")
    @classmethod
    def _fit(cls, given: tuple[Span, ...], info: ValidationInfo) -> tuple[Span, ...]:
        """Refuse entities that are no part of the text.

        :raises DataError: naming the span.
        """
        text = info.data.get("text")
        return given if text is None else tuple(fitted(span, text) for span in given)

    @field_validator("relations", mode="after")
    @classmethod
    def _known(cls, given: tuple[Tie, ...], info: ValidationInfo) -> tuple[Tie, ...]:
        """Refuse relations between entities that there are not."""
        count = len(info.data.get("entities", ()))
        for tie in given:
            if max(tie.head, tie.tail) >= count and "entities" in info.data:
                raise ValueError(f"{tie.label!r} goes from entity {tie.head} to {tie.tail}, and there are {count}, from 0")
        return given


class Edge(BaseModel):
    """A relation between two entities, from one to the other."""

    model_config = ConfigDict(frozen=True)

    head: int = Field(description="The number of the node that it goes from, counted from 0.")
    tail: int = Field(description="The number of the node that it goes to.")
    label: str = Field(description="The relation.")
    score: float = Field(description="Its probability between these two, 0 to 1.")


class Graph(Output):
    """The entities of a text, in its order, and how they are related."""

    text: str = Field(description="The text.")
    nodes: tuple[Entity, ...] = Field(description="The entities.")
    edges: tuple[Edge, ...] = Field(description="The relations between them.")

    def in_line(self, top: int = 3) -> str:
        """Each relation with its two entities; the entities alone where there is none."""
        ties = [f"{self.nodes[e.head].text} –{e.label} {e.score:.2f}→ {self.nodes[e.tail].text}" for e in self.edges]
        return "; ".join(ties) or ", ".join(f"{node.text} ({node.label})" for node in self.nodes) or "no entities"

    def drawing(self, columns: int = 100) -> str:
        """Return the graph for a terminal: under the text a line for each relation, from its one entity to the other.

        :param columns: of the terminal; a longer text is not drawn, and its relations are told in words.
        """
        from functory_relation.drawing import in_terminal

        return in_terminal(self, columns)

    def svg(self) -> str:
        """Return the graph as an SVG image: the text in a line, its entities in boxes, an arrow for each relation."""
        from functory_relation.drawing import svg

        return svg(self)

    def _repr_svg_(self) -> str:
        """Show the graph in a notebook."""
        return self.svg()


class GraphOptions(Options):
    """Options of the end-to-end task."""

    threshold: float = Field(0.0, ge=0, le=1, description="The least probability of a relation that is given.")
    reach: int = Field(
        0, ge=0, le=100_000, description="Only entities at most so many characters apart are held against each other; 0 for all."
    )
