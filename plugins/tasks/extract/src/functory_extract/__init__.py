"""The extraction task: the fields of a model out of a text."""

from functory_extract.task import Extract
from functory_extract.types import Evidence, Extraction, Text
from functory_extract.verb import extract

__all__ = ["Evidence", "Extract", "Extraction", "Text", "extract"]
