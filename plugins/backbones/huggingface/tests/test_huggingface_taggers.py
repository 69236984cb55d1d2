"""Taggers as others train them: labels on the first piece of a word or on all, tags of any scheme, words of any script."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import NotSupported, WeightsMissing, load
from functory_sdk.spans.alignment import units

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("own_cache")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
ROLES = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
SURNAMES, PLACES, OTHERS = "张王李赵", "京沪津渝", "在去了和"


def tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    pieces = [*ROLES.values(), "saw", "near", ".", ",", *LETTERS, *("##" + one for one in LETTERS), *SURNAMES, *PLACES, *OTHERS]
    raw = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
    raw.normalizer, raw.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    raw.decoder = decoders.WordPiece()
    ends = [(name, raw.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    raw.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=raw, **ROLES)


def sentence(rng: random.Random) -> tuple[list[str], list[str]]:
    """Return words and tags: persons begin with z, places with q; Chinese words are characters."""

    def name(letter: str, label: str) -> tuple[list[str], list[str]]:
        count = rng.randint(1, 2)
        words = [letter + "".join(rng.choices(LETTERS[:20], k=4)) for _ in range(count)]
        return words, [f"B-{label}", f"I-{label}"][:count]

    def chinese(starts: str, label: str) -> tuple[list[str], list[str]]:
        first = rng.choice(starts)
        return [first, first], [f"B-{label}", f"I-{label}"]

    kind = (lambda letter, label: chinese(SURNAMES if letter == "z" else PLACES, label)) if rng.random() < 0.3 else name
    parts = [kind("z", "PER"), ([rng.choice(OTHERS) if kind is not name else "saw"], ["O"]), kind("q", "LOC"), (["."], ["O"])]
    return [word for words, _ in parts for word in words], [tag for _, tags in parts for tag in tags]


def trained(folder: Path, pieces: str) -> None:
    """Save a small tagger that is right about every word; `pieces` says what the later pieces of a word learn."""
    torch.manual_seed(0)
    rng = random.Random(1)
    own = tokenizer()
    config = transformers.BertConfig(
        vocab_size=len(own), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(TAGS)), label2id={tag: place for place, tag in enumerate(TAGS)},
    )  # fmt: skip
    model = transformers.BertForTokenClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(70):
        rows = [sentence(rng) for _ in range(16)]
        batch = own([words for words, _ in rows], is_split_into_words=True, padding=True, return_tensors="pt")
        gold = torch.full(batch["input_ids"].shape, -100)
        for row, (_, tags) in enumerate(rows):
            before = None
            for place, word in enumerate(batch.word_ids(row)):
                if word is not None and (word != before or pieces == "all"):
                    gold[row, place] = TAGS.index(tags[word])
                before = word
        model(**batch, labels=gold).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(folder)
    own.save_pretrained(folder)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that learned nothing of later pieces, as most are trained."""
    folder = tmp_path_factory.mktemp("tagger") / "first"
    trained(folder, "first")
    return folder


@pytest.fixture(scope="module")
def tagger_of_pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger whose every piece learned its word's tag."""
    folder = tmp_path_factory.mktemp("tagger") / "all"
    trained(folder, "all")
    return folder


def built(folder: Path, **task: Any) -> Any:
    return functory.build(task={"name": "ner", **task}, backbone=str(folder), adaptation="fine-tuned", name="theirs")


def written(words: list[str], tags: list[str]) -> dict[str, Any]:
    return {"tokens": words, "tags": tags}


@pytest.mark.parametrize("kind", ["tagger", "tagger_of_pieces"])
def test_a_tagger_is_right_by_default_whatever_later_pieces_learned(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    tagger = request.getfixturevalue(kind)
    function = built(tagger)
    rng = random.Random(2)
    rows = [written(*sentence(rng)) for _ in range(24)]
    assert function.evaluate(rows).metrics["f1"].value == 1.0
    function.save(tmp_path / "function")
    assert functory.load(tmp_path / "function").evaluate(rows).metrics["f1"].value == 1.0
    assert any("the first token of a word speaks for it, since" in note for note in function.about.notes)
    assert built(tagger, subwords="all").evaluate(rows).metrics["f1"].value < 1.0  # B- on every piece, or whatever comes
    theirs = transformers.pipeline("token-classification", str(tagger), aggregation_strategy="first")
    for row in rows:
        text = " ".join(row["tokens"])
        given = [(one.start, one.end, one.label) for one in function(text).entities]
        assert given == [(one["start"], one["end"], one["entity_group"]) for one in theirs(text)]


WORDS = [
    "Ann", "Müller", "Zoë", "Øresund", "naïve", "Straße", "Пётр", "Чайковский", "İstanbul", "서울에서", "किताब", "ﬁne", "été",
    ",", ".", "(", ")", ":", "“", "”", "–", "%", "€",
]  # fmt: skip


@pytest.mark.parametrize("backbone", ["minilm", pytest.param("e5", marks=pytest.mark.slow)])
def test_the_token_that_speaks_for_a_word_is_the_one_that_learns_when_words_are_tokenised_one_by_one(backbone: str) -> None:
    opened = load("backbones", backbone).configure()
    try:
        folder = getattr(opened, "folder", None) or opened.locate()
    except WeightsMissing as error:
        pytest.skip(error.what)
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    rng = random.Random(3)
    for _ in range(100):
        words = rng.choices(WORDS, k=8)
        read = theirs(words, is_split_into_words=True, add_special_tokens=False)
        numbers = read.word_ids()
        text = " ".join(words)
        [tokens] = opened.tokenizer.tokens([text])
        assert tokens.ids.tolist() == read["input_ids"]
        wanted = [place for place, number in enumerate(numbers) if number not in numbers[:place]]
        assert units(text, tokens.offsets, "first", is_announced=True).token.tolist() == wanted


def renamed(source: Path, folder: Path, names: list[str], rows: list[int] | None = None) -> Path:
    """Copy a tagger whose outputs have other names, or are others."""
    model = transformers.AutoModelForTokenClassification.from_pretrained(source)
    if rows is not None:
        model.classifier.weight.data, model.classifier.bias.data = model.classifier.weight[rows], model.classifier.bias[rows]
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: place for place, name in enumerate(names)}
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


SCHEMES = {
    "IO": (["O", "PER", "LOC"], [0, 1, 3]),
    "IO with letters": (["O", "I-PER", "I-LOC"], [0, 1, 3]),
    "IOB1": (["I-LOC", "O", "I-PER", "B-LOC"], [3, 0, 1, 4]),
    "BIOES": (["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"], [0, 2, 2, 2, 1, 4, 4, 4, 3]),
    "BILOU": (["L-LOC", "U-LOC", "O", "B-PER", "I-PER", "L-PER", "U-PER", "B-LOC", "I-LOC"], [4, 3, 0, 2, 2, 2, 1, 4, 4]),
    "underscores": (["O", "B_PER", "I_PER", "B_LOC", "I_LOC"], [0, 1, 2, 3, 4]),
    "letters behind": (["O", "PER-B", "PER-I", "LOC-B", "LOC-I"], [0, 1, 2, 3, 4]),
    "small letters": (["o", "b-PER", "i-PER", "b-LOC", "i-LOC"], [0, 1, 2, 3, 4]),
    "outputs around": (["[PAD]", "B-PER", "I-PER", "B-LOC", "I-LOC", "O", "X", "[CLS]"], [0, 1, 2, 3, 4, 0, 0, 0]),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_of_every_scheme_and_writing_are_read(scheme: str, tagger: Path, tmp_path: Path) -> None:
    names, rows = SCHEMES[scheme]
    function = built(renamed(tagger, tmp_path / "model", names, rows))
    assert set(function.state.labels) == {"PER", "LOC"}
    model = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "model")
    text = "zabcd saw qefgh ."
    [(_, [row])] = function.trace([function.read(text)])
    with torch.no_grad():
        wanted = model(**tokenizer()(text, return_tensors="pt")).logits[0].log_softmax(-1)
    order = [names.index(tag) if tag in names else None for tag in function.state.tags]
    if None not in order:
        assert row["scores"] == pytest.approx(wanted[:, order].numpy(), abs=1e-4)
    assert "tags are" in " ".join(function.about.notes)
    assert [(one.text, one.label) for one in function(text).entities] == [("zabcd", "PER"), ("qefgh", "LOC")]
    for one in function(text).entities:
        target = function.explain(text, method="occlusion", target=f"{one.label}:{one.text}").target
        assert math.exp(row["scores"][target.index]) == pytest.approx(one.score, abs=1e-4)
    function.save(tmp_path / "function")
    assert functory.load(tmp_path / "function")(text) == function(text)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([f"LABEL_{place}" for place in range(5)], "no output of the head says that there is no entity; they are LABEL_0"),
        (["NOUN", "VERB", "ADJ", "DET", "ADP"], "no output of the head says that there is no entity"),
        (["O", "B-PER", "PER", "I-PER", "LOC"], "are no tags: "),
        (["O", "Q", "B-LOC", "I-LOC", "B-PER"], "are no tags: tag 2 is 'Q'"),
        (["O", "X", "[PAD]", "[CLS]", "[SEP]"], "name no type of entity"),
    ],
)
def test_outputs_that_are_no_tags_get_a_remedy_about_the_model(
    names: list[str], message: str, tagger: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotSupported, match=message) as caught:
        built(renamed(tagger, tmp_path / "model", names))
    assert "id2label of the model's config.json" in caught.value.do


def test_a_tagger_gives_each_word_its_tag_where_words_are_tagged(tagger: Path) -> None:
    function = functory.build(task="tagging", backbone=str(tagger), adaptation="fine-tuned", name="theirs")
    rng = random.Random(2)
    rows = [written(*sentence(rng)) for _ in range(24)]
    assert function.evaluate(rows).metrics["accuracy"].value == 1.0
    assert [token.tag for token in function(rows[0]["tokens"]).tokens] == rows[0]["tags"]
