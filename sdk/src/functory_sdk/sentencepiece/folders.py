"""Which SentencePiece files a model folder holds, and by which ids its family knows their pieces.

OPUS-MT's Marians read by source.spm, write by target.spm, and have the ids of both in vocab.json. mBART and NLLB count as fairseq
did: four signs, the file's pieces, the languages. M2M-100 has vocab.json, and the languages after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory.errors import ArtefactCorrupt, NotSupported
from functory.reading.tokenizer import Tokenizer
from functory_sdk.jsonfiles import read_json
from functory_sdk.sentencepiece.model import SentencePiece, read_model
from functory_sdk.sentencepiece.pieces import control_pieces, tokenizer_json, user_pieces

FAIRSEQ = ("<s>", "<pad>", "</s>", "<unk>")
"""The signs that stand before fairseq's pieces, in the place of the first three of the file."""
MBART = [
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX", "kk_KZ",
    "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN",
]  # fmt: skip
"""The languages of mBART, in the order of their ids; those of mBART-50 go on."""
MBART50 = [
    *MBART,
    "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN", "mn_MN", "mr_IN",
    "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES",
    "sl_SI",
]  # fmt: skip


@dataclass(frozen=True)
class _Kind:
    """How one family puts languages into a row."""

    first: str
    """The language of a text of which nobody says it."""
    is_after: bool = False
    """Whether the language stands after the text, as in mBART, and not before it."""


_KINDS = {"MBart": _Kind("en_XX", is_after=True), "MBart50": _Kind("en_XX"), "Nllb": _Kind("eng_Latn"), "M2M100": _Kind("__en__")}


def read_folder(folder: Path) -> Tokenizer | None:
    """Return the tokenizer of a folder with SentencePiece's files; None where it has none that are known here.

    :raises ArtefactCorrupt: where its files contradict each other.
    :raises NotSupported: where ids cannot be known, naming what is missing.
    """
    if (folder / "source.spm").is_file():
        return _marian(folder)
    path = folder / "sentencepiece.bpe.model"
    kind = _kind_of(folder) if path.is_file() else ""
    if not kind:
        return None
    return _of_languages(folder, kind, read_model(path))


def _kind_of(folder: Path) -> str:
    """Return whose languages a folder's tokenizer marks; empty for one that marks none."""
    config, texts = read_json(folder, "config.json"), read_json(folder, "tokenizer_config.json")
    said = str(texts.get("tokenizer_class") or config.get("tokenizer_class") or "")
    named = said.removesuffix("Fast").removesuffix("Tokenizer")
    if named in _KINDS:
        return named
    usual = {"mbart": "MBart", "m2m_100": "M2M100" if (folder / "vocab.json").is_file() else "Nllb"}
    found = usual.get(str(config.get("model_type")), "")
    return "MBart50" if found == "MBart" and len(_listed(folder)) > len(MBART) else found


def _marian(folder: Path) -> Tokenizer:
    """Return a Marian's tokenizer, with the one that reads texts of the language that is written as its `writer`."""
    ids = _vocabulary(folder)
    if (folder / "target_vocab.json").is_file():
        raise NotSupported(
            "this Marian has one vocabulary for what it reads and another for what it writes (target_vocab.json).",
            where=str(folder),
            do="take a model with one vocabulary for both, as most OPUS-MT models have.",
        )
    named = read_json(folder, "tokenizer_config.json")
    end, unknown, pad = (str(_text(named.get(key)) or usual) for key, usual in _MARIAN.items())
    for sign in (end, unknown):
        if sign not in ids:
            raise _corrupt(folder, f"vocab.json has no {sign!r}")
    signs = [sign for sign in (end, unknown, pad) if sign in ids]
    about: dict[str, Any] = {"unknown": unknown, "signs": signs, "before": (), "after": (end,)}
    source = _made(read_model(folder / "source.spm"), ids, markers=[one for one in ids if one.startswith(">>")], **about)
    target = folder / "target.spm"
    if target.is_file():
        source.writer = _made(read_model(target), ids, markers=(), **about)
    return source


_MARIAN = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def _of_languages(folder: Path, kind: str, model: SentencePiece) -> Tokenizer:
    """Return the tokenizer of a model that marks languages."""
    languages = _languages(folder, kind)
    if kind == "M2M100":
        pieces, mask = list(_vocabulary(folder)), []
    else:
        pieces, mask = [*FAIRSEQ, *(piece.text for piece in model.pieces[3:])], ["<mask>"]
    ids = _counted(folder, pieces, [*languages, *mask])
    how = _KINDS[kind]
    own = str(read_json(folder, "tokenizer_config.json").get("src_lang") or how.first)
    own = own if own in ids else how.first
    around = ((), ("</s>", own)) if how.is_after else ((own,), ("</s>",))
    markers = [one for one in user_pieces(model) if one in ids]
    signs = [*FAIRSEQ, *languages, *mask]
    return _made(model, ids, unknown="<unk>", signs=signs, markers=markers, before=around[0], after=around[1])


def _counted(folder: Path, pieces: Sequence[str], signs: Sequence[str]) -> dict[str, int]:
    """Return every token by its id: signs after the pieces, in their order or that of tokenizer_config.json."""
    told = read_json(folder, "tokenizer_config.json").get("added_tokens_decoder") or {}
    places = {str(_text(token)): int(place) for place, token in told.items()}
    given = dict.fromkeys([*pieces, *sorted(signs, key=lambda sign: places.get(sign, len(pieces) + len(places)))])
    ids = {token: place for place, token in enumerate(given)}
    for sign in signs:
        if places.get(sign, ids[sign]) != ids[sign]:
            what = f"tokenizer_config.json gives {sign!r} the id {places[sign]:,}; after the pieces it has {ids[sign]:,}"
            raise _corrupt(folder, what)
    return ids


def _languages(folder: Path, kind: str) -> list[str]:
    """Return a model's languages in the order of their ids.

    :raises NotSupported: where its files do not list them, and they are not known here.
    """
    found = _listed(folder) or {"MBart": MBART, "MBart50": MBART50}.get(kind, [])
    if not found:
        raise NotSupported(
            "the folder has SentencePiece's file, and nothing that lists the languages that its model knows.",
            where=str(folder),
            do="put special_tokens_map.json (additional_special_tokens) beside it, as the model came with it.",
        )
    return found


def _listed(folder: Path) -> list[str]:
    """Return the languages that a folder lists as additional special tokens."""
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        about = read_json(folder, name)
        for key in ("additional_special_tokens", "extra_special_tokens"):
            found = [str(_text(one)) for one in about.get(key) or () if _text(one)]
            if found:
                return found
    return []


def _made(model: SentencePiece, ids: Mapping[str, int], **about: Any) -> Tokenizer:
    """Return a tokenizer; pieces that only tie a row together have no reading."""
    signs = [*about.pop("signs"), *(one for one in control_pieces(model) if one in ids)]
    made = tokenizer_json(model, ids, signs=list(dict.fromkeys(signs)), **about)
    return Tokenizer(json.dumps(made, ensure_ascii=False))


def _vocabulary(folder: Path) -> dict[str, int]:
    """Return the pieces of vocab.json, by their ids.

    :raises ArtefactCorrupt: where it is missing, or ids are not counted from 0.
    """
    ids = read_json(folder, "vocab.json")
    if not ids or sorted(ids.values(), key=str) != sorted(range(len(ids)), key=str):
        raise _corrupt(folder, "vocab.json is missing, or does not count its pieces from 0")
    return dict(sorted(ids.items(), key=lambda one: int(one[1])))


def _corrupt(folder: Path, why: str) -> ArtefactCorrupt:
    return ArtefactCorrupt(f"{why}.", where=str(folder), do="take all files that came with the model.")


def _text(given: Any) -> object:  # Any: a token, as it stands or with how it is matched
    return given.get("content") if isinstance(given, dict) else given
