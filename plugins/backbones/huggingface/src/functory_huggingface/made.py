"""Holds the reading of a checkpoint to transformers': what its maker fed it, its function must read alike.

Apart from `backbone`, which knows no transformers: only a checkpoint whose head is taken over was made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functory_sdk import NotSupported, Tokenizer
from functory_sdk.signs import spelled_signs

PROBES = (
    "Zoë O'Neil's e-mail of 12:30, U.S.: “it’s fine” – 3.5% off…",
    "  Two  spaces,\ttabs\nand LINES  ",
    "浙商银行 Google の 서울에서 Привет Ω ﬁ ①",
    "",
)
MARKERS = 100
"""So many markers are tried; T5 has a hundred of one sort."""


def check_reading(folder: Path, tokenizer: Tokenizer) -> tuple[str, ...]:
    """Return what a reader should know of how texts are read otherwise than transformers would.

    :raises NotSupported: where a text without signs becomes other tokens, or stands between others.
    """
    notes = spelled_signs(tokenizer)
    if not (folder / "tokenizer_config.json").is_file():
        return notes  # transformers would guess which tokenizer it is
    theirs = _their_tokenizer(folder)
    if isinstance(theirs, Exception):
        said = (str(theirs).splitlines() or [""])[0]
        return (*notes, f"transformers opens no tokenizer here to compare with ({type(theirs).__name__}: {said[:100]})")
    for text in _probes(tokenizer):
        ours, wanted = _framed(tokenizer, text), theirs(text)["input_ids"]
        if ours != wanted:
            raise NotSupported(
                f"tokenizer.json reads {text!r} as {_told(tokenizer, ours)}; transformers reads it as "
                f"{theirs.convert_ids_to_tokens(wanted)}, as tokenizer_config.json says.",
                where=str(folder),
                do=f"write a tokenizer.json that says all of it: AutoTokenizer.from_pretrained({str(folder)!r}).save_pretrained("
                f"{str(folder)!r}); or, where the model was trained as tokenizer.json reads, set check_tokenizer = false.",
            )
    return notes


def _their_tokenizer(folder: Path) -> Any:  # Any: transformers has no types
    """Return transformers' own tokenizer, or what it raised."""
    import transformers

    from functory_sdk.torch import quiet

    try:
        with quiet():
            return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever a stranger's files make of it
        return error


def _probes(tokenizer: Tokenizer) -> Iterator[str]:
    """Give texts in several scripts, and the markers between words and inside them; no sign among them."""
    texts = [*PROBES]
    for marker in sorted(tokenizer.added.keys() - tokenizer.signs)[:MARKERS]:
        texts += [f"a {marker} b{marker}c"]
    yield from (text for text in texts if not any(sign in text for sign in tokenizer.signs))


def _framed(tokenizer: Tokenizer, text: str) -> list[int]:
    before, _, after = tokenizer.frame
    return [*before.tolist(), *tokenizer.tokens([text])[0].ids.tolist(), *after.tolist()]


def _told(tokenizer: Tokenizer, ids: list[int]) -> list[str | None]:
    return [tokenizer.token(one) for one in ids]
