"""Make tokenizer.json, XLM-RoBERTa's, from the packed file's pieces and normalisation table.

The ids are XLM-RoBERTa's own (`<s>` 0, `<pad>` 1, `</s>` 2, `<unk>` 3): the file's pieces stand in that
order already.
"""

from __future__ import annotations

import base64
from typing import Any

from functory_e5.charsmap import charsmap
from functory_e5.container import Pieces

MASK = "<mask>"


def tokenizer_json(pieces: Pieces, table: dict[int, str]) -> dict[str, Any]:  # Any: JSON
    """Return the content of tokenizer.json."""
    special = [pieces.bos, pieces.pad, pieces.eos, pieces.unknown, pieces.texts.index(MASK)]
    bos, eos = pieces.texts[pieces.bos], pieces.texts[pieces.eos]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": id,
                "content": pieces.texts[id],
                "single_word": False,
                "lstrip": pieces.texts[id] == MASK,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for id in sorted(special)
        ],
        "normalizer": _normalizer(table),
        # White space ends a piece and belongs to none: offsets name the word, not the space before it.
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, _METASPACE],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [_special(bos), _text("A"), _special(eos)],
            "pair": [_special(bos), _text("A"), _special(eos), _special(eos), _text("B"), _special(eos)],
            "special_tokens": {
                text: {"id": text, "ids": [id], "tokens": [text]}
                for text, id in ((bos, pieces.bos), (eos, pieces.eos))
            },
        },
        "decoder": _METASPACE,
        "model": {
            "type": "Unigram",
            "unk_id": pieces.unknown,
            "vocab": list(zip(pieces.texts, pieces.scores, strict=True)),
            "byte_fallback": False,
        },
    }


_METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}


def _normalizer(table: dict[int, str]) -> dict[str, Any]:
    """Compose first (the table has single code points only), then look each character up."""
    packed = base64.b64encode(charsmap(table)).decode()
    return {
        "type": "Sequence",
        "normalizers": [{"type": "NFC"}, {"type": "Precompiled", "precompiled_charsmap": packed}],
    }


def _special(text: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": text, "type_id": 0}}


def _text(which: str) -> dict[str, Any]:
    # Type 0 for both texts of a pair: XLM-RoBERTa has no second type, and this model was trained like it.
    return {"Sequence": {"id": which, "type_id": 0}}
