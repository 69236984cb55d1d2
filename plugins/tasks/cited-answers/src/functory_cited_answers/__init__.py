"""Answers with their sources: from passages that are given, or that a search finds."""

from functory_cited_answers.searching import SearchedAnswers
from functory_cited_answers.task import CitedAnswers
from functory_cited_answers.types import Answered, Asked, Citation, CitedAnswer

__all__ = ["Answered", "Asked", "Citation", "CitedAnswer", "CitedAnswers", "SearchedAnswers"]
