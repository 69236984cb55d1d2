"""What annotation tools export: texts with labels, and texts with spans."""

from functory_annotations.doccano import Doccano
from functory_annotations.label_studio import LabelStudio
from functory_annotations.prodigy import Prodigy
from functory_annotations.spacy import SpaCy

__all__ = ["Doccano", "LabelStudio", "Prodigy", "SpaCy"]
