"""The summarization task."""

from functory_summarization.task import Summarization
from functory_summarization.types import Excerpt, Summarised, Summary, SummaryOptions, Text
from functory_summarization.verb import summarize

__all__ = ["Excerpt", "Summarised", "Summarization", "Summary", "SummaryOptions", "Text", "summarize"]
