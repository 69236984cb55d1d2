"""In which encoding a file is: certain by its mark or its NUL bytes, else UTF-8; likely by what its bytes would say."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable

from functory.machine.written import MARKS

WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
ENOUGH = 0.6  # of the characters beyond ASCII are common ones: less is a guess


def certain(head: bytes) -> str:
    """Return the encoding that a file's first bytes tell beyond doubt; UTF-8 where they tell none."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    return _wide(head) or "utf-8"


def exists(name: str) -> bool:
    """Return whether there is such an encoding of texts."""
    try:
        b"a".decode(name, "replace")
    except LookupError:  # no such codec, or one that is not for texts
        return False
    return True


def decoded(head: bytes, encoding: str) -> str:
    """Return the beginning of a file as text; a character that is cut at its end is left out, what is none is replaced."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(head)


def likely(sample: bytes) -> tuple[str, str]:
    """Return the encoding in which bytes that are no UTF-8 read best, and a few words as they read in it.

    Each encoding has its own measure: the share of the characters beyond ASCII that are common in its languages.
    Nothing is certain here: the words are shown so that a person can judge. Both are empty where nothing reads well.
    """
    found = {name: _score(sample, name, measure) for name, measure in _MEASURES.items()}
    best = max(found, key=lambda name: found[name])
    return (best, _words(sample, best)) if found[best] >= ENOUGH else ("", "")


def _wide(head: bytes) -> str:
    """Return which of UTF-16 and UTF-32 without mark it is: that in which all is text, and most of it ASCII."""
    nulls = head.count(0)
    if not nulls or (nulls < 0.2 * len(head) and all(map(_is_written, decoded(head, "utf-8").replace("\0", "")))):
        return ""  # none, or some that strayed into what is UTF-8 otherwise
    found = {"": 0}
    for name in WIDE:
        text = decoded(head, name)
        if all(map(_is_written, text)):
            found[name] = sum(character < "\x80" for character in text)
    return max(found, key=lambda name: found[name])


def _is_written(character: str) -> bool:
    """Return whether a character stands in texts: no control, no half of a pair, none that is not assigned."""
    return character in "\t\n\r\f" or (unicodedata.category(character) not in ("Cc", "Cn", "Co", "Cs") and character != "\ufffd")


def _score(sample: bytes, encoding: str, measure: Callable[[str], float]) -> float:
    """Return how well bytes read in an encoding, 0 to 1."""
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return 0.0
    return measure(text) if not text.isascii() and all(map(_is_written, text)) else 0.0


def _words(sample: bytes, encoding: str) -> str:
    """Return what stands around the first character beyond ASCII."""
    text = codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    place = next(n for n, character in enumerate(text) if character > "\x7f")
    start = max(text.rfind("\n", 0, place) + 1, place - 12)
    return text[start : place + 12].partition("\n")[0].strip()


def _chinese(text: str, charset: str, lead: tuple[int, int]) -> float:
    """Return the share of common characters: those of the first level of a charset, and full-width punctuation."""
    beyond = [character for character in text if character > "\x7f"]
    common = 0
    for character in beyond:
        coded = character.encode(charset, "ignore")
        is_common = len(coded) == 2 and lead[0] <= coded[0] <= lead[1]
        common += is_common or "\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff20"
    return common / len(beyond)


def _japanese(text: str) -> float:
    """Return the share of kana and Chinese characters, where every fifth is a kana at least."""
    beyond = [character for character in text if character > "\x7f"]
    kana = sum("\u3040" <= character <= "\u30ff" for character in beyond)
    others = sum("\u3000" <= c <= "\u303f" or "\u4e00" <= c <= "\u9fff" or "\uff01" <= c <= "\uff20" for c in beyond)
    return (kana + others) / len(beyond) if kana * 5 >= len(beyond) else 0.0


def _korean(text: str) -> float:
    beyond = [character for character in text if character > "\x7f"]
    return sum("\uac00" <= character <= "\ud7a3" for character in beyond) / len(beyond)


def _cyrillic(text: str) -> float:
    """Return the share of small Cyrillic letters in words of their own: the encodings of Cyrillic differ in which half is
    capital, and an accent in a Latin word reads as one letter too.
    """
    beyond = [n for n, character in enumerate(text) if character > "\x7f"]
    small = [n for n in beyond if "\u0430" <= text[n] <= "\u045f" and not _is_beside_latin(text, n)]
    return len(small) / len(beyond)


def _western(text: str) -> float:
    """Return the share of accented letters beside a letter of ASCII, and of typographic signs."""
    beyond = [n for n, character in enumerate(text) if character > "\x7f"]
    good = [n for n in beyond if (text[n].isalpha() and _is_beside_latin(text, n)) or text[n] in "“”„‘’‚–—…€£«»°§¿¡\xa0"]
    return 0.95 * len(good) / len(beyond)  # a language of its own goes before


def _is_beside_latin(text: str, place: int) -> bool:
    """Return whether a letter of ASCII stands beside a character."""
    beside = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    return any(other.isascii() and other.isalpha() for other in beside)


_MEASURES: dict[str, Callable[[str], float]] = {
    "shift_jis": _japanese,
    "euc_jp": _japanese,
    "euc_kr": _korean,
    "gb18030": lambda text: _chinese(text, "gb2312", (0xB0, 0xD7)),
    "big5": lambda text: _chinese(text, "big5", (0xA4, 0xC6)),
    "cp1251": _cyrillic,
    "koi8_r": _cyrillic,
    "cp1252": _western,
}
