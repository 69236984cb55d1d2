"""Small checkpoints as folders that transformers reads, of many families: random, and the same by whichever version writes them.

Their weights are drawn by numpy for each name, so that two versions of transformers can be held side by side without a file
between them. Tokens are bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
MBART = (
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX", "kk_KZ", "ko_KR",
    "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN",
)  # fmt: skip
"""The languages that mBART's tokenizer marks."""

_ENDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
_T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 4}
_BART = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 512,
}  # fmt: skip
_BERT = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 130,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "t5": ("T5Config", "T5ForConditionalGeneration", {**_T5, "decoder_start_token_id": 1}),
    "bart": ("BartConfig", "BartForConditionalGeneration", {**_BART, "decoder_start_token_id": 2}),
    "marian": ("MarianConfig", "MarianMTModel", {**_BART, "decoder_start_token_id": 1}),
    "mbart": ("MBartConfig", "MBartForConditionalGeneration", {**_BART, "decoder_start_token_id": 2}),
    "m2m_100": ("M2M100Config", "M2M100ForConditionalGeneration", {**_BART, "decoder_start_token_id": 2}),
    "pegasus": ("PegasusConfig", "PegasusForConditionalGeneration", {**_BART, "decoder_start_token_id": 1}),
    "bert": ("BertConfig", "BertForQuestionAnswering", _BERT),
    "roberta": ("RobertaConfig", "RobertaForQuestionAnswering", {**_BERT, "max_position_embeddings": 132}),
    "albert": ("AlbertConfig", "AlbertForQuestionAnswering", {**_BERT, "embedding_size": 16}),
    "distilbert": (
        "DistilBertConfig", "DistilBertForQuestionAnswering",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 130},
    ),
}  # fmt: skip
"""The configuration, the model and what is small about it, by family."""


def write_checkpoint(
    folder: Path,
    family: str,
    *,
    config: Mapping[str, Any] | None = None,
    generation: Mapping[str, Any] | None = None,
    tokenizer: Mapping[str, Any] | None = None,
    languages: str = "",
) -> Path:
    """Write a small checkpoint with random weights into a folder, and return it.

    :param family: a key of `FAMILIES`.
    :param config: further settings of config.json, as they are given, whatever this version of transformers thinks of them.
    :param generation: further settings of generation_config.json; where it is None there is none, as of old.
    :param tokenizer: further settings of tokenizer_config.json.
    :param languages: ``mbart`` or ``nllb``, where the tokenizer marks languages as theirs do.
    """
    import transformers
    from tokenizers import processors

    configuration, model, small = FAMILIES[family]
    raw, size = _of_languages(languages) if languages else _bytewise()
    raw.add_special_tokens(list(SPECIAL))
    if not languages:
        raw.post_processor = processors.TemplateProcessing(
            single="$A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    made = getattr(transformers, configuration)(vocab_size=size, **_ENDS, **small)
    _draw(getattr(transformers, model)(made), 2.0 if family == "t5" else 5.0).save_pretrained(folder)
    _settle(folder, {**(config or {}), **({"decoder_vocab_size": size} if family == "marian" else {})}, generation)
    (folder / "tokenizer.json").write_text(raw.to_str(), encoding="utf-8")
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    kind = {"mbart": "MBartTokenizer", "nllb": "NllbTokenizer"}.get(languages, "PreTrainedTokenizerFast")
    ours = {"tokenizer_class": kind, "model_max_length": 512, **names}
    about = {**ours, "cls_token": "<s>", "sep_token": "</s>", **(tokenizer or {})}
    (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def _settle(folder: Path, config: Mapping[str, Any], generation: Mapping[str, Any] | None) -> None:
    """Put what is asked for into config.json and generation_config.json."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **config}), encoding="utf-8")
    about = folder / "generation_config.json"
    if generation is None:
        about.unlink(missing_ok=True)
    else:
        kept = json.loads(about.read_text(encoding="utf-8"))
        kept.pop("_from_model_config", None)
        about.write_text(json.dumps({**kept, **generation}), encoding="utf-8")


def _draw(model: Any, scale: float) -> Any:  # Any: a model of transformers
    """Return a model whose weights numpy drew, each by its name; large enough that what is read decides what is written."""
    import numpy as np
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(parameter.shape), dtype=np.float32)
            noise = torch.from_numpy(drawn)
            if parameter.ndim == 1:
                is_norm = "norm" in name.lower() and name.endswith("weight")
                parameter.copy_(0.05 * noise + (1.0 if is_norm else 0.0))
            elif "shared" in name or "embed" in name:
                parameter.copy_(0.4 * noise)
            else:
                parameter.copy_(scale * noise / parameter.shape[-1] ** 0.5)
    return model.eval()


def _bytewise() -> tuple[Any, int]:  # Any: a tokenizer of tokenizers
    """Return a tokenizer whose tokens are bytes, and the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = {piece: number for number, piece in enumerate([*SPECIAL, *letters])}
    raw = Tokenizer(models.BPE(pieces, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return raw, len(pieces)


def _of_languages(kind: str) -> tuple[Any, int]:  # Any: as above
    """Return a tokenizer whose tokens are characters and the marks of languages, as mBART's or NLLB's has them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = ["\u2581", *(chr(code) for code in range(33, 127)), *"\u7535\u5f71\u5f88\u597d\u770b"]
    pieces = [*SPECIAL[:4], *letters, *(MBART if kind == "mbart" else _nllb_codes()), SPECIAL[4]]
    made = (
        models.Unigram([(piece, -2.0) for piece in pieces], unk_id=3)
        if kind == "mbart"
        else models.BPE({piece: number for number, piece in enumerate(pieces)}, [], unk_token="<unk>", fuse_unk=True)
    )
    raw = Tokenizer(made)
    raw.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=True)
    raw.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always", split=True)
    raw.add_special_tokens(pieces[4 + len(letters) :])
    return raw, len(pieces)


def _nllb_codes() -> list[str]:
    """Return the languages that NLLB's tokenizer marks, from wherever this version of transformers keeps them."""
    from importlib import import_module

    for module in ("tokenization_nllb_fast", "tokenization_nllb"):
        try:
            return list(import_module(f"transformers.models.nllb.{module}").FAIRSEQ_LANGUAGE_CODES)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError("this version of transformers has no tokenizer of NLLB")
