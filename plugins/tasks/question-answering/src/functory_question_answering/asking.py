"""Answers by asking: a backbone that writes is asked, and held to a stretch of the context, or to saying that there is none.

Apart from `spans`, which scores tokens and has to be trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functory_question_answering.types import Answer, AnsweredQuestion, AnsweringOptions, Answers, Stretch
from functory_sdk import BackboneSpec, Guide, Held, Reader, Said, TooLong, located, places_of, run_rule, spelled

NOTHING = "no answer"
"""What is written where the context does not say it."""
PROMPT = (
    "Answer each question with a few words of its text, as they stand there.{nothing}\n\n"
    "{examples}Text: {context}\nQuestion: {question}\nAnswer:"
)
"""The prompt; {nothing} says what to write where there is no answer, where that may be."""


@dataclass(frozen=True)
class Excerpt:
    """A question with a part of its context; of an example with the answers that the part holds.

    :param start: the part's first character in the context.
    """

    question: str
    context: str
    start: int
    answers: tuple[str, ...] = ()


class Asking(Held):
    """A request for each part of the context; of their answers the likeliest is taken.

    :param options: the task's.
    :param spec: the backbone's facts.
    """

    def __init__(self, options: AnsweringOptions, spec: BackboneSpec) -> None:
        super().__init__(options.write, spec, options.prompt or PROMPT, AnsweredQuestion)
        self._told, self._longest = options.answers, options.longest

    def before(self, state: Answers) -> str:
        return self._before.replace("{nothing}", f" Write {NOTHING!r} where it does not say it." if state.may_lack else "")

    def fields_of(self, value: Any) -> Mapping[str, str]:
        return {"context": value.context, "question": value.question}

    def parts(self, value: Any, reader: Reader, state: Answers) -> tuple[list[Excerpt], tuple[str, ...]]:
        """Return the parts of a context that is too long.

        :raises TooLong: where it is, and the rule is "refuse".
        """
        golds = getattr(value, "answers", ())
        whole = Excerpt(value.question, value.context, 0, tuple(gold.text for gold in golds))
        if not value.context.strip():
            return [], ("the context has nothing to read",)
        if reader.long_text == "cut":
            return [whole], ()
        [asked] = reader.tokenizer.tokens([value.question])
        room = self.room(Excerpt(value.question, "", 0), reader, state) - len(asked)
        places = located(value.context, reader.tokenizer, max(1, room))
        if len(places) < 2:
            return [whole], ()
        if reader.long_text == "refuse":
            raise TooLong("the context does not fit into a prompt.",
                          do='shorten it, or build the function with long_text = "window" or "cut".')  # fmt: skip
        cut = [(start, end, tuple(gold.text for gold in golds if any(start <= one and other <= end for one, other in gold.spans)))
               for start, end in places]  # fmt: skip
        made = [Excerpt(value.question, value.context[start:end], start, held) for start, end, held in cut]
        return made, (f"read in {len(made)} parts",)

    def guide(self, value: Excerpt, state: Answers) -> Guide:
        """Return the grammar of a stretch of the part, or of saying that there is none; a part of several may always lack it."""
        lacks = state.may_lack or value.start > 0
        ways = f'ANSWER | NOTHING\nNOTHING: "{self.gap}{NOTHING}"' if lacks else "ANSWER"
        return Guide(grammar=f'start: {ways}\nANSWER: "{self.gap}" WORDS\n' + run_rule("WORDS", value.context, self._most(state)))

    def written(self, example: Any, state: Answers) -> str:
        golds = [gold if isinstance(gold, str) else gold.text for gold in example.answers]
        return self.gap + (spelled(golds[0]) if golds else NOTHING)

    def read(
        self, value: Any, parts: Sequence[Excerpt], said: Sequence[Said], notes: tuple[str, ...], state: Answers
    ) -> Answer:
        found = [one for part, text in zip(parts, said, strict=True) if (one := self._stretch(part, text)) is not None]
        ordered = sorted(found, key=lambda one: -one.score)[: self._told]
        if not ordered:
            lacking = min((text.chance for text in said), default=1.0)
            return Answer(answer=None, score=round(lacking, 6), notes=notes)
        best = ordered[0]
        return Answer(answer=best.text, start=best.start, end=best.end, score=best.score, answers=tuple(ordered), notes=notes)

    def _stretch(self, part: Excerpt, said: Said) -> Stretch | None:
        """Return the stretch that was written, where it first stands; None where none was."""
        place = next(places_of(said.text.strip(), part.context), None)
        if place is None:
            return None
        start, end = place
        score = round(said.chance, 6)
        return Stretch(text=part.context[start:end], start=part.start + start, end=part.start + end, score=score)

    def _most(self, state: Answers) -> int:
        return self._longest or state.longest
