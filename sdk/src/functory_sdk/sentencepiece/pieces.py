"""Makes tokenizer.json of a SentencePiece model and the ids that a translator knows its pieces by."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from functory.reading.tokenizer import WRITTEN_ONLY
from functory_sdk.sentencepiece.model import CONTROL, UNIGRAM, USER, SentencePiece

Json = dict[str, Any]  # Any: JSON
SPACE = "▁"
_METASPACE = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
_APART = {"type": "Split", "pattern": {"String": " "}, "behavior": "Removed", "invert": False}
_FAR = 1000.0
"""How much further than a character a longer piece that is only written stands from being read."""


def tokenizer_json(
    model: SentencePiece, ids: Mapping[str, int], *, unknown: str, signs: Sequence[str], markers: Sequence[str],
    before: Sequence[str], after: Sequence[str],
) -> Json:  # fmt: skip
    """Return the content of tokenizer.json.

    :param ids: every piece, sign and marker, by the id that the model knows it by; ids are 0 to one less than their number.
    :param unknown: the piece that stands for what has none.
    :param signs: tokens that no text spells; they have no piece of their own, whatever the file holds.
    :param markers: tokens that a text may spell.
    :param before: signs around each text: those before it, and those `after` it.
    """
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(ids[token], token, token in signs) for token in sorted({*signs, *markers}, key=ids.__getitem__)],
        "normalizer": _normalizer(model),
        "pre_tokenizer": _METASPACE if model.keeps_spaces else {"type": "Sequence", "pretokenizers": [_APART, _METASPACE]},
        "post_processor": _around(ids, before, after),
        "decoder": _METASPACE,
        "model": _unigram(model, ids, unknown) if model.kind == UNIGRAM else _merging(model, ids, unknown),
    }


def user_pieces(model: SentencePiece) -> list[str]:
    """Return the pieces that are read whole wherever a text holds them."""
    return [piece.text for piece in model.pieces if piece.type == USER]


def control_pieces(model: SentencePiece) -> list[str]:
    """Return the pieces that no text becomes."""
    return [piece.text for piece in model.pieces if piece.type == CONTROL]


def _unigram(model: SentencePiece, ids: Mapping[str, int], unknown: str) -> Json:
    """Return the pieces with their scores; those of which the file knows nothing are only written."""
    scores = {piece.text: piece.score for piece in model.pieces}
    least = min(scores.values())
    ordered = sorted(ids, key=ids.__getitem__)
    scores[unknown] = least
    vocabulary = [[text, scores.get(text, WRITTEN_ONLY * (1 if len(text) < 2 else _FAR))] for text in ordered]
    return {"type": "Unigram", "unk_id": ids[unknown], "vocab": vocabulary, "byte_fallback": model.has_bytes}


def _merging(model: SentencePiece, ids: Mapping[str, int], unknown: str) -> Json:
    """Return the pieces with the pairs that are merged into them, the best first."""
    pairs = [
        (-piece.score, ids[piece.text[:cut]], ids[piece.text[cut:]], piece.text, cut)
        for piece in model.pieces
        if piece.text in ids
        for cut in range(1, len(piece.text))
        if piece.text[:cut] in ids and piece.text[cut:] in ids
    ]
    merges = [[text[:cut], text[cut:]] for _, _, _, text, cut in sorted(pairs)]
    return {
        "type": "BPE", "vocab": dict(ids), "merges": merges, "unk_token": unknown, "fuse_unk": True, "dropout": None,
        "byte_fallback": model.has_bytes,
    }  # fmt: skip


def _normalizer(model: SentencePiece) -> Json | None:
    if not model.charsmap:
        return None
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(model.charsmap).decode()}


def _around(ids: Mapping[str, int], before: Sequence[str], after: Sequence[str]) -> Json:
    """Return which signs stand around a text, and around two."""
    head, tail = ([{"SpecialToken": {"id": sign, "type_id": 0}} for sign in signs] for signs in (before, after))
    one, other = ({"Sequence": {"id": which, "type_id": 0}} for which in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [*head, one, *tail],
        "pair": [*head, one, other, *tail],
        "special_tokens": {sign: {"id": sign, "ids": [ids[sign]], "tokens": [sign]} for sign in (*before, *after)},
    }


def _added(id: int, token: str, is_sign: bool) -> Json:
    traits = {"single_word": False, "lstrip": token == "<mask>", "rstrip": False, "normalized": False, "special": is_sign}
    return {"id": id, "content": token, **traits}
