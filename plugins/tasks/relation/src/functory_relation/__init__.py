"""The relation task."""

from functory_relation.semeval import SemEval
from functory_relation.sentences import Sentences
from functory_relation.task import Relation
from functory_relation.types import LabelledPlaces, Mark, Places

__all__ = ["LabelledPlaces", "Mark", "Places", "Relation", "SemEval", "Sentences"]
