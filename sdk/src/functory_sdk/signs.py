"""Opens a model folder's tokenizer as its model was made to read: which added tokens are signs, and which are markers.

Apart from the tokenizer itself, which only knows what is "special": people add ``[E1]`` and ``[/E1]`` as special tokens and
mean words by them, and a chat model's ``<tool_call>`` is none and yet opens a call. What decides is the **role**. A token is
a sign, and stays text where a text spells it, if

- tokenizer_config.json or special_tokens_map.json gives it a name (``sep_token``, ``image_token``), or config.json or
  generation_config.json names its id (``eos_token_id``);
- the tokenizer puts it around a text, or the chat template spells it;
- it is written as control tokens are, ``<|end|>``, ``[INST]``, ``[CLS]``, whatever the files say;
- it is special, its model has a chat template, and no list of additional special tokens has it;
- it is special, and its makers had such tokens split in texts (``split_special_tokens``).

Every other added token, special or not, is a marker, and read as one token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from functory.errors import ArtefactCorrupt, WeightsMissing
from functory.reading.tokenizer import Tokenizer
from functory_sdk.jsonfiles import check_fetched, read_json
from functory_sdk.sentencepiece import read_folder

Json = Mapping[str, Any]  # Any: JSON as its authors left it
LISTS = ("additional_special_tokens", "extra_special_tokens")
"""Under these keys stand the special tokens that have no role; in an object by a name, which is one."""
_CONTROL = re.compile(
    r"<[|｜].*[|｜]>|[<\[](cls|sep|pad|mask|unk|bos|eos|s|/s)[>\]]|\[/?(INST|SYSTEM_PROMPT|TOOL_\w+)\]|</?(start|end)_of_\w+>",
    re.IGNORECASE,
)
_WRITTEN = re.compile(r"[<\[]\S+[>\]]")
"""How a token looks that no text holds by chance; a template may well spell an added token that is a word or a line break."""


def open_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a model folder.

    :raises WeightsMissing: where there is no tokenizer.json, and no files of SentencePiece that are known.
    :raises ArtefactCorrupt: where it is none, or a text could become a token that the model has no embedding of.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        made = read_folder(folder)
        if made is not None:
            _check_vocabulary(made, read_json(folder, "config.json"), folder)
            return made
        raise WeightsMissing(
            "the model has no tokenizer.json, and no SentencePiece files of a translator, which are read here too.",
            where=str(folder),
            do=f"make it with transformers: AutoTokenizer.from_pretrained({str(folder)!r}).save_pretrained({str(folder)!r})",
        )
    with path.open("rb") as file:
        check_fetched(path, file.read(64), "the tokenizer")
    plain = Tokenizer(path)
    signs = signs_of(folder, plain)
    found = plain if signs == plain.signs else Tokenizer(path, signs)
    _check_vocabulary(found, read_json(folder, "config.json"), folder)
    return found


def signs_of(folder: Path, tokenizer: Tokenizer) -> frozenset[str]:
    """Return the added tokens that no text may spell.

    :param tokenizer: of whatever signs.
    """
    texts = [read_json(folder, name) for name in ("tokenizer_config.json", "special_tokens_map.json")]
    roles = {*_named(texts), *_by_id(folder, tokenizer), *_around(tokenizer)}
    listed = {token for config in texts for token in _listed(config)}
    template = "\n".join(_templates(folder, texts[0]))
    is_split = texts[0].get("split_special_tokens") is True

    def is_sign(token: str, is_special: bool) -> bool:
        if token in roles or _CONTROL.fullmatch(token):
            return True
        if token in template and (is_special or _WRITTEN.fullmatch(token)):
            return True
        return is_special and (is_split or (bool(template) and token not in listed))

    return frozenset(token for token, is_special in tokenizer.added.items() if is_sign(token, is_special))


def chat_template(folder: Path, config: Json) -> str:
    """Return the template of a conversation, as it was saved; empty where there is none.

    :param config: tokenizer_config.json.
    """
    file = folder / "chat_template.jinja"
    found: Any = file.read_text("utf-8-sig", errors="replace") if file.is_file() else config.get("chat_template")
    if isinstance(found, list):  # several, by name
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else ""


def spelled_signs(tokenizer: Tokenizer) -> tuple[str, ...]:
    """Return the note of a model made elsewhere that signs which a text spells are text here; none where it has no signs."""
    signs = sorted(tokenizer.signs)
    if not signs:
        return ()
    more = f" and {len(signs) - 4} more" if len(signs) > 4 else ""
    return (f"{', '.join(signs[:4])}{more} in a text are text, and no tokens as transformers reads them",)


def _templates(folder: Path, config: Json) -> Iterator[str]:
    """Give every template of a conversation: the default, those for tools and whatever else has a name."""
    yield chat_template(folder, config)
    given = config.get("chat_template")
    yield from (content_of(one, "template") for one in (given if isinstance(given, list) else ()))
    for file in sorted((folder / "additional_chat_templates").glob("*.jinja")):
        yield file.read_text("utf-8", errors="replace")


def content_of(given: Any, key: str = "content") -> str:
    """Return the text of a token that a configuration names: as it stands, or with how it is matched."""
    found = given.get(key) if isinstance(given, dict) else given
    return found if isinstance(found, str) else ""


def _named(configs: list[dict[str, Any]]) -> Iterator[str]:
    """Give the tokens that have a name."""
    for config in configs:
        named = {key: value for key, value in config.items() if key.endswith("_token")}
        for key in LISTS:
            named |= config[key] if isinstance(config.get(key), dict) else {}
        yield from filter(None, map(content_of, named.values()))


def _listed(config: Json) -> Iterator[str]:
    """Give the special tokens without a role."""
    for key in LISTS:
        yield from map(content_of, config[key] if isinstance(config.get(key), list) else ())


def _by_id(folder: Path, tokenizer: Tokenizer) -> Iterator[str]:
    """Give the tokens whose ids the model's configuration names: where a text begins, ends, is padded."""
    for name in ("config.json", "generation_config.json"):
        for key, given in read_json(folder, name).items():
            if key.endswith("_token_id"):
                ids = given if isinstance(given, list) else [given]
                found = (tokenizer.token(one) for one in ids if isinstance(one, int) and one >= 0)
                yield from (token for token in found if token is not None)


def _around(tokenizer: Tokenizer) -> Iterator[str]:
    """Give the tokens that the tokenizer puts around texts."""
    for part in tokenizer.frame:
        yield from (token for one in part.tolist() if (token := tokenizer.token(one)) is not None)


def _check_vocabulary(tokenizer: Tokenizer, config: Json, folder: Path) -> None:
    """Refuse a tokenizer that knows more tokens than the model has embeddings; signs that no text becomes may lie beyond.

    :raises ArtefactCorrupt: naming both numbers.
    """
    size = config.get("vocab_size")
    if not isinstance(size, int):
        return
    beyond = tokenizer.beyond(size)
    if not beyond:
        return
    first = min(beyond)
    raise ArtefactCorrupt(
        f"the tokenizer has {max(beyond) + 1:,} tokens, the model {size:,} embeddings: there is none of {beyond[first]!r}, the "
        f"id {first:,}.",
        where=str(folder / "tokenizer.json"),
        do="take the tokenizer that the model was saved with; where tokens were added to it, the model must be as large: "
        "model.resize_token_embeddings(len(tokenizer)), trained and saved again.",
    )
