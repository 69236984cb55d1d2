"""The contract of the end-to-end task: a function for entities and one for relations make a graph of a raw text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar

from functory_relation.graph import Edge, Graph, GraphOptions, RelatedText, Text
from functory_relation.relate import relation_of
from functory_sdk import Array, Entity, Judgement, Options, Scorer, State, Tally, Task, told


class RelationGraph(Task[GraphOptions]):
    """Finds the entities of a text and how they are related, by a function for each."""

    Options: ClassVar[type[Options]] = GraphOptions
    Input: ClassVar = Text
    Output: ClassVar = Graph
    Example: ClassVar = RelatedText
    parts: ClassVar[Mapping[str, str]] = {"entities": "ner", "relations": "relation"}
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "文本"),
        "entities": ("entities", "spans", "ents"),
        "relations": ("relations", "links", "关系"),
    }
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = {
        "f1": "the F1 of relations: right where the relation is, its direction, and both entities with ends and types",
        "precision": "how many of the relations that were given are right",
        "recall": "how many of those that are there were given",
        "boundary_f1": "the F1 of relations whose entities need the right ends alone, whatever their types",
        "entity_f1": "the F1 of entities, with ends and types",
    }
    examples: ClassVar[tuple[str, ...]] = ('functory run facts "Ann Lee lives in Rome." --json',)

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Text]) -> list[Graph]:
        texts = [value.text for value in inputs]
        found = list(parts["entities"].map(texts, progress=False))
        pairs = [(place, *pair) for place, one in enumerate(found) for pair in self._pairs(one.entities)]
        asked = [
            {"text": texts[place], "head": [one.start, one.end], "tail": [other.start, other.end]}
            for place, one, other in pairs
        ]
        answers = list(parts["relations"].map(asked, progress=False)) if asked else []
        ties: list[list[tuple[Any, Any, Any]]] = [[] for _ in texts]
        for (place, one, other), answer in zip(pairs, answers, strict=True):
            ties[place].append((one, other, answer))
        return [self._graph(*each) for each in zip(texts, found, ties, strict=True)]

    def _pairs(self, entities: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return each two entities that are held against each other, in the order of the text."""
        ordered = sorted(entities, key=lambda entity: (entity.start, entity.end))
        apart = [(one, other) for one, other in combinations(ordered, 2) if other.start >= one.end]
        reach = self.options.reach
        return [(one, other) for one, other in apart if not reach or other.start - one.end <= reach]

    def _graph(self, text: str, found: Any, ties: Sequence[tuple[Any, Any, Any]]) -> Graph:
        """Return one text's graph."""
        nodes = tuple(Entity(text=e.text, label=e.label, start=e.start, end=e.end, score=e.score) for e in found.entities)
        number = {entity: place for place, entity in enumerate(found.entities)}
        edges, notes = [], list(found.notes)
        for one, other, answer in ties:
            if answer.relation is None or answer.score < self.options.threshold:
                continue
            name, is_turned = relation_of(answer.label)
            head, tail = (other, one) if is_turned else (one, other)
            edges.append(Edge(head=number[head], tail=number[tail], label=name, score=answer.score))
            notes += answer.notes
        return Graph(text=text, nodes=nodes, edges=tuple(edges), notes=tuple(dict.fromkeys(notes)))

    def explained(self, output: Graph) -> dict[str, float]:
        """Each relation with its two entities, then each entity."""
        nodes = output.nodes
        ties = {f"{nodes[e.head].text} –{e.label}→ {nodes[e.tail].text}": e.score for e in output.edges}
        return ties | {f"{node.text} ({node.label})": node.score for node in nodes}

    def scorer(self, outputs: Sequence[Graph], examples: Sequence[RelatedText], state: State) -> Scorer:
        strict, loose = (_tally(_ties(outputs, typed), _truth(examples, typed)) for typed in (True, False))
        entities = _tally(
            [{_key(node, True): node.label for node in one.nodes} for one in outputs],
            [{_key(span, True): span.label for span in one.entities} for one in examples],
        )

        def score(indices: Array) -> Mapping[str, float]:
            rates = strict.together(indices)
            return {
                "f1": float(rates.f1),
                "precision": float(rates.precision),
                "recall": float(rates.recall),
                "boundary_f1": float(loose.together(indices).f1),
                "entity_f1": float(entities.together(indices).f1),
            }

        return score

    def breakdown(self, outputs: Sequence[Graph], examples: Sequence[RelatedText], state: State) -> Mapping[str, Any]:
        """Return precision, recall, F1 and support of each relation."""
        said, true = _ties(outputs, True), _truth(examples, True)
        return {"per_class": _tally(said, true).rows(_names(said, true))}

    def baseline(self, examples: Sequence[RelatedText], state: State) -> list[Graph]:
        """No entities at all."""
        return [Graph(text=example.text, nodes=(), edges=()) for example in examples]

    def judge(self, output: Graph, example: RelatedText, state: State) -> Judgement:
        """The relations in words; how sure it was is the least of their probabilities."""
        nodes, spans = output.nodes, example.entities
        given = tuple(f"{nodes[e.head].text} –{e.label}→ {nodes[e.tail].text}" for e in output.edges)
        text = example.text
        wanted = tuple(
            f"{text[spans[t.head].start : spans[t.head].end]} –{t.label}→ {text[spans[t.tail].start : spans[t.tail].end]}"
            for t in example.relations
        )
        [said], [true] = _ties([output], True), _truth([example], True)
        sure = min((edge.score for edge in output.edges), default=None)
        return Judgement(told(given), told(wanted), said.keys() == true.keys(), sure, given, wanted)

    def golden_inputs(self, state: State) -> list[Text]:
        return [Text(text=text) for text in ("Ann Lee lives in Rome.", "", "小明住在北京。", "Nobody is named here 👩‍🔬.")]


def _key(entity: Any, typed: bool) -> tuple[Any, ...]:
    return (entity.start, entity.end, entity.label) if typed else (entity.start, entity.end)


def _ties(outputs: Sequence[Graph], typed: bool) -> list[dict[Any, str]]:
    """Return each graph's relations: both entities and the relation → its name."""
    return [
        {(_key(one.nodes[e.head], typed), _key(one.nodes[e.tail], typed), e.label): e.label for e in one.edges}
        for one in outputs
    ]


def _truth(examples: Sequence[RelatedText], typed: bool) -> list[dict[Any, str]]:
    return [
        {(_key(one.entities[t.head], typed), _key(one.entities[t.tail], typed), t.label): t.label for t in one.relations}
        for one in examples
    ]


def _tally(said: Sequence[Mapping[Any, str]], true: Sequence[Mapping[Any, str]]) -> Tally:
    """Return the counts of what was said, of what is true, and of what is both."""
    place = {name: index for index, name in enumerate(_names(said, true))}
    both = [[place[one[key]] for key in one if key in other] for one, other in zip(said, true, strict=True)]
    given, wanted = ([[place[name] for name in one.values()] for one in some] for some in (said, true))
    return Tally(both, given, wanted, len(place))


def _names(said: Sequence[Mapping[Any, str]], true: Sequence[Mapping[Any, str]]) -> list[str]:
    """Return the names that stand anywhere, the commonest first."""
    counts = Counter(name for some in (true, said) for one in some for name in one.values())
    return [name for name, _ in counts.most_common()]
