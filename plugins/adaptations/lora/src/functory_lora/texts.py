"""Holds the backbone's reading of texts to the tokenizer that lies beside an adapter: what it was trained with."""

from __future__ import annotations

from typing import Any

from functory_lora.folder import Folder
from functory_sdk import Backbone, NotSupported, Tokenizer, open_tokenizer, read_json
from functory_sdk.signs import chat_template, spelled_signs

TEXTS = ("Zoë O'Neil's e-mail of 12:30, U.S.: “it’s fine” – 3.5% off…", "  Two  spaces,\ttabs\nand LINES", "浙商银行 서울 Привет")


def check_texts(folder: Folder, backbone: Backbone[Any]) -> tuple[str, ...]:
    """Return what a user should know of how texts are read.

    :raises NotSupported: where the adapter's own tokenizer reads one as other tokens.
    """
    place, notes = folder.place, spelled_signs(backbone.tokenizer)
    if not (place / "tokenizer.json").is_file():
        return notes
    theirs, ours = open_tokenizer(place), backbone.tokenizer
    for text in (*TEXTS, *sorted(theirs.added.keys() - theirs.signs)):
        given, wanted = (one.tokens([text])[0].ids.tolist() for one in (ours, theirs))
        if given != wanted:
            raise NotSupported(
                f"the adapter's tokenizer reads {text!r} as {_told(theirs, wanted)}, that of backbone {backbone.reference!r} "
                f"as {_told(ours, given)}.",
                where=str(place / "tokenizer.json"),
                do="take the backbone it was trained on. Where tokens were added to that: merge the adapter into it, as large "
                "as its tokenizer (model.merge_and_unload()), save both into one folder, and take that as the backbone.",
            )
    template = chat_template(place, read_json(place, "tokenizer_config.json"))
    if template and not backbone.spec.chat_template.endswith(template):
        return (*notes, "the adapter has a chat template of its own, and the backbone's is used")
    return notes


def _told(tokenizer: Tokenizer, ids: list[int]) -> list[str | None]:
    return [tokenizer.token(one) for one in ids]
