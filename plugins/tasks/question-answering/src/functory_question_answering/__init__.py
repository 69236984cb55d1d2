"""The question answering task, and the reader of the files that its data come in."""

from functory_question_answering.squad import SQuAD
from functory_question_answering.task import QuestionAnswering
from functory_question_answering.types import Answer, AnsweredQuestion, Question

__all__ = ["Answer", "AnsweredQuestion", "Question", "QuestionAnswering", "SQuAD"]
