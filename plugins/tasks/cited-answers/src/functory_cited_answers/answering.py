"""The formulation: numbered passages and the question, then the answer and the numbers of those that say it: ``in Rome [2]``.

Words that are written choose among the passages: what is cited holds them. (With the number first, a small model takes passage
1 for nearly all questions.) Passages that do not fit into a prompt are read in lots, and then those that were cited together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from functory_cited_answers.reading import Lot, Piece, lots, whole
from functory_cited_answers.types import NOTHING, Answered, Citation, CitedAnswer, CitedOptions, Showing
from functory_sdk import BackboneSpec, Encoded, Guide, Held, Reader, Row, Said, TooLong, places_of, run_rule, spelled

PROMPT = (
    "Answer each question from its passages alone, in their words, as shortly as you can, and say in brackets which passage says "
    f"it. Write {NOTHING!r} where none does.\n\n"
    "{examples}Question: {question}\n\nPassages:\n{passages}\n\nAnswer:"
)
"""The prompt. Of smollm2 the right passage is cited twice as often with the question first and without a chat template."""
_CITED = re.compile(r"\s*(.*?) ((?:\[\d+\])+)", re.DOTALL)


class Answering(Held):
    """An answer for each question: whatever is written cites a passage that is there, or says that there is no answer.

    :param options: the task's.
    :param spec: the backbone's facts.
    """

    def __init__(self, options: CitedOptions, spec: BackboneSpec) -> None:
        super().__init__(options, spec, options.prompt or PROMPT, Answered)
        self.cited = options

    def fields_of(self, value: Any) -> Mapping[str, str]:
        lot = _lot(value)
        passages = {f"passages.{place}": piece.text for place, piece in enumerate(lot.pieces)}
        return {**passages, "question": lot.question}

    def each(self, value: Any) -> str:
        count = len(_lot(value).pieces)
        return self._each.replace("{passages}", "\n".join(f"[{place + 1}] {{passages.{place}}}" for place in range(count)))

    def parts(self, value: Any, reader: Reader, state: Showing) -> tuple[list[Lot], tuple[str, ...]]:
        """Return the passages in lots.

        :raises TooLong: where they do not fit, and the rule is "refuse".
        """
        lot = _lot(value)
        if not lot.pieces:
            return [], ("there are no passages",)
        if reader.long_text == "cut":
            return [lot], ()
        bare = Lot(lot.question, (Piece(0, 0, ""),))
        made = lots(lot, self.room(bare, reader, state), reader)
        if len(made) > 1 and reader.long_text == "refuse":
            raise TooLong(f"{len(lot.pieces)} passages do not fit into a prompt; it would take {len(made)}.",
                          do='give fewer, or build the function with long_text = "window" or "cut".')  # fmt: skip
        return made, (f"passages read in {len(made)} lots",) if len(made) > 1 else ()

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Showing) -> Encoded:
        encoded = super().encode(inputs, reader, state)
        encoded.unfinished = frozenset(place for place, side in enumerate(encoded.side) if len(side.parts) > 1)
        return encoded

    def further(self, side: Any, outputs: Sequence[Row], reader: Reader, state: Showing) -> Encoded | None:
        """The pieces that were cited, together, where several lots have an answer and there are fewer lots of these."""
        said = [self._read_lot(lot, one) for lot, one in zip(side.parts, self.said(side, outputs), strict=True)]
        cited = [piece for _, pieces, _ in said for piece in pieces]
        if sum(answer is not None for answer, _, _ in said) < 2:
            return None
        encoded = self.encode([Lot(side.value.question, tuple(dict.fromkeys(cited)))], reader, state)
        [again] = encoded.side
        if len(again.parts) >= len(side.parts):
            return None
        encoded.side = [again.noted(side.value, side.notes)]
        return encoded

    def guide(self, value: Lot, state: Showing) -> Guide:
        """Return what an answer must be: words, of a passage or of the model's own, the number of that passage, and those of
        others.
        """
        held = [place for place, piece in enumerate(value.pieces) if piece.text.strip()]
        most = self.cited.citations - 1 if len(held) > 1 else 0
        if held and not self.cited.verbatim:
            numbers = rf"(?:\[(?:{'|'.join(str(place + 1) for place in held)})\])"
            words = rf"[^\s\[](?:[^\n\[]{{0,{max(0, self.cited.longest - 2)}}}[^\s\[])? {numbers}{{1,{most + 1}}}"
            return Guide(regex=f"{self.gap}(?:{NOTHING}|{words})" if state.may_lack else f"{self.gap}{words}")
        lacking = ["NOTHING"] if state.may_lack or not held else []
        rules = [f"start: {' | '.join([*lacking, *(f'cited{place}' for place in held)])}", f'NOTHING: "{self.gap}{NOTHING}"']
        if most:
            rules.append(f"other: {' | '.join(map(_number, held))}")
        for place in held:  # words and number are one terminal: a run that could go on does not end where another begins
            rules.append(f"cited{place}: CITED{place}{f' other{{0,{most}}}' if most else ''}")
            rules.append(f'CITED{place}: "{self.gap}" WORDS{place} " " {_number(place)}')
            rules.append(run_rule(f"WORDS{place}", value.pieces[place].text, self.cited.longest))
        return Guide(grammar="\n".join(rules))

    def written(self, example: Lot, state: Showing) -> str:
        """Return the passages that say it, those that hold the answer first; no answer where none of these pieces does."""
        example = _lot(example)
        said = [(place, piece) for place, piece in enumerate(example.pieces) if piece.passage in example.sources]
        for answer in example.answers:
            holding = [place for place, piece in said if spelled(answer) in spelled(piece.text)]
            if holding or (said and not self.cited.verbatim):
                order = dict.fromkeys([*holding, *(place for place, _ in said)])
                numbers = [f"[{place + 1}]" for place in order][: self.cited.citations]
                return f"{self.gap}{spelled(answer)} {''.join(numbers)}"
        return self.gap + NOTHING

    def read(
        self, value: Any, parts: Sequence[Lot], said: Sequence[Said], notes: tuple[str, ...], state: Showing
    ) -> CitedAnswer:
        """The answer that is likeliest, the earlier one's of two alike; none where no lot has one."""
        found = [self._read_lot(lot, one) for lot, one in zip(parts, said, strict=True)]
        answered = [one for one in found if one[0] is not None]
        if not answered:
            score = min((chance for _, _, chance in found), default=1.0)
            return CitedAnswer(answer=None, score=round(score, 6), abstained=True, notes=notes)
        answer, pieces, chance = max(answered, key=lambda one: one[2])
        citations: dict[int, Citation] = {}
        for piece in pieces:
            start, end = next(places_of(answer or "", piece.text), (None, None))
            there = Citation(passage=piece.passage) if start is None or end is None else Citation(
                passage=piece.passage, start=piece.start + start, end=piece.start + end
            )  # fmt: skip
            if piece.passage not in citations or citations[piece.passage].start is None:
                citations[piece.passage] = there
        return CitedAnswer(answer=answer, citations=tuple(citations.values()), score=round(chance, 6), notes=notes)

    def _read_lot(self, lot: Lot, said: Said) -> tuple[str | None, list[Piece], float]:
        """Return the answer, the pieces that it cites, and how likely it is."""
        found = _CITED.fullmatch(said.text)
        if found is None:
            return None, [], said.chance
        numbers = dict.fromkeys(int(one) for one in re.findall(r"\d+", found[2]))
        return found[1].strip(), [lot.pieces[number - 1] for number in numbers if number <= len(lot.pieces)], said.chance


def _lot(value: Any) -> Lot:  # Any: an input, an example, or pieces of one
    return value if isinstance(value, Lot) else whole(value)


def _number(place: int) -> str:
    """Return the number of a passage as a grammar has it."""
    return f'"[{place + 1}]"'
