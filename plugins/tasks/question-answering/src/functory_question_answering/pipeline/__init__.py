"""``question-answering``, as transformers 4 had it, for programs that import `functory.compat.pipeline`."""

from functory_question_answering.pipeline.answering import QuestionAnsweringPipeline, pipeline

__all__ = ["QuestionAnsweringPipeline", "pipeline"]
