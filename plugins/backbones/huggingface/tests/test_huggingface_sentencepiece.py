"""Folders of translators as the hub has them, with SentencePiece's files and no tokenizer.json."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.errors import ArtefactCorrupt, NotSupported, WeightsMissing
from functory_sdk import Tokenizer, open_tokenizer
from functory_sdk.testing.checkpoints import MBART, write_checkpoint

pytestmark = pytest.mark.usefixtures("own_cache")
Piece = tuple[str, float, int]
LATIN = [(letter, -8.0, 1) for letter in "abcdefghijklmnopqrstuvwxyz."]
CHINESE = [(letter, -8.0, 1) for letter in "电影很好"]
SOURCE: list[Piece] = [("</s>", 0, 3), ("<unk>", 0, 2), ("▁", -3, 1), ("▁the", -2, 1), ("▁film", -2.5, 1), *LATIN]
TARGET: list[Piece] = [("</s>", 0, 3), ("<unk>", 0, 2), ("▁", -3, 1), ("电影", -2, 1), ("▁o", -2, 1), ("é", -8, 1), *CHINESE]
FAIRSEQ: list[Piece] = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -3, 1), ("▁the", -2, 1), *LATIN, *CHINESE]


def number(value: int) -> bytes:
    """A whole number, seven bits to a byte."""
    return bytes([value & 127 | 128]) + number(value >> 7) if value > 127 else bytes([value])


def message(field: int, raw: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(raw)) + raw


def spm(pieces: Iterable[Piece], kind: int = 1, dummy: int = 1) -> bytes:
    """A SentencePiece model file."""
    made = b""
    for text, score, type_ in pieces:
        made += message(1, message(1, text.encode()) + number(2 << 3 | 5) + struct.pack("<f", score) + b"\x18" + number(type_))
    return made + message(2, b"\x18" + number(kind)) + message(3, b"\x18" + number(dummy))


def put(folder: Path, **files: Any) -> Path:
    """Write files, JSON or bytes, whose dots are underscores with two."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / name.replace("__", ".")).write_bytes(raw)
    return folder


def joint(*models: Sequence[Piece]) -> dict[str, int]:
    texts = [text for model in models for text, _, _ in model]
    return {text: place for place, text in enumerate(dict.fromkeys([*texts, ">>por<<", "<pad>"]))}


def marian(folder: Path, **more: Any) -> Path:
    files: dict[str, Any] = {"source__spm": spm(SOURCE), "target__spm": spm(TARGET), "vocab__json": joint(SOURCE, TARGET)}
    return put(folder, **{"config__json": {"model_type": "marian"}, **files, **more})


def read(tokenizer: Tokenizer, text: str) -> list[str | None]:
    return [tokenizer.token(one) for one in tokenizer.tokens([text])[0].ids.tolist()]


def test_a_marian_reads_by_one_file_and_writes_by_the_other(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(marian(tmp_path))
    assert read(tokenizer, "the  film o.") == ["▁the", "▁film", "▁", "o", "."]
    assert read(tokenizer.writer, "o 电影很好") == ["▁o", "▁", "电影", "很", "好"]
    assert read(tokenizer, ">>por<< the") == [">>por<<", "▁the"]
    assert tokenizer.text([tokenizer.id(one) or 0 for one in ("▁o", "电影", "很", "</s>")]) == "o电影很"
    assert [part.tolist() for part in tokenizer.frame] == [[], [], [tokenizer.id("</s>")]]
    assert tokenizer.tokens(["</s><unk>"])[0].ids.tolist().count(tokenizer.id("</s>")) == 0


def test_what_only_the_written_language_has_is_unknown_where_it_is_read_before_and_after_storing(tmp_path: Path) -> None:
    once = open_tokenizer(marian(tmp_path))
    for tokenizer in (once, Tokenizer(once.json)):
        assert read(tokenizer, "the 电影很 film") == ["▁the", "▁", "<unk>", "▁film"]
        assert tokenizer.tokens(["the 电影很 film"])[0].offsets.tolist()[2] == [4, 7]
        assert read(tokenizer, "caféx") == ["▁", "c", "a", "f", "é", "x"]  # SentencePiece gives it as it is spelled
        assert read(tokenizer, "ßq 很") == ["▁", "<unk>", "q", "▁", "很"]


def test_a_marian_folder_becomes_a_function_that_is_saved_loaded_and_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    folder = write_checkpoint(tmp_path / "marian", "marian", generation={"max_length": 16})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    marian(folder, config__json=json.loads((folder / "config.json").read_text()))
    made = functory.build(task="translation", backbone=str(folder), target="zh", max_new_tokens=8)
    found = made("the film.")
    made.save(tmp_path / "made")
    assert functory.load(tmp_path / "made")("the film.").text == found.text
    rows = [{"text": "the film", "translation": "电影很好"}] * 4
    by = spied(monkeypatch, "电影很好")
    taught = functory.build(
        task="translation", backbone=str(folder), target="zh", train=rows, dev=rows, adaptation={"name": "lora", "epochs": 1}
    )
    assert taught("the film").text is not None
    assert by == {True}  # what is to be written was read by the file for it, and by no other


def spied(monkeypatch: pytest.MonkeyPatch, text: str) -> set[bool]:
    """Note whether a tokenizer that reads a text is the one for what is written."""
    found: set[bool] = set()
    real = Tokenizer.tokens

    def tokens(self: Tokenizer, texts: Sequence[str], **how: Any) -> Any:
        if text in texts:
            found.add(self.writer is self)
        return real(self, texts, **how)

    monkeypatch.setattr(Tokenizer, "tokens", tokens)
    return found


LANGUAGES: dict[str, tuple[str, dict[str, Any], list[str], list[str]]] = {
    "mbart": ("MBartTokenizer", {}, [], ["</s>", "en_XX"]),
    "mbart50": ("MBart50TokenizerFast", {}, ["en_XX"], ["</s>"]),
    "nllb": ("NllbTokenizer", {"additional_special_tokens": ["ace_Arab", "eng_Latn", "zho_Hans"]}, ["eng_Latn"], ["</s>"]),
    "m2m_100": ("M2M100Tokenizer", {"additional_special_tokens": ["__en__", "__zh__"]}, ["__en__"], ["</s>"]),
}


@pytest.mark.parametrize("kind", LANGUAGES)
def test_a_folder_of_many_languages_has_their_signs_after_its_pieces(kind: str, tmp_path: Path) -> None:
    named, listed, before, after = LANGUAGES[kind]
    more: dict[str, Any] = {"special_tokens_map__json": listed} if listed else {}
    if kind == "m2m_100":
        pieces = ["<s>", "<pad>", "</s>", "<unk>", *(text for text, _, _ in FAIRSEQ[3:])]
        more["vocab__json"] = {text: place for place, text in enumerate(pieces)}
    more |= {"tokenizer_config__json": {"tokenizer_class": named}, "sentencepiece__bpe__model": spm(FAIRSEQ)}
    tokenizer = open_tokenizer(put(tmp_path, config__json={}, **more))
    codes = listed.get("additional_special_tokens") or [*MBART]
    first = len(FAIRSEQ) + 1
    assert [tokenizer.id(code) for code in codes] == list(range(first, first + len(codes)))
    assert [tokenizer.id(sign) for sign in ("<s>", "<pad>", "</s>", "<unk>", "▁")] == [0, 1, 2, 3, 4]
    assert tokenizer.id("<mask>") == (None if kind == "m2m_100" else {"mbart50": first + 52}.get(kind, first + len(codes)))
    around = [[tokenizer.token(one) for one in part.tolist()] for part in tokenizer.frame]
    assert (around[0], around[2]) == (before, after)
    assert read(tokenizer, "the 电影") == ["▁the", "▁", "电", "影"]
    assert not {tokenizer.id(code) for code in codes} & set(tokenizer.tokens([" ".join(codes)])[0].ids.tolist())


def test_merges_are_ordered_by_the_scores_of_what_they_make(tmp_path: Path) -> None:
    merged = [("▁t", -0.0, 1), ("th", -1.0, 1), ("he", -2.0, 1), ("▁th", -3.0, 1), ("▁the", -4.0, 1)]
    pieces = [*FAIRSEQ[:3], *merged, ("▁", -9, 1), *LATIN]
    about = {"tokenizer_class": "NllbTokenizer", "additional_special_tokens": ["eng_Latn"]}
    folder = put(tmp_path, config__json={}, tokenizer_config__json=about, sentencepiece__bpe__model=spm(pieces, kind=2))
    tokenizer = open_tokenizer(folder)
    assert read(tokenizer, "the he") == ["▁the", "▁", "he"]
    assert read(tokenizer, "ththe") == ["▁th", "th", "e"]  # "▁t" comes first of all; then "th", so that there is no "he"


@pytest.mark.parametrize(
    ("spoiled", "error", "said"),
    [
        ({"source__spm": b"\xff\xff\xff"}, ArtefactCorrupt, "source.spm is no SentencePiece model"),
        ({"source__spm": b"not at all"}, ArtefactCorrupt, "source.spm is no SentencePiece model"),
        ({"source__spm": spm([])}, ArtefactCorrupt, "it has no pieces"),
        ({"source__spm": spm(SOURCE)[:-3]}, ArtefactCorrupt, "does not end"),
        ({"source__spm": spm(SOURCE, kind=3)}, NotSupported, "of the kind 3"),
        ({"target__spm": spm(TARGET, dummy=0)}, NotSupported, "put a space before"),
        ({"vocab__json": {"</s>": 0, "a": 2}}, ArtefactCorrupt, "vocab.json is missing, or does not count"),
        ({"vocab__json": {"a": 0}}, ArtefactCorrupt, "vocab.json has no '</s>'"),
        ({"target_vocab__json": {}}, NotSupported, "one vocabulary for what it reads and another"),
        ({"config__json": {"model_type": "marian", "vocab_size": 20}}, ArtefactCorrupt, "the model 20 embeddings"),
    ],
)
def test_files_that_do_not_fit_are_told_with_what_to_do(
    spoiled: dict[str, Any], error: type[functory.errors.FunctoryError], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said) as caught:
        open_tokenizer(marian(tmp_path, **spoiled))
    assert str(tmp_path) in caught.value.where
    assert caught.value.do


def test_a_folder_without_what_is_known_says_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="no tokenizer.json, and no SentencePiece files"):
        open_tokenizer(put(tmp_path / "none", config__json={"model_type": "t5"}, sentencepiece__bpe__model=spm(FAIRSEQ)))
    with pytest.raises(NotSupported, match="nothing that lists the languages"):
        open_tokenizer(put(tmp_path / "nllb", config__json={"model_type": "m2m_100"}, sentencepiece__bpe__model=spm(FAIRSEQ)))
    moved = {"added_tokens_decoder": {"7": {"content": "en_XX"}}, "tokenizer_class": "MBartTokenizer"}
    with pytest.raises(ArtefactCorrupt, match="gives 'en_XX' the id 7"):
        open_tokenizer(put(tmp_path / "m", config__json={}, tokenizer_config__json=moved, sentencepiece__bpe__model=spm(FAIRSEQ)))


ENGLISH = [
    "The film was good, and we saw it twice.", "The book was bad; it rained all day.", "We read the good book, 3.5% off.",
    "“Quotes” and it's fine – O'Neil’s e-mail.", "A very very long day in the rain and the sun.",
]  # fmt: skip
OTHER = [
    "O filme foi bom e nós o vimos duas vezes.", "Lemos o bom livro à noite, em São Paulo.", "Um dia muito longo na chuva.",
    "电影很好看，我们看了两次。", "这本书不好，下了一整天的雨。",
]  # fmt: skip
PROBES = [
    *ENGLISH, *OTHER, "  two   spaces ", "naïve ﬁlms ½ ①", "film 电影很好 day", "xyzq 123", "", "a", "\ttab\nline", "Привет film",
    "é ê", "电", "day电x影", "gói k",
]  # fmt: skip


@pytest.mark.peer(name="transformers4")
@pytest.mark.parametrize("kind", ["marian", "mbart", "mbart50", "nllb", "nllb by merges", "m2m_100"])
def test_real_files_are_read_as_transformers_4_reads_them_by_sentencepiece(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    folder = real(kind, tmp_path, trained)
    theirs = transformers.AutoTokenizer.from_pretrained(str(folder), use_fast=False)
    ours = open_tokenizer(folder)
    before, _, after = (part.tolist() for part in ours.frame)
    for text in PROBES:
        assert [*before, *ours.tokens([text])[0].ids.tolist(), *after] == theirs(text)["input_ids"], text
        if kind == "marian":
            written = theirs(text_target=text)["input_ids"]
            assert [*ours.writer.tokens([text])[0].ids.tolist(), *after] == written, text
            assert ours.text(written).strip() == theirs.decode(written, skip_special_tokens=True).strip()


def trained(texts: list[str], kind: str, size: int, **more: Any) -> tuple[bytes, list[str]]:
    """A model file of SentencePiece's own making, and its pieces."""
    sentencepiece = pytest.importorskip("sentencepiece")
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 6), model_writer=out, vocab_size=size, model_type=kind, hard_vocab_limit=False,
        minloglevel=2, **more,
    )  # fmt: skip
    made = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    return out.getvalue(), [made.id_to_piece(place) for place in range(made.get_piece_size())]


def real(kind: str, folder: Path, train: Callable[..., tuple[bytes, list[str]]]) -> Path:
    """A folder as the hub has it, of one kind."""
    if kind == "marian":
        ends = {"bos_id": -1, "eos_id": 0, "unk_id": 1}
        (source, read), (target, written) = train(ENGLISH, "unigram", 140, **ends), train(OTHER, "unigram", 150, **ends)
        ids = {text: place for place, text in enumerate(dict.fromkeys(["</s>", "<unk>", *read, *written, ">>por<<", "<pad>"]))}
        about = {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "pt"}
        files = {"source__spm": source, "target__spm": target, "vocab__json": ids}
        return put(folder, config__json={"model_type": "marian"}, tokenizer_config__json=about, **files)
    model, pieces = train([*ENGLISH, *OTHER], "bpe" if kind in ("nllb by merges", "m2m_100") else "unigram", 200)
    named = {"mbart": "MBart", "mbart50": "MBart50", "m2m_100": "M2M100"}.get(kind, "Nllb")
    about: dict[str, Any] = {"tokenizer_class": f"{named}Tokenizer"}
    files: dict[str, Any] = {"sentencepiece__bpe__model": model}
    if kind == "m2m_100":
        from transformers.models.m2m_100 import tokenization_m2m_100 as m2m

        fairseq = dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", *pieces[3:]])
        files["vocab__json"] = {text: place for place, text in enumerate(fairseq)}
        codes = [f"__{code}__" for code in m2m.FAIRSEQ_LANGUAGE_CODES["m2m100"]]
        files["special_tokens_map__json"] = {"additional_special_tokens": codes}
    if named == "Nllb":
        from transformers.models.nllb import tokenization_nllb as nllb

        languages = nllb.FAIRSEQ_LANGUAGE_CODES
        traits = {"special": True, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
        places = [*enumerate(["<s>", "<pad>", "</s>", "<unk>"]), *enumerate([*languages, "<mask>"], len(pieces) + 1)]
        about["added_tokens_decoder"] = {str(place): {"content": token, **traits} for place, token in places}
        files["special_tokens_map__json"] = {"additional_special_tokens": languages}
    return put(folder, config__json={"model_type": "m2m_100"}, tokenizer_config__json=about, **files)
