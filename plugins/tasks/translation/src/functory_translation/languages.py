"""What languages are called: by their codes, in English, and by the signs that backbones of many languages know them by.

Apart from how a backbone is told of one (`ways`), because options are checked before there is any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_TABLE = """
ar Arabic arb_Arab;bg Bulgarian bul_Cyrl;bn Bengali ben_Beng;ca Catalan cat_Latn;cs Czech ces_Latn;da Danish dan_Latn
de German deu_Latn;el Greek ell_Grek;en English eng_Latn;es Spanish spa_Latn;et Estonian est_Latn;fa Persian pes_Arab
fi Finnish fin_Latn;fr French fra_Latn;he Hebrew heb_Hebr;hi Hindi hin_Deva;hr Croatian hrv_Latn;hu Hungarian hun_Latn
id Indonesian ind_Latn;it Italian ita_Latn;ja Japanese jpn_Jpan;ko Korean kor_Hang;lt Lithuanian lit_Latn;lv Latvian lvs_Latn
ms Malay zsm_Latn;nl Dutch nld_Latn;no Norwegian nob_Latn;pl Polish pol_Latn;pt Portuguese por_Latn;ro Romanian ron_Latn
ru Russian rus_Cyrl;sk Slovak slk_Latn;sl Slovenian slv_Latn;sr Serbian srp_Cyrl;sv Swedish swe_Latn;sw Swahili swh_Latn
ta Tamil tam_Taml;te Telugu tel_Telu;th Thai tha_Thai;tr Turkish tur_Latn;uk Ukrainian ukr_Cyrl;ur Urdu urd_Arab
vi Vietnamese vie_Latn;zh Chinese zho_Hans;zh-Hant Traditional_Chinese zho_Hant
"""
_ROWS = [row.split() for row in re.split(r"[;\n]", _TABLE) if row]
NAMES = {code: name.replace("_", " ") for code, name, _ in _ROWS}
"""A language's code, BCP 47 → its name in English."""
_NLLB = {code: sign for code, _, sign in _ROWS}
_CODES = {name.casefold(): code for code, name in NAMES.items()} | {sign.casefold(): code for code, sign in _NLLB.items()}
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|\d{3}))?", re.IGNORECASE)
_SIGN = re.compile(r"[a-z]{2,3}_[A-Z]{2}|[a-z]{3}_[A-Z][a-z]{3}|__[a-z]{2,3}__")
"""How mBART, NLLB and M2M-100 spell a language."""
_SPACELESS = ("zh", "ja", "th")


def code_of(given: str) -> str:
    """Return the code of a language that is given by its code or its English name; empty for what is neither."""
    named = _CODES.get(given.casefold())
    if named is not None:
        return named
    if not _CODE.fullmatch(given):
        return ""
    first, *more = re.split("[-_]", given)
    return "-".join([first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in more)])


def near_names(given: str) -> list[str]:
    """Return names of languages that are spelled much like a text."""
    return get_close_matches(given.casefold(), [name.casefold() for name in NAMES.values()], 3)


def name_of(code: str) -> str:
    """Return a language's English name; that of its first part where the whole has none; empty where neither has."""
    return NAMES.get(code) or NAMES.get(main_of(code), "")


def main_of(code: str) -> str:
    """Return the language of a code without script and country."""
    return code.partition("-")[0]


def are_alike(one: str, other: str) -> bool:
    """Return whether two codes are of one language: one may say more than the other."""
    return main_of(one) == main_of(other)


def has_spaces(code: str) -> bool:
    """Return whether sentences of a language stand apart by spaces."""
    return main_of(code) not in _SPACELESS


def signs_in(tokens: Iterable[str]) -> list[str]:
    """Return those of a tokenizer's added tokens that stand for languages."""
    return sorted(token for token in tokens if _SIGN.fullmatch(token))


def sign_of(code: str, signs: Iterable[str]) -> str:
    """Return the sign that stands for a language; empty where none does, or several do alike."""
    known = set(signs)
    main = main_of(code)
    exact = [code.replace("-", "_"), _NLLB.get(code, ""), f"__{code}__", _NLLB.get(main, ""), f"__{main}__"]
    found = next((sign for sign in exact if sign in known), "")
    if found:
        return found
    near = [sign for sign in known if sign.partition("_")[0] == main]
    return near[0] if len(near) == 1 else ""
