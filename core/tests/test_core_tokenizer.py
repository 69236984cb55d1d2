"""What a text may spell: markers become their tokens, signs stay text, and a stored tokenizer knows which is which."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory.errors import ArtefactCorrupt
from functory.reading.tokenizer import Tokenizer

TEXT = "the [E1] good [/E1] [SEP] film <em> !"


def raw(pre: str = "bert", model: str = "WordPiece") -> str:
    from tokenizers import AddedToken, models, normalizers, pre_tokenizers, processors
    from tokenizers import Tokenizer as Raw

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "good", "film", *"[]/<>!abcdefghijklmnopqrstuvwxyz"]
    pieces += ["##" + letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
    found = Raw(getattr(models, model)({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
    found.normalizer = normalizers.BertNormalizer(lowercase=pre == "bert")
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer() if pre == "bert" else pre_tokenizers.WhitespaceSplit()
    found.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    found.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[E1]", AddedToken("[/E1]", lstrip=True)])
    found.add_tokens([AddedToken("<em>", rstrip=True)])
    return str(found.to_str())


def read(tokenizer: Tokenizer, text: str = TEXT) -> list[str | None]:
    return [tokenizer.token(one) for one in tokenizer.tokens([text])[0].ids.tolist()]


def test_what_a_file_calls_special_stays_text_where_nobody_knows_more() -> None:
    tokenizer = Tokenizer(raw())
    assert tokenizer.signs == {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[E1]", "[/E1]"}
    found = read(tokenizer)
    assert "<em>" in found
    assert not tokenizer.signs - {"[UNK]"} & set(found)


def test_markers_are_read_whole_at_their_places_and_signs_are_not_before_and_after_storing() -> None:
    signs = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "no token of it"}
    once = Tokenizer(raw(), signs)
    twice = Tokenizer(once.json)
    assert twice.json == once.json
    for tokenizer in (once, twice):
        assert tokenizer.signs == signs - {"no token of it"}
        assert read(tokenizer) == ["the", "[E1]", "good", "[/E1]", "[", "s", "##e", "##p", "]", "film", "<em>", "!"]
        [tokens] = tokenizer.tokens([TEXT])
        assert [TEXT[a:b] for a, b in tokens.offsets.tolist()] == [
            "the", "[E1]", "good", " [/E1]", "[", "S", "E", "P", "]", "film", "<em> ", "!"
        ]  # fmt: skip
        assert [part.tolist() for part in tokenizer.frame][::2] == [[2], [3]]
        assert "[E1]" not in tokenizer.text([4, tokenizer.id("[E1]") or 0])  # special still, where tokens become a text
    [made] = once.tokens([TEXT], reads_special=True)
    assert 3 in made.ids.tolist()  # a template may


def test_an_added_token_that_is_not_special_can_be_a_sign() -> None:
    once = Tokenizer(raw(), {"<em>"})
    for tokenizer in (once, Tokenizer(once.json)):
        assert "<em>" not in read(tokenizer)
        assert "[SEP]" in read(tokenizer)


@pytest.mark.parametrize("model", ["WordPiece", "WordLevel"])
def test_a_sign_that_is_a_word_of_the_vocabulary_is_no_way_around(model: str) -> None:
    tokenizer = Tokenizer(raw("spaces", model))
    assert read(tokenizer, "the [SEP] film [CLS] good [PAD]") == ["the", "[UNK]", "film", "[UNK]", "good", "[UNK]"]
    assert tokenizer.tokens(["[SEP]"], reads_special=True)[0].ids.tolist() == [3]


def test_a_sign_that_a_unigram_model_has_no_other_pieces_for_is_no_way_around() -> None:
    from tokenizers import Tokenizer as Raw
    from tokenizers import models

    made = Raw(models.Unigram([("</s>", 0.0), ("<unk>", 0.0), ("a", -1.0), ("/s", -2.0), (">", -2.0)], unk_id=1))
    made.add_special_tokens(["</s>", "<unk>"])
    tokenizer = Tokenizer(made.to_str())
    assert tokenizer.tokens(["a</s>a"])[0].ids.tolist() == [2, 1, 2]
    assert Tokenizer(tokenizer.json).tokens(["a</s>"])[0].ids.tolist() == [2, 1]
    assert tokenizer.tokens(["a</s>"], reads_special=True)[0].ids.tolist() == [2, 0]


def test_tokens_that_a_vocabulary_of_a_model_lacks_are_those_that_a_row_can_hold() -> None:
    tokenizer = Tokenizer(raw(), {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[/E1]"})
    one, size = tokenizer.id("[E1]"), tokenizer.id("<em>")
    assert one is not None
    assert size is not None
    assert tokenizer.beyond(size + 1) == {}
    assert tokenizer.beyond(one) == {one: "[E1]", size: "<em>"}  # [/E1] lies beyond, and no text becomes it
    assert tokenizer.beyond(3)[3] == "[SEP]"  # it stands after every text


def test_a_file_that_is_no_text_is_no_tokenizer(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    for content in (b"\xff\xfe{}", b"version https://git-lfs.github.com/spec/v1\n", b"", b"<!doctype html>", b"{}"):
        file.write_bytes(content)
        with pytest.raises(ArtefactCorrupt, match="this is no tokenizer") as caught:
            Tokenizer(file)
        assert caught.value.where == str(file)
