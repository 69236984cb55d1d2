"""The relation task."""

from functory_relation.graph import Edge, Graph, RelatedText
from functory_relation.graphs import RelationGraph
from functory_relation.semeval import SemEval
from functory_relation.sentences import Sentences
from functory_relation.task import Relation
from functory_relation.types import LabelledPlaces, Mark, Places

__all__ = [
    "Edge", "Graph", "LabelledPlaces", "Mark", "Places", "RelatedText", "Relation", "RelationGraph", "SemEval",
    "Sentences",
]  # fmt: skip
