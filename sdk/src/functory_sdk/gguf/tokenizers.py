"""The tokenizer's files, from the tokens of a GGUF file: byte-level BPE ("gpt2"), and SentencePiece's BPE ("llama").

Apart from the models: which tokenizer a file has does not follow from its architecture. What GGUF does not say, how a text is
split into words before its pieces are found, it calls by a name (``tokenizer.ggml.pre``); the names known here are those of
the three families.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from functory_sdk.gguf.file import Gguf, told

UNKNOWN, CONTROL, USER, UNUSED, BYTE = 2, 3, 4, 5, 6
"""GGUF's types of tokens: what stands for an unknown one; signs; words that were added; nothing; one byte."""
Json = dict[str, Any]  # Any: JSON
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_PLAIN = {**_BYTES, "use_regex": False}
_ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end_of_turn|>", "<|endoftext|>", "<|end_of_text|>", "<|end|>",
)  # fmt: skip
"""Signs that end what a model says, of which GGUF names one or two."""
SPACE = "\u2581"
"""How SentencePiece writes a space."""


def _split(numbers: str) -> Json:
    """Return how Llama 3 and Qwen split a text: by words, so many digits, signs, line ends, spaces."""
    ways = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"[^\r\n\p{L}\p{N}]?\p{L}+", numbers, r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+",
            r"\s+(?!\S)", r"\s+")  # fmt: skip
    words = "|".join(ways)
    cut = {"type": "Split", "pattern": {"Regex": words}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [cut, _PLAIN]}


_DIGITS = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, _BYTES]}
SPLITS: dict[str, Json] = {
    "gpt-2": _BYTES,
    "smollm": _DIGITS,
    "llama-bpe": _split(r"\p{N}{1,3}"),
    "qwen2": _split(r"\p{N}"),
    "deepseek-r1-qwen": _split(r"\p{N}"),
}
"""GGUF's name of a way to split a text → that way."""
_COMPOSED = ("qwen2", "deepseek-r1-qwen")
"""Ways whose makers composed characters first (NFC)."""


def tokenizer_json(gguf: Gguf) -> Json:
    """Return the content of tokenizer.json.

    :raises DataError: where tokens, their types, scores or merges do not fit each other.
    :raises NotSupported: for a tokenizer of another kind, named.
    """
    kind = gguf.text("tokenizer.ggml.model")
    if kind not in ("gpt2", "llama"):
        raise gguf.unknown(
            f"its tokenizer is of the kind {kind!r}; 'gpt2' (byte-level BPE) and 'llama' (SentencePiece) are read.",
            "take the model's folder, with its tokenizer.json.",
        )
    tokens, types = _tokens(gguf)
    made = _bytewise(gguf, tokens) if kind == "gpt2" else _pieces(gguf, tokens, types)
    frame = list(_frame(gguf, kind, tokens))
    after = [made["post_processor"], *frame] if made["post_processor"] else frame
    return made | {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(id, token, types[id]) for id, token in enumerate(tokens) if types[id] in (CONTROL, USER)],
        "post_processor": {"type": "Sequence", "processors": after} if len(after) > 1 else next(iter(after), None),
    }


def _tokens(gguf: Gguf) -> tuple[list[str], list[int]]:
    """Return the tokens and their types.

    :raises DataError: where there is not one type for each, or a token is there twice.
    """
    tokens = gguf.items("tokenizer.ggml.tokens", str)
    types = gguf.items("tokenizer.ggml.token_type", int)
    if len(types) != len(tokens):
        raise gguf.fault(f"it has {len(tokens):,} tokens and {len(types):,} types of tokens.")
    if len(set(tokens)) != len(tokens):
        seen: set[str] = set()
        twice = next(token for token in tokens if token in seen or seen.add(token))  # type: ignore[func-returns-value]
        raise gguf.fault(f"the token {told(twice)} is there twice.")
    return tokens, types


def _added(id: int, token: str, kind: int) -> Json:
    is_sign = kind == CONTROL
    return {
        "id": id, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
        "special": is_sign,
    }  # fmt: skip


def _bpe(tokens: list[str], merges: list[list[str]], **settings: Any) -> Json:
    """Return a BPE model."""
    return {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
        "vocab": {token: id for id, token in enumerate(tokens)}, "merges": merges, **settings,
    }  # fmt: skip


def _bytewise(gguf: Gguf, tokens: list[str]) -> Json:
    """Return a byte-level BPE.

    :raises NotSupported: where a text is split in a way that is not known here.
    """
    way = gguf.text("tokenizer.ggml.pre", "")
    if way not in SPLITS:
        raise gguf.unknown(
            f"its texts are split by {way!r} (tokenizer.ggml.pre); known are {', '.join(SPLITS)}.",
            "take the model's folder, with its tokenizer.json.",
        )
    known = set(tokens)
    merges = [merge.split(" ") for merge in gguf.items("tokenizer.ggml.merges", str)]
    for merge in merges:
        if len(merge) != 2 or not {*merge, "".join(merge)} <= known:
            raise gguf.fault(f"the merge {told(' '.join(merge))} does not join two of the tokens to a third.")
    return {
        "normalizer": {"type": "NFC"} if way in _COMPOSED else None,
        "pre_tokenizer": SPLITS[way],
        "post_processor": _BYTES,  # adds no token; it takes the space before a word out of its offsets
        "decoder": _BYTES,
        "model": _bpe(tokens, merges, ignore_merges=way == "llama-bpe"),
    }


def _pieces(gguf: Gguf, tokens: list[str], types: list[int]) -> Json:
    """Return SentencePiece's BPE: of two pieces that stand beside each other, those are joined first that score highest.

    :raises DataError: where there is not one score for each token.
    """
    scores = gguf.items("tokenizer.ggml.scores", float)
    if len(scores) != len(tokens):
        raise gguf.fault(f"it has {len(tokens):,} tokens and {len(scores):,} scores of tokens.")
    begins = gguf.fields.get("tokenizer.ggml.add_space_prefix", True) is not False
    spaces = [{"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]
    before = [{"type": "Prepend", "prepend": SPACE}] if begins else []
    strip = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if begins else []
    back = [{"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    unknown = next((token for token, kind in zip(tokens, types, strict=True) if kind == UNKNOWN), None)
    return {
        "normalizer": {"type": "Sequence", "normalizers": [*before, *spaces]},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [*back, *strip]},
        "model": _bpe(tokens, _merges(tokens, scores, types), unk_token=unknown, fuse_unk=True, byte_fallback=BYTE in types),
    }


def _merges(tokens: list[str], scores: list[float], types: list[int]) -> list[list[str]]:
    """Return the pairs of pieces that join to a third, the best of them first; of equals the one whose parts come first."""
    plain = {token: id for id, token in enumerate(tokens) if types[id] not in (CONTROL, UNKNOWN, UNUSED, BYTE)}
    found = [
        (-scores[id], plain[token[:cut]], plain[token[cut:]], token[:cut], token[cut:])
        for token, id in plain.items()
        for cut in range(1, len(token))
        if token[:cut] in plain and token[cut:] in plain
    ]
    return [[left, right] for *_, left, right in sorted(found)]


def _frame(gguf: Gguf, kind: str, tokens: list[str]) -> Iterator[Json]:
    """Give what puts signs around a text, where the file says that some stand there."""
    before = _around(gguf, "bos", tokens, kind == "llama" or gguf.fields.get("tokenizer.ggml.pre") == "llama-bpe")
    after = _around(gguf, "eos", tokens, False)
    if not before and not after:
        return
    first, second = ({"Sequence": {"id": name, "type_id": type}} for name, type in (("A", 0), ("B", 1)))
    signs = [[{"SpecialToken": {"id": token, "type_id": 0}} for token in part] for part in (before, after)]
    yield {
        "type": "TemplateProcessing",
        "single": [*signs[0], first, *signs[1]],
        "pair": [*signs[0], first, *signs[1], *signs[0], second, *signs[1]],
        "special_tokens": {token: {"id": token, "ids": [tokens.index(token)], "tokens": [token]} for token in (*before, *after)},
    }


def _around(gguf: Gguf, name: str, tokens: list[str], is_usual: bool) -> list[str]:
    """Return the sign of a role where it stands around each text."""
    id = named(gguf, name, tokens)
    return [tokens[id]] if id is not None and gguf.fields.get(f"tokenizer.ggml.add_{name}_token", is_usual) else []


def named(gguf: Gguf, name: str, tokens: list[str]) -> int | None:
    """Return the id of a token with a role, bos, eos, unknown, padding, eot; None where the file names none.

    :raises DataError: where there is no such token.
    """
    field = f"tokenizer.ggml.{name}_token_id"
    if field not in gguf.fields:
        return None
    found = gguf.whole(field, least=0)
    if found >= len(tokens):
        raise gguf.fault(f"{field} is {found:,}; it has {len(tokens):,} tokens.")
    return found


def token_ids(gguf: Gguf) -> Json:
    """Return the ids of tokens with a role, as config.json and generation_config.json have them."""
    tokens, types = _tokens(gguf)
    ends = [named(gguf, name, tokens) for name in ("eos", "eot", "eom")]
    ends += [id for id, token in enumerate(tokens) if types[id] == CONTROL and token in _ENDS]
    end = list(dict.fromkeys(id for id in ends if id is not None))
    pad = named(gguf, "padding", tokens)
    found = {
        "bos_token_id": named(gguf, "bos", tokens),
        "eos_token_id": end[0] if len(end) == 1 else end or None,
        "pad_token_id": pad if pad is not None else next(iter(end), 0),
    }
    return {name: id for name, id in found.items() if id is not None}


def tokenizer_config(gguf: Gguf) -> Json:
    """Return the content of tokenizer_config.json: the named tokens, the context, the chat template."""
    tokens, _ = _tokens(gguf)
    roles = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    ids = {name: named(gguf, ours, tokens) for name, ours in roles.items()}
    architecture = gguf.text("general.architecture")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{name}_token": tokens[id] for name, id in ids.items() if id is not None},
        "model_max_length": gguf.whole(f"{architecture}.context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": gguf.text("tokenizer.chat_template", ""),
    }
