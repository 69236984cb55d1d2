from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import DataError, FunctoryError, NotSupported, Tokenizer
from functory_sdk.conversion import package_file
from functory_sdk.gguf import Gguf, convert
from functory_smollm2.convert import WEIGHTS

PACKED = package_file(WEIGHTS.package, WEIGHTS.file)
needs_package = pytest.mark.skipif(PACKED is None, reason=f"the weights are not installed: {WEIGHTS.install}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The converted model, made once for this file."""
    if PACKED is None:
        pytest.skip(f"the weights are not installed: {WEIGHTS.install}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield WEIGHTS.folder(progress=lambda done, total: None)


@pytest.fixture(scope="module")
def llama(folder: Path) -> Any:  # a transformers LlamaForCausalLM
    transformers = pytest.importorskip("transformers")
    model, loading = transformers.LlamaForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(loading.values()), loading
    return model.eval()


def write(model: Any, tokenizer: Tokenizer, ids: list[int], count: int = 10) -> str:
    import torch

    made = model.generate(torch.tensor([ids]), max_new_tokens=count, do_sample=False)[0, len(ids) :]
    return tokenizer.text(made.tolist())


def test_it_knows_the_capital_of_france(llama: Any, folder: Path) -> None:
    tokenizer = Tokenizer(folder / "tokenizer.json")
    prompt = tokenizer.tokens(["The capital of France is"])[0].ids.tolist()
    assert write(llama, tokenizer, prompt).startswith(" Paris.")


def test_the_chat_template_is_kept_and_answers(llama: Any, folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    ids = theirs.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert theirs.decode(ids).endswith("capital of France?<|im_end|>\n<|im_start|>assistant\n")
    assert write(llama, Tokenizer(folder / "tokenizer.json"), ids) == "The capital of France is Paris."


@pytest.mark.slow
@pytest.mark.peer(name="gguf")
def test_the_logits_are_those_of_transformers_own_reading_of_gguf(llama: Any) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("gguf")
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        PACKED.parent, gguf_file=PACKED.name, dtype=torch.float32
    )
    ids = torch.tensor([[504, 3575, 282, 4649, 314]])
    with torch.no_grad():
        assert torch.equal(llama(input_ids=ids).logits, theirs(input_ids=ids).logits)
    assert llama.state_dict().keys() == theirs.state_dict().keys()


TEXTS = {
    "Hello world, it's 1234 o'clock.": [
        "Hello",
        "Ġworld",
        ",",
        "Ġit",
        "'s",
        "Ġ",
        "1",
        "2",
        "3",
        "4",
        "Ġo",
        "'",
        "clock",
        ".",
    ],
    " a  b\n\n c ": ["Ġa", "Ġ", "Ġb", "ĊĊ", "Ġc", "Ġ"],
    "<|im_start|>user": ["<|im_start|>", "user"],
    "½": ["Â½"],
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_split_as_gguf_s_smollm_says(folder: Path, text: str) -> None:
    from tokenizers import Tokenizer as RawTokenizer

    raw = RawTokenizer.from_file(str(folder / "tokenizer.json"))
    encoding = raw.encode(text)
    assert encoding.tokens == TEXTS[text]
    assert raw.decode(encoding.ids, skip_special_tokens=False) == text


def test_offsets_are_characters_of_the_original_text_without_the_space_before(folder: Path) -> None:
    text = "a  café 你👍🏽"
    tokens = Tokenizer(folder / "tokenizer.json").tokens([text])[0]
    spans = [text[start:stop] for start, stop in tokens.offsets]
    assert "".join(dict.fromkeys(spans)) == "acafé你👍🏽"
    assert all(span == span.strip() for span in spans)


SIZE_5 = b"\x05" + bytes(7)
PRE = b"tokenizer.ggml.pre\x08\x00\x00\x00\x06" + bytes(7)


@needs_package
@pytest.mark.parametrize(
    ("old", "new", "kind", "message"),
    [
        (b"GGUF\x03", b"GGUF\x09", DataError, "GGUF version 9; known are 2 and 3"),
        (SIZE_5 + b"llama", SIZE_5 + b"qwenn", NotSupported, "architecture is 'qwenn'"),
        (PRE + b"smollm", PRE + b"tekken", NotSupported, "split by 'tekken'"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(
    tmp_path: Path, old: bytes, new: bytes, kind: type[FunctoryError], message: str
) -> None:
    data = PACKED.read_bytes()
    assert data.count(old) == 1
    other = tmp_path / "model.gguf"
    other.write_bytes(data.replace(old, new))
    with pytest.raises(kind, match=message):
        convert(other, tmp_path, lambda done, total: None)
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_the_configuration_says_what_the_file_says(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert (config["num_attention_heads"], config["num_key_value_heads"], config["rope_theta"]) == (
        9,
        3,
        100000.0,
    )
    assert config["tie_word_embeddings"] is True
    assert config["rms_norm_eps"] == 1e-5
    fields = Gguf(PACKED).fields
    assert config["max_position_embeddings"] == fields["llama.context_length"] == 8192
