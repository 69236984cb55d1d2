"""What the task owes, what a text of many sentences becomes, and how backbones are told of languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import NotSupported, OptionError, State
from functory_sdk.testing import TaskSuite
from functory_translation import ReferencedText, Source, Translated, Translation
from functory_translation.glossary import best_of, holds
from functory_translation.languages import are_alike, code_of, name_of, sign_of, signs_in
from functory_translation.ways import InWords, way_of

SIGNS = ("eng_Latn", "zho_Hans", "zho_Hant", "por_Latn")
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LETTERS = "abcdefghijklmnopqrstuvwxyz.?! "


class TestTranslation(TaskSuite):
    component = "translation"
    options = {"source": "en", "target": "zh", "max_new_tokens": 6}
    examples = (
        {"text": "We saw the film.", "reference": "我们看了电影。"},
        {"text": "The book was good.", "reference": "书很好。"},
    )

    def perfect(self, example: ReferencedText, state: State) -> Translated:
        return Translated(text=example.reference, tokens=1, finish="end", target="zh")


@pytest.fixture(scope="module")
def translate() -> Iterator[Any]:
    pytest.importorskip("torch")
    import functory
    from functory_sdk.testing import kit

    options = {"name": "translation", "source": "en", "target": "de", "max_new_tokens": 6}
    with kit():
        yield functory.build(task=options, backbone="tiny-encoder-decoder")


def test_each_sentence_is_translated_by_itself_and_lines_stay(translate: Any) -> None:
    first, second, third = (translate(text).text for text in ("We saw it.", "The film was good.", "Rain?"))
    found = translate("  We saw it. The film was good.\n\nRain?\n")
    assert found.text == f"  {first} {second}\n\n{third}\n"
    assert (found.sentences, found.source, found.target) == (3, "en", "de")
    assert found.tokens == sum(translate(text).tokens for text in ("We saw it.", "The film was good.", "Rain?"))
    assert [one.text for one in translate.map(["We saw it.", "", "Rain?"], progress=False)] == [first, "", third]
    assert translate(" \n").text == " \n", "a text without sentences has nothing to translate"


def test_samples_of_many_sentences_are_whole_texts(translate: Any) -> None:
    drawn = translate.using(temperature=1.5, samples=3, seed=2, likelihoods=True)
    texts = ("We saw it.", "Rain?")
    alone = [(one.text, *one.others) for one in map(drawn, texts)]
    found = drawn(" ".join(texts))
    assert (found.text, *found.others) == tuple(" ".join(pair) for pair in zip(*alone, strict=True))
    assert len(found.log_probabilities) >= found.tokens


def test_a_text_by_itself_is_one_request() -> None:
    import functory
    from functory_sdk.testing import kit

    with kit():
        task = {"name": "translation", "target": "de", "by_sentence": False, "max_new_tokens": 4}
        whole = functory.build(task=task, backbone="tiny-encoder-decoder")("We saw it. Rain?")
    assert (whole.sentences, whole.source) == (1, "")


def test_sentences_of_a_language_without_spaces_stand_together() -> None:
    from functory_translation.translating import Translating

    spec = made_spec("decoder", "llama")
    for target, joined in (("zh", "A。B。\nC。"), ("de", "A。 B。\nC。")):
        put = Translating(Translation.configure({"target": target}).options, spec)
        assert put._joined(("", " ", "\n", ""), ["A。", "B。", "C。"]) == joined
    assert Translating(Translation.configure({"target": "de"}).options, spec)._joined(("", "", ""), ["A.", "B."]) == "A. B."


@pytest.mark.parametrize(
    ("given", "code", "name"),
    [("en", "en", "English"), ("ZH_hant", "zh-Hant", "Traditional Chinese"), ("pt-br", "pt-BR", "Portuguese"),
     ("Chinese", "zh", "Chinese"), ("zho_Hans", "zh", "Chinese"), ("gsw", "gsw", "")],
)  # fmt: skip
def test_a_language_is_given_by_its_code_or_its_name(given: str, code: str, name: str) -> None:
    assert (code_of(given), name_of(code_of(given))) == (code, name)


def test_what_is_no_language_is_told_with_the_near_ones() -> None:
    with pytest.raises(OptionError, match="'Chinees' is no language's code; did you mean chinese"):
        Translation.configure({"target": "Chinees"})
    with pytest.raises(OptionError, match="what is written cannot be found out"):
        Translation.configure({"target": "auto"})
    assert are_alike("pt-BR", "pt")
    assert not are_alike("pt", "es")


def test_signs_of_every_style_are_found_and_of_two_none_is_guessed() -> None:
    tokens = [*SIGNS, "en_XX", "zh_CN", "__en__", "<mask>", "</s>"]
    assert signs_in(tokens) == sorted({*SIGNS, "en_XX", "zh_CN", "__en__"})
    assert sign_of("en", SIGNS) == "eng_Latn"
    assert sign_of("zh", SIGNS) == "zho_Hans"
    assert sign_of("zh-Hant", SIGNS) == "zho_Hant"
    assert sign_of("pt-BR", SIGNS) == "por_Latn"
    assert sign_of("zh", ["en_XX", "zh_CN"]) == "zh_CN"
    assert sign_of("en", ["__en__"]) == "__en__"
    assert sign_of("kmr", ["kmr_Latn"]) == "kmr_Latn"
    assert sign_of("kmr", ["kmr_Latn", "kmr_Arab"]) == ""


def made_spec(architecture: Any, family: str, **facts: Any) -> Any:
    from functory_sdk import BackboneSpec

    return BackboneSpec(
        reference="tiny", architecture=architecture, family=family, width=8, layers=2, vocabulary=9, context=64, pad_id=0,
        has_logits=True, weights_hash="0", **facts,
    )  # fmt: skip


def test_a_translator_of_one_direction_refuses_another() -> None:
    spec = made_spec("encoder-decoder", "marian", languages=("en", "pt"))
    way = way_of(spec, "", is_chat=False)
    assert (way.target, way.read_from("")) == ("pt", "en")
    assert way_of(spec, "pt-BR", is_chat=False).target == "pt-BR"
    with pytest.raises(NotSupported, match="translates from en into pt: it writes pt, not zh"):
        way_of(spec, "zh", is_chat=False)
    with pytest.raises(NotSupported, match="it reads en, not zh"):
        way.read_from("zh")
    unsaid = way_of(made_spec("encoder-decoder", "bart"), "zh", is_chat=False)
    assert (unsaid.target, unsaid.read_from("en")) == ("zh", "en")


def test_who_is_told_in_words_needs_a_target_with_a_name() -> None:
    decoder, t5 = made_spec("decoder", "llama"), made_spec("encoder-decoder", "t5")
    assert InWords(t5, "de", is_chat=False).prompt("Hello.", "en") == "translate English to German: Hello."
    assert InWords(decoder, "zh", is_chat=False).prompt("Hello.", "en") == "English: Hello.\nChinese:"
    told = InWords(decoder, "zh", is_chat=True).prompt("Hello.", "en")
    assert told == "Translate this text from English into Chinese. Give the translation alone.\n\nHello."
    with pytest.raises(OptionError, match="name the language"):
        way_of(decoder, "", is_chat=False)
    with pytest.raises(NotSupported, match="'gsw' has no name here"):
        way_of(decoder, "gsw", is_chat=False)


def test_a_language_that_was_found_out_is_told_and_doubted() -> None:
    pytest.importorskip("py3langid")
    from functory_translation.detecting import detected
    from functory_translation.translating import Translating

    assert detected("Where is the station, please?") == "en"
    assert detected("请问车站在哪里？") == "zh"
    assert detected("Onde fica a estação?", ("en", "pt")) == "pt"
    spec = made_spec("encoder-decoder", "marian", languages=("en", "pt"))
    put = Translating(Translation.configure({"source": "auto"}).options, spec)
    assert put._doubts_of("…", "en") == ()
    assert put._doubts_of("…", "pt-BR") == ("the text seems to be in pt-BR already",)
    assert put._doubts_of("…", "zh") == ("the text seems to be in zh; what is read is en",)


@pytest.fixture(scope="module")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A small random NLLB whose tokens are letters and signs of languages, as transformers has it and as a folder."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    pieces = {piece: place for place, piece in enumerate([*SPECIAL, *LETTERS, *SIGNS])}
    raw = Tokenizer(models.WordLevel(pieces, unk_token="<unk>"))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    raw.add_special_tokens([*SPECIAL, *SIGNS])
    raw.post_processor = processors.TemplateProcessing(
        single="eng_Latn $A </s>", pair="eng_Latn $A $B </s>", special_tokens=[("eng_Latn", pieces["eng_Latn"]), ("</s>", 2)]
    )
    folder = tmp_path_factory.mktemp("nllb")
    raw.save(str(folder / "tokenizer.json"))
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(
        "m2m_100", vocab_size=len(pieces), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, max_position_embeddings=64,
    )  # fmt: skip
    model = transformers.AutoModelForSeq2SeqLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlanguage: [en, zh, pt]\nlicense: mit\n---\n")
    return model, folder


@pytest.mark.parametrize("beams", [1, 3])
def test_signs_of_languages_are_read_and_written_as_transformers_does(nllb: tuple[Any, Path], beams: int) -> None:
    import torch

    import functory

    model, folder = nllb
    raw = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    texts = {}
    for source, target in (("en", "zh"), ("pt", "zh"), ("en", "zh-Hant")):
        task = {"name": "translation", "source": source, "target": target, "max_new_tokens": 9, "beams": beams}
        found = functory.build(task=task, backbone=str(folder))("ab cde.")
        ids = [raw[sign_of(source, SIGNS)], *(raw[letter] for letter in "ab cde."), 2]
        with torch.inference_mode():
            [theirs] = model.generate(
                torch.tensor([ids]), forced_bos_token_id=raw[sign_of(target, SIGNS)], max_new_tokens=10, num_beams=beams,
                do_sample=False,
            ).tolist()  # fmt: skip
        letters = {place: piece for piece, place in raw.items()}
        wanted = "".join(letters[one] for one in theirs if letters[one] in LETTERS)
        assert found.text == wanted.strip()
        assert (found.source, found.target) == (source, target)
        texts[source, target] = found.text
    assert len(set(texts.values())) > 1, "no sign changed anything"


def test_a_language_without_a_sign_is_told_with_those_that_have_one(nllb: tuple[Any, Path]) -> None:
    import functory

    with pytest.raises(NotSupported, match=r"no one sign for the language 'de'; it has eng_Latn, por_Latn, zho_Hans"):
        functory.build(task={"name": "translation", "source": "en", "target": "de"}, backbone=str(nllb[1]))
    with pytest.raises(OptionError, match="name the language"):
        functory.build(task={"name": "translation", "target": "zh"}, backbone=str(nllb[1]))


def test_it_learns_pairs_with_their_signs_and_the_report_is_sacrebleus(nllb: tuple[Any, Path], tmp_path: Path) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    import functory

    pairs = [{"text": f"{one}{other} {one}.", "reference": f"{other}{one} {other}."} for one in "abcd" for other in "efgh"]
    task = {"name": "translation", "source": "en", "target": "zh", "max_new_tokens": 9}
    full = {"name": "full", "epochs": 2, "learning_rate": 0.01}
    taught = functory.build(task=task, backbone=str(nllb[1]), adaptation=full, train=pairs)
    taught.save(tmp_path / "pairs")
    again = functory.load(tmp_path / "pairs")
    outputs = [again(pair["text"]).text for pair in pairs]
    assert outputs == [taught(pair["text"]).text for pair in pairs]
    metrics = taught.evaluate(pairs).metrics
    references = [pair["reference"] for pair in pairs]
    assert metrics["chrf"].value == pytest.approx(sacrebleu.corpus_chrf(outputs, [references]).score / 100)
    assert metrics["bleu"].value == pytest.approx(sacrebleu.corpus_bleu(outputs, [references], tokenize="zh").score / 100)
    told = json.loads((tmp_path / "pairs" / "function.json").read_text())
    assert [told["task"]["options"][name] for name in ("source", "target")] == ["en", "zh"]


def test_scores_of_some_texts_are_those_of_a_corpus_of_them() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    import numpy as np

    from functory_translation.scoring import scorer

    texts = ["The cat sits on the mat.", "A dog runs.", "It rains today in the town.", ""]
    references = ["The cat is on the mat.", "A dog is running.", "It rains in the town today.", "Nothing."]
    score = scorer(texts, references, "en")
    for chosen in ([0, 1, 2, 3], [2, 2, 0], [3]):
        some, wanted = [texts[place] for place in chosen], [references[place] for place in chosen]
        found = score(np.asarray(chosen))
        assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(some, [wanted]).score / 100)
        assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(some, [wanted]).score / 100)


@pytest.mark.parametrize(
    ("text", "term", "is_there"),
    [("The Fridge, open.", "fridge", True), ("The fridges.", "fridge", False), ("冰箱坏了。", "冰箱", True),
     ("买bus票", "bus", True), ("A fire engine came", "fire engine", True), ("C++ code", "C++", True), ("", "a", False)],
)  # fmt: skip
def test_a_term_is_words_of_its_own_where_a_script_has_spaces(text: str, term: str, is_there: bool) -> None:
    assert holds(text, term) is is_there


def test_of_the_best_texts_the_first_with_all_terms_is_taken_and_what_none_has_is_told() -> None:
    terms = (("fridge", "geladeira"), ("dog", "cachorro"))
    texts = ["O cão e o frigorífico.", "O cachorro e o frigorífico.", "A geladeira e o cachorro.", "O cachorro, a geladeira."]
    assert best_of(texts, terms) == (2, ())
    assert best_of(texts[:2], terms) == (1, (("fridge", "geladeira"),))
    assert best_of(texts[:1], terms) == (0, terms)


def test_a_glossary_chooses_among_the_best_translations_and_says_what_it_did_not_find(translate: Any) -> None:
    import functory
    from functory_sdk.testing import kit

    sentence, other = "We saw it.", "The film was good."
    searched = translate.using(beams=12, samples=12)(sentence)
    wanted = next(text for text in searched.others[2:] if text.strip() and not holds(searched.text, text))
    task = {"name": "translation", "source": "en", "target": "de", "max_new_tokens": 6}
    with kit():
        held = functory.build(task={**task, "glossary": {"saw": wanted, "rain": "niemals"}}, backbone="tiny-encoder-decoder")
        found = held(f"{sentence} {other}")
        assert found.text == f"{wanted} {translate(other).text}"
        assert (found.sentences, found.notes, found.others) == (2, (), ())
        assert held("Rain.").notes == ("the glossary's terms are not all there: 'niemals' for 'rain'",)
        assert [one.text for one in held.map([other, "", sentence], progress=False)] == [translate(other).text, "", wanted]
        assert "".join(held.stream(other)) == translate(other).text
        with pytest.raises(NotSupported, match="a stream is one text, and this input is written as 12"):
            list(held.stream(sentence))
        with pytest.raises(OptionError, match="none is drawn"):
            held.using(temperature=1.0, samples=2)(sentence)
    with pytest.raises(OptionError, match="is empty"):
        Translation.configure({"target": "de", "glossary": {"saw": " "}})


def test_functory_translates_at_once_one_text_and_many(translate: Any) -> None:
    import functory
    from functory_sdk.testing import kit

    how = {"source": "English", "backbone": "tiny-encoder-decoder", "max_new_tokens": 6}
    with kit():
        one = functory.translate("We saw it.", "German", **how)
        many = functory.translate(["We saw it.", "Rain?"], "de", **how)
    assert isinstance(one, Translated)
    assert [one.text, one.target] == [translate("We saw it.").text, "de"]
    assert [each.text for each in many] == [translate(text).text for text in ("We saw it.", "Rain?")]


def test_the_suited_backbone_is_that_of_the_pair() -> None:
    for options, backbone in (({"target": "pt"}, "marian-tiny-en-pt"), ({"source": "pt", "target": "en"}, "marian-tiny-pt-en"),
                              ({"source": "en", "target": "zh"}, "smollm2")):  # fmt: skip
        assert Translation.configure(options).suits(has_examples=False).backbone == backbone


def test_golden_inputs_are_sources() -> None:
    assert all(isinstance(one, Source) for one in Translation().golden_inputs(State()))
