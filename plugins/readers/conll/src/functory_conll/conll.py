"""CoNLL files: a token a line with its columns, an empty line between sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from functory_conll.brackets import from_brackets
from functory_conll.columns import RANGE, Layout, is_blank, layout_of
from functory_conll.sentence import Sentence
from functory_sdk import DataError, DataFile, DataReader, Fault, Options, Recognition, Record


class CoNLLOptions(Options):
    """Which columns are read."""

    token: int = Field(0, ge=0, description="The column of the tokens, counted from 1; found out when 0.")
    tag: int = Field(0, ge=0, description="The column of the tags, counted from 1; found out when 0.")


class CoNLL(DataReader[CoNLLOptions]):
    """CoNLL files: a token a line with two columns or more, in any tag scheme, sentences parted by empty lines."""

    endings: ClassVar[tuple[str, ...]] = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".bioes", ".bilou", ".ner")
    paper: ClassVar[str] = "Tjong Kim Sang and De Meulder 2003, Introduction to the CoNLL-2003 Shared Task (cs/0306050)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task ner --train eng.train --backbone minilm",
        "functory build --task ner --train chunks.conll --read tag=3 --backbone minilm",
        "functory build --task tagging --train en_ewt-ud-train.conllu --read tag=4 --backbone minilm",
    )

    def recognise(self, file: DataFile) -> Recognition:
        """By tags in a column of every first line; by the name where there are none yet."""
        if file.is_folder or not file.head_lines:
            return "no"
        layout = layout_of(file.head_lines)
        if layout is not None and layout.is_certain:
            return "certain"
        return "fits" if file.ending in self.endings else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield one row a sentence: its tokens, and its tags as they stand; brackets as BIOES."""
        layout = self._layout(file)
        sentence = Sentence()
        for number, line in enumerate(file.lines(), 1):
            if is_blank(line) or line.startswith(("-DOCSTART-", "#begin document", "#end document")):
                yield from sentence.rows(file)
                sentence = Sentence()
            elif not sentence and layout.is_comment(line):
                continue
            elif number in file.bad:
                sentence.spoil(number, file.complaint(number), file.remedy)
            else:
                _add(sentence, layout, layout.fields(line), number)
        yield from sentence.rows(file)

    def _layout(self, file: DataFile) -> Layout:
        """Return where things stand in a file; say where that was a choice.

        :raises DataError: when there are no columns, or not those that were asked for.
        """
        layout = layout_of(file.head_lines)
        if layout is None:
            raise DataError("the lines have no columns.", where=file.name, do="write a token and its tag on each line.")
        token, tag = (self.options.token or layout.token + 1) - 1, (self.options.tag or layout.tag + 1) - 1
        if max(token, tag) >= layout.width or token == tag:
            what = f"tokens in column {token + 1} and tags in column {tag + 1} do not go with {layout.width} columns"
            raise DataError(f"{what}.", where=file.name, do="columns are counted from 1: --read token=1 --read tag=2.")
        if layout.others and not self.options.tag:
            others = ", ".join(str(other + 1) for other in layout.others)
            file.notes.append(
                f"{file.name}: tags stand in columns {others} too; the last column of them, {layout.tag + 1}, was read "
                f"(--read tag={layout.others[0] + 1} takes another)."
            )
        prefix = layout.prefix if token == layout.token else ""
        return Layout(layout.has_tabs, layout.width, token, tag, prefix=prefix)


def _add(sentence: Sentence, layout: Layout, fields: list[str], line: int) -> None:
    """Add a line to its sentence."""
    if RANGE.fullmatch(fields[0]) and layout.token > 0:  # several tokens written as one; they follow
        return
    if len(fields) != layout.width:
        told = f"columns in the line: {len(fields)}, in the file: {layout.width}"
        sentence.spoil(line, told, "give each token all its columns, and part sentences by empty lines.")
        return
    tag = fields[layout.tag]
    if "*" in tag or tag.startswith("("):
        tag = from_brackets(tag, sentence.tags)
    sentence.add(fields[layout.token].removeprefix(layout.prefix), tag, line)
