"""How a backbone is told from which language into which: by signs among its tokens, in words, or not at all.

Three ways, and which one is a property of the backbone: NLLB, M2M-100 and mBART know signs; T5 and decoders read words; a
translator of one direction is told nothing, and refuses another.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from functory_sdk import BackboneSpec, NotSupported, OptionError, Prompt, Reader
from functory_translation.languages import are_alike, name_of, sign_of, signs_in

SIGNED = ("m2m_100", "mbart")
"""The families whose tokens hold a sign for each language."""
WORDED = ("t5",)
"""Encoder-decoders that are told in words what to do."""


class Way:
    """How one backbone is told; a language is its code, or empty where nobody says.

    :param spec: the backbone's facts.
    :param target: the language that is written.
    """

    def __init__(self, spec: BackboneSpec, target: str) -> None:
        self.spec, self.target = spec, target

    def read_from(self, source: str) -> str:
        """Return the language that is read, given what the options say.

        :raises NotSupported: where the backbone reads another.
        """
        return source

    def prompt(self, text: str, source: str) -> str:
        """Return what the backbone reads for a text."""
        return text

    def told(self, prompt: Prompt, source: str, reader: Reader) -> Prompt:
        """Return a prompt that says its language, where tokens do."""
        return prompt

    def start(self, reader: Reader) -> tuple[int, ...]:
        """Return the tokens that the translation begins with."""
        return reader.spec.first_ids


class OneDirection(Way):
    """A translator that was trained for one pair of languages.

    :raises NotSupported: for another target than it writes.
    """

    def __init__(self, spec: BackboneSpec, target: str) -> None:
        self._pair = spec.languages if len(spec.languages) == 2 else ("", "")  # a card names the source first
        if target and self._pair[1] and not are_alike(target, self._pair[1]):
            raise self._other(spec, "writes", self._pair[1], target)
        super().__init__(spec, target or self._pair[1])

    def read_from(self, source: str) -> str:
        """:raises NotSupported: for another language than it reads."""
        if source and self._pair[0] and not are_alike(source, self._pair[0]):
            raise self._other(self.spec, "reads", self._pair[0], source)
        return source or self._pair[0]

    def _other(self, spec: BackboneSpec, does: str, own: str, asked: str) -> NotSupported:
        return NotSupported(
            f"{spec.reference!r} translates from {self._pair[0]} into {self._pair[1]}: it {does} {own}, not {asked}.",
            do="take a backbone that was trained for this pair, or for many languages (NLLB, M2M-100, mBART-50).",
        )


class InWords(Way):
    """A backbone that does what it is told: T5 as it was trained, a decoder by an instruction or, without a chat template, by two
    lines that say whose language they are in.

    :raises OptionError: where no target is named.
    :raises NotSupported: for a language without a name here.
    """

    def __init__(self, spec: BackboneSpec, target: str, *, is_chat: bool) -> None:
        if not target:
            raise _needs("target", f"{spec.reference!r} writes what it is told")
        super().__init__(spec, target)
        self._into, self._is_chat = self._named(target), is_chat

    def prompt(self, text: str, source: str) -> str:
        of = self._named(source) if source else ""
        if self.spec.family in WORDED:
            return f"translate {of} to {self._into}: {text}" if of else f"translate to {self._into}: {text}"
        if not self._is_chat:
            return f"{of or 'Text'}: {text}\n{self._into}:"
        return f"Translate this text {f'from {of} ' if of else ''}into {self._into}. Give the translation alone.\n\n{text}"

    def _named(self, code: str) -> str:
        found = name_of(code)
        if not found:
            raise NotSupported(
                f"{self.spec.reference!r} is told languages in words, and {code!r} has no name here.",
                do="take a backbone of many languages (NLLB, M2M-100, mBART-50), or a translator of this pair.",
            )
        return found


class BySigns(Way):
    """A backbone whose tokens hold a sign for each language: that of the source stands in the row, that of the target begins
    what is written (NLLB Team 2022, section 6; Tang et al. 2020).

    :raises OptionError: where no target is named.
    """

    _from_its_own: ClassVar[str] = "is told the language of what it reads"

    def __init__(self, spec: BackboneSpec, target: str) -> None:
        if not target:
            raise _needs("target", f"{spec.reference!r} writes many languages")
        super().__init__(spec, target)

    def read_from(self, source: str) -> str:
        """:raises OptionError: where no language is named."""
        if not source:
            raise _needs("source", f"{self.spec.reference!r} {self._from_its_own}")
        return source

    def told(self, prompt: Prompt, source: str, reader: Reader) -> Prompt:
        """:raises NotSupported: for an mBART-25, and where the language has no sign."""
        before, _, after = reader.tokenizer.frame
        signs = {reader.tokenizer.id(sign) for sign in signs_in(reader.tokenizer.added)}
        if self.spec.family == "mbart" and any(one in signs for one in after.tolist()):
            raise NotSupported(
                f"{self.spec.reference!r} is an mBART that begins to write with the language's own sign (mBART-25).",
                do="take mBART-50, NLLB or M2M-100.",
            )
        own, ids = self._id(source, reader), prompt.ids.copy()
        places = [*range(len(before)), *range(len(ids) - len(after), len(ids))]
        told = [place for place in places if int(ids[place]) in signs]
        ids[told] = own
        return Prompt(ids if told else np.insert(ids, 0, own), prompt.notes)

    def start(self, reader: Reader) -> tuple[int, ...]:
        return (self._id(self.target, reader),)

    def _id(self, code: str, reader: Reader) -> int:
        """Return the id of a language's sign.

        :raises NotSupported: where the backbone has none, with those that it has.
        """
        signs = signs_in(reader.tokenizer.added)
        found = reader.tokenizer.id(sign_of(code, signs)) if sign_of(code, signs) else None
        if found is None:
            raise NotSupported(
                f"{self.spec.reference!r} has no one sign for the language {code!r}; it has {_brief(signs)}.",
                do="name the language as one of them does.",
            )
        return found


def way_of(spec: BackboneSpec, target: str, *, is_chat: bool) -> Way:
    """Return how a backbone is told.

    :param is_chat: whether a decoder's chat template is used.
    :raises OptionError: where no target is named, and one must be.
    :raises NotSupported: for a target that it does not write.
    """
    if spec.family in SIGNED:
        return BySigns(spec, target)
    if spec.architecture == "decoder" or spec.family in WORDED:
        return InWords(spec, target, is_chat=is_chat)
    return OneDirection(spec, target)


def _needs(option: str, why: str) -> OptionError:
    return OptionError(f"{why}: name the language.", do=f'set {option} = "zh", by its code or its English name.', field=option)


def _brief(signs: list[str]) -> str:
    return f"{', '.join(signs[:12])}{', …' if len(signs) > 12 else ''}" if signs else "none"
