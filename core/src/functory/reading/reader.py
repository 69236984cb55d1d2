"""Reads texts into rows of tokens: special tokens around them, windows of long ones, prompts and what is written after them.

Apart from tasks and backbones, which both need it and neither owns it; and from the tokenizer, which is never
reconfigured: padding, truncation and special tokens are done here in numpy, so that many threads may read at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import Literal

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.batching import pad
from functory.contracts.rows import Array, Encoded
from functory.errors import InputError, OptionError, PluginError, TooLong
from functory.reading.marks import Marked, interleaved, nearest, touched
from functory.reading.ngrams import ngrams_of, sparse
from functory.reading.passages import Part, Passage, Window, side_by_side
from functory.reading.prompts import Frame, Prompt
from functory.reading.segmentation import Ends
from functory.reading.tokenizer import Ids, Tokenizer, Tokens, as_ids
from functory.reading.windows import shares, windows

LongText = Literal["window", "cut", "refuse"]
Text = str | tuple[str, ...]
"""What one row is made of: a text, or several that are read together."""


class Reader:
    """Turns texts into rows for one backbone, by one rule for long texts, however many stand in a row.

    :param tokenizer: the backbone's.
    :param spec: the backbone's facts.
    :param long_text: ``window`` reads a long text in pieces, ``cut`` reads its beginning, ``refuse`` raises.
    :param max_tokens: the longest row; the backbone's context when 0.
    :param has_ngrams: lay the n-grams of an input's whole texts into each of its rows (`NGRAMS`), for a head that reads them.
    """

    def __init__(
        self, tokenizer: Tokenizer, spec: BackboneSpec, long_text: LongText = "window", max_tokens: int = 0,
        has_ngrams: bool = False,
    ) -> None:  # fmt: skip
        self.tokenizer = tokenizer
        self.spec = spec
        self.long_text = long_text
        self.max_tokens = min(max_tokens or spec.context, spec.context)
        self.has_ngrams = has_ngrams
        self._prefixes: dict[str, Ids] = {}

    def read(
        self,
        texts: Sequence[Text],
        *,
        fields: Sequence[str] = (),
        roles: str | Sequence[str] = "",
        windowed: Sequence[str] = (),
        overlap: int = 0,
    ) -> list[Passage]:
        """Read each text into windows; several texts, given as a tuple, into windows that hold a part of each.

        Texts that do not fit into a row together share it alike, what the short ones leave going to the long ones. What is
        longer than its share is read in windows, which go on side by side: each token of each text is in one. Where only
        some fields are windowed, the others are cut, and stand beside every window.

        :param fields: what the texts of a row are called, for notes and errors.
        :param roles: what each text is, or all of them are, for backbones that were trained to be told: ``query``.
        :param windowed: the fields whose long texts are read in windows; all of them when none is named.
        :param overlap: tokens that neighbouring windows share, at most half of one.
        :raises TooLong: for long texts, where the rule is "refuse".
        :raises InputError: for a text that cannot be tokenised, naming its field.
        :raises OptionError: when what stands around the texts leaves them no room.
        """
        rows = [(text,) if isinstance(text, str) else text for text in texts]
        tokens = iter(self._tokens(list(chain.from_iterable(rows)), fields))
        return [
            self._passage([next(tokens) for _ in row], _names(fields, len(row)), _spread(roles, len(row)), windowed, overlap)
            for row in rows
        ]

    def encode(self, texts: Sequence[Text], *, fields: Sequence[str] = (), roles: str | Sequence[str] = "") -> Encoded:
        """Read each text, or several together, into rows that are its own; what is kept of each is its notes.

        :param fields: as `read` has it.
        :param roles: likewise.
        :raises TooLong: for long texts, where the rule is "refuse".
        :raises InputError: for a text that cannot be tokenised, naming its field.
        """
        passages = self.read(texts, fields=fields, roles=roles)
        rows = [(index, window.row) for index, passage in enumerate(passages) for window in passage.windows]
        encoded = Encoded([row for _, row in rows], [index for index, _ in rows], [passage.notes for passage in passages])
        return self.beside(encoded, texts)

    def each_by_itself(
        self, texts: Sequence[tuple[str, ...]], *, fields: Sequence[str] = (), roles: str | Sequence[str] = ""
    ) -> Encoded:
        """Read the texts of each input by themselves, into rows that hold one of each, stacked; what is kept are the notes.

        The windows of long ones go on side by side, as in `read`.

        :param texts: as many for each input.
        :param fields: as `read` has it.
        :param roles: likewise.
        :raises TooLong: for long texts, where the rule is "refuse".
        :raises InputError: for a text that cannot be tokenised, naming its field.
        """
        count = len(texts[0]) if texts else 0
        names, roles = _names(fields, count) if count else (), _spread(roles, count)
        columns = [
            self.read([row[place] for row in texts], fields=names[place : place + 1], roles=roles[place])
            for place in range(count)
        ]
        encoded = Encoded([], [], [])
        for index, passages in enumerate(zip(*columns, strict=True)):
            turns, notes = side_by_side(passages, names)
            encoded.rows += [self.stacked([window.row for window in turn]) for turn in turns]
            encoded.owner += [index] * len(turns)
            encoded.side.append(notes)
        return self.beside(encoded, texts)

    def beside(self, encoded: Encoded, texts: Sequence[Text]) -> Encoded:
        """Return rows with the n-grams of the texts of their input in them, where some are read; `encode`, `each_by_itself`
        and `marked` give them so. For formulations that change which texts stand for an input.

        :param texts: those of each input, as many of each.
        """
        if self.has_ngrams:
            found = [sparse(one) for one in ngrams_of([(one,) if isinstance(one, str) else one for one in texts])]
            encoded.rows = [{**row, **found[owner]} for row, owner in zip(encoded.rows, encoded.owner, strict=True)]
        return encoded

    def stacked(self, rows: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
        """Return rows of one text each as one row that holds them, padded to the longest: arrays of (texts, tokens)."""
        return pad(rows, self.spec.ports())

    def marked(
        self, texts: Sequence[str], spans: Sequence[Sequence[Ends]], marks: Sequence[str], *, field: str = "text",
        role: str = "",
    ) -> list[Marked]:  # fmt: skip
        """Read each text into one row with marks around spans of it, as Baldini Soares et al. 2019 do (section 3.2).

        A text that is too long is cut around the spans, which are themselves cut at their ends where they leave no room.

        :param spans: of each text as many as there are marks: first character and the one after the last.
        :param marks: what stands before and after each span: ``@``.
        :param field: what the texts are called, for errors.
        :param role: as `read` has it.
        :raises TooLong: for a long text, where the rule is "refuse".
        :raises InputError: for a text that cannot be tokenised, naming its field.
        :raises OptionError: when what stands around the texts leaves no room for a token of each span.
        """
        signs = [tokens.ids for tokens in self.tokenizer.tokens(marks)]
        before, after = self._frames([role])
        room = _left(self.max_tokens, len(before) + len(after) + 2 * sum(map(len, signs)), len(marks))
        found = []
        for tokens, places in zip(self._tokens(texts, (field,)), spans, strict=True):
            held = [touched(tokens, span) for span in places]
            self._sizes([tokens], [field], room)
            kept = nearest(len(tokens), held, room)
            ids, opened, closed = interleaved(tokens, kept, held, signs)
            row = self.row(np.concatenate([before, ids, after]))
            notes = (f"cut to {room} tokens around the spans",) if len(tokens) > room else ()
            found.append(Marked(row, opened + len(before), closed + len(before), notes))
        rows = self.beside(Encoded([one.row for one in found], list(range(len(found))), []), list(map(_told_apart, texts, spans)))
        return [replace(one, row=dict(row)) for one, row in zip(found, rows.rows, strict=True)]

    def prompts(self, texts: Sequence[Text], frame: Frame, *, spare: int = 0) -> list[Prompt]:
        """Read each text, or several together, into a frame; those that are too long are cut at their ends, and noted.

        :param texts: one, or as many as the frame has fields, in their order.
        :param spare: tokens that are written after it; those of an encoder-decoder stand in no row of the prompt's.
        :raises TooLong: for long texts, where the rule is "refuse".
        :raises InputError: for a text that cannot be tokenised, naming its field.
        :raises OptionError: where frame and spare tokens leave no room.
        """
        pieces, rows = self._pieces(frame), [(text,) if isinstance(text, str) else text for text in texts]
        room = self._room(frame, pieces, spare)
        tokens = iter(self._tokens(list(chain.from_iterable(rows)), frame.fields))
        return [self._prompt([next(tokens) for _ in row], frame.fields, pieces, room) for row in rows]

    def room(self, frame: Frame, *, spare: int = 0) -> int:
        """Return how many tokens the texts of a prompt may have together.

        :param spare: as `prompts` has it.
        :raises OptionError: where frame and spare tokens leave no room.
        """
        return self._room(frame, self._pieces(frame), spare)

    def written(self, prompt: Ids, target: Ids, start: Sequence[int] | None = None) -> dict[str, Array]:
        """Return the row of a prompt and what is written after it: ``scored`` is 1 at the tokens of that.

        A decoder reads one after the other. An encoder-decoder reads the prompt, and its target has its first token before it;
        the axis of ``scored`` is as `scored_port` has it.

        :param prompt: (tokens,) finished, as `prompts` gives it.
        :param target: (written tokens,) without special ones.
        :param start: what an encoder-decoder's output begins with, after its first token; `BackboneSpec.first_ids` when None.
        """
        if self.spec.architecture == "encoder-decoder":
            first = as_ids([self.spec.start_id or 0, *(self.spec.first_ids if start is None else start)])
            row, before = self.row(prompt, target=np.concatenate([first, target])), len(first)
        else:
            row, before = self.row(np.concatenate([prompt, target])), len(prompt)
        scored = np.zeros(before + len(target), dtype=np.int64)
        scored[before:] = 1
        return {**row, "scored": scored}

    def row(self, ids: Ids, *, second_from: int | None = None, target: Ids | None = None) -> dict[str, Array]:
        """Return the row of finished ids.

        :param ids: (tokens,) with the special ones.
        :param second_from: where the second text of several begins.
        :param target: (target,) what an encoder-decoder writes, the first token included; that one alone when None.
        """
        row: dict[str, Array] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if self.spec.has_token_types:
            types = np.zeros_like(ids)
            if second_from is not None:
                types[second_from:] = 1
            row["token_type_ids"] = types
        if self.spec.architecture == "encoder-decoder":
            written = as_ids([self.spec.start_id or 0]) if target is None else target
            row |= {"decoder_input_ids": written, "decoder_attention_mask": np.ones_like(written)}
        return row

    def _tokens(self, texts: Sequence[str], fields: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text.

        :raises InputError: for a text that cannot be tokenised, naming its field.
        """
        try:
            return self.tokenizer.tokens(texts)
        except InputError as error:
            field = fields[_faulty(self.tokenizer, texts) % len(fields)] if fields else ""
            raise InputError(error.what, where=field, do=error.do) from None

    def _prefix(self, role: str) -> Ids:
        """Return the tokens of what the model was trained to read before a text of a role ('query: ')."""
        if role not in self._prefixes:
            prefix = self.spec.prefix(role).strip()
            self._prefixes[role] = self.tokenizer.tokens([prefix])[0].ids if prefix else as_ids([])
        return self._prefixes[role]

    @cached_property
    def _between(self) -> Ids:
        """The tokens that keep two texts of a row apart: the tokenizer's own, or a line break where it has none."""
        between = self.tokenizer.frame[1]
        return between if len(between) else self.tokenizer.tokens(["\n"])[0].ids

    def _frames(self, roles: Sequence[str]) -> list[Ids]:
        """Return what stands before each text of a row, and after the last."""
        before, _, after = self.tokenizer.frame
        heads = [before, *[self._between] * (len(roles) - 1)]
        return [*(np.concatenate([head, self._prefix(role)]) for head, role in zip(heads, roles, strict=True)), after]

    def _passage(
        self, texts: Sequence[Tokens], names: Sequence[str], roles: Sequence[str], windowed: Sequence[str], overlap: int
    ) -> Passage:
        """Read the texts of one row by the rule for long ones."""
        frames = self._frames(roles)
        room = _left(self.max_tokens, sum(map(len, frames)), len(texts))
        sizes = self._sizes(texts, names, room)
        spans, notes = [], []
        for tokens, size, name in zip(texts, sizes, names, strict=True):
            is_windowed = self.long_text == "window" and (not windowed or name in windowed)
            spans.append(list(windows(tokens.words, size, overlap)) if is_windowed else [(0, size)])
            if len(tokens) > size and not is_windowed:
                notes.append(_cut(size, name if len(texts) > 1 else ""))
        count = max(map(len, spans))
        notes += [f"read in {count} windows"] if count > 1 else []
        made = [[one[turn * len(one) // count] for one in spans] for turn in range(count)]
        return Passage(tuple(self._window(texts, names, frames, one) for one in made), tuple(notes))

    def _sizes(self, texts: Sequence[Tokens], names: Sequence[str], room: int) -> tuple[int, ...]:
        """Return how many tokens of each text a row holds.

        :raises TooLong: where they do not fit, and the rule is "refuse".
        """
        lengths = [len(tokens) for tokens in texts]
        if sum(lengths) > room and self.long_text == "refuse":
            who, have = " and ".join(names), "has" if len(names) == 1 else "have"
            raise TooLong(
                f"{who} {have} {' and '.join(map(str, lengths))} tokens; {room} fit.",
                do='shorten it, or build the function with long_text = "window" or "cut".',
            )
        return shares(lengths, room)

    def _window(
        self, texts: Sequence[Tokens], names: Sequence[str], frames: Sequence[Ids], spans: Sequence[tuple[int, int]]
    ) -> Window:
        """Return the row of a stretch of each text."""
        ids, parts, length = [], [], 0
        for tokens, name, before, (start, stop) in zip(texts, names, frames[:-1], spans, strict=True):
            part = Part(name, tokens.part(start, stop), length + len(before), start)
            ids += [before, part.tokens.ids]
            parts.append(part)
            length = part.first + len(part.tokens)
        second = parts[0].first + len(parts[0].tokens) + len(self._between) if len(parts) > 1 else None
        return Window(self.row(np.concatenate([*ids, frames[-1]]), second_from=second), tuple(parts))

    def _pieces(self, frame: Frame) -> list[Ids]:
        """Return the tokens of a frame's pieces, with the special ones that a prompt has around it.

        A decoder goes on from the prompt's last word, not from an end; an encoder reads the whole frame.
        """
        pieces = [tokens.ids for tokens in self.tokenizer.tokens(frame.pieces, reads_special=frame.is_chat)]
        if not frame.is_chat:
            before, _, after = self.tokenizer.frame
            pieces[0] = np.concatenate([before, pieces[0]])
            if self.spec.architecture == "encoder-decoder":
                pieces[-1] = np.concatenate([pieces[-1], after])
        return pieces

    def _room(self, frame: Frame, pieces: Sequence[Ids], spare: int) -> int:
        around, spare = sum(map(len, pieces)), 0 if self.spec.architecture == "encoder-decoder" else spare
        room = self.max_tokens - spare - around
        if room < len(frame.fields):
            raise OptionError(
                f"{spare} tokens to write and the frame of {around} tokens fill the context of {self.max_tokens}.",
                do="ask for fewer tokens, or shorten the prompt.",
            )
        return room

    def _prompt(self, texts: Sequence[Tokens], names: Sequence[str], pieces: Sequence[Ids], room: int) -> Prompt:
        """Put the texts of one prompt between the pieces of its frame."""
        sizes = self._sizes(texts, names, room)
        held = [tokens.ids[:size] for tokens, size in zip(texts, sizes, strict=True)]
        ids = np.concatenate([pieces[0], *chain.from_iterable(zip(held, pieces[1:], strict=True))])
        if not len(ids):  # nothing to go on from: a text begins where another ended
            ids = as_ids([next(iter(self.spec.end_ids), self.spec.pad_id)])
        cut = [(size, name) for tokens, size, name in zip(texts, sizes, names, strict=True) if len(tokens) > size]
        return Prompt(ids, tuple(_cut(size, name if len(texts) > 1 else "") for size, name in cut))


def _left(most: int, around: int, texts: int) -> int:
    """Return the tokens that are left for texts.

    :raises OptionError: when there is not one for each: a function would read none of its inputs.
    """
    if most - around < texts:
        told = "a text" if texts == 1 else f"{texts} texts"
        raise OptionError(
            f"a row of {most} tokens leaves no room for {told}: {around} stand around {'it' if texts == 1 else 'them'}.",
            do="raise max_tokens, or shorten the backbone's prefix.",
        )
    return most - around


def _told_apart(text: str, spans: Sequence[Ends]) -> tuple[str, ...]:
    """Return what the n-grams of a text with spans in it are counted of: each span, what is between the first and the last, in
    which order they stand, and the whole.
    """
    order = sorted(range(len(spans)), key=lambda place: spans[place])
    between = text[spans[order[0]][1] : spans[order[-1]][0]]
    return (*(text[start:end] for start, end in spans), f"{' '.join(map(str, order))} {between}", text)


def _cut(size: int, name: str) -> str:
    return f"{name} cut at {size} tokens".strip()


def _names(fields: Sequence[str], count: int) -> tuple[str, ...]:
    """Return what the texts of a row are called.

    :raises PluginError: when there are not as many as texts.
    """
    if not fields:
        return ("text",) if count == 1 else tuple(f"text {place}" for place in range(1, count + 1))
    if len(fields) != count:
        raise PluginError(
            f"a row of {count} texts is read as {', '.join(fields)}.", do="give `Reader.read` a name for each text of the tuple."
        )
    return tuple(fields)


def _spread(roles: str | Sequence[str], count: int) -> Sequence[str]:
    return [roles] * count if isinstance(roles, str) else roles


def _faulty(tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """Return which of some texts is the first that cannot be tokenised."""
    for place, text in enumerate(texts):
        try:
            tokenizer.tokens([text])
        except InputError:
            return place
    return 0
