"""Summaries: taken from the text or written, in parts where it is long, no longer than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory_sdk import OptionError, TooLong, sentence_spans, word_count
from functory_sdk.testing import TaskSuite, kit
from functory_summarization import Summarised, Summarization, Summary, SummaryOptions, Text
from functory_summarization.centrality import centralities, likenesses, taken
from functory_summarization.writing import is_chinese

LONG = " ".join(f"We saw the {word} film on day {day}. It was {word}, and the rain fell." for day, word in enumerate(
    ["good", "bad", "fine", "poor"] * 8))  # fmt: skip
TEXTS = ["The film was good. We saw it. The rain fell.", LONG, "", "价格合理。质量很好。我们都很喜欢！", "\n\n", "no end"]


class TestSummarization(TaskSuite):
    component = "summarization"
    options = {"max_new_tokens": 6}

    def perfect(self, example: Summarised, state: Any) -> Summary:
        return Summary(text=example.summary, finish="end")


@pytest.fixture(scope="module")
def extract() -> Iterator[Any]:
    pytest.importorskip("torch")
    import functory

    with kit():
        yield functory.build(task={"name": "summarization", "sentences": 2}, backbone="tiny-encoder")


@pytest.fixture(scope="module")
def write() -> Iterator[Any]:
    pytest.importorskip("torch")
    import functory

    with kit():
        yield functory.build(
            task={"name": "summarization", "max_new_tokens": 16, "instruction": "{text} So:"},
            backbone={"name": "tiny-decoder", "context": 128},
        )


def test_sentences_are_taken_as_they_stand_and_in_their_order(extract: Any) -> None:
    for text in TEXTS:
        output = extract(text)
        assert len(output.sentences) == min(2, len(sentence_spans(text)))
        assert [text[one.start : one.end] for one in output.sentences] == [one.text for one in output.sentences]
        assert sorted(output.sentences, key=lambda one: one.start) == list(output.sentences)
        assert output.finish == "end"
    assert extract(TEXTS[3]).text == "".join(one.text for one in extract(TEXTS[3]).sentences), "Chinese has no spaces"
    assert extract("").text == extract("\n\n").text == ""


def test_by_position_alone_the_first_sentences_are_taken(extract: Any) -> None:
    from functory_summarization.extracting import Extract, leading

    side, rows = extract.trace([Text(text=LONG)])[0]
    first = Extract(SummaryOptions(sentences=2, position=1, diversity=0)).decode(side, rows, None)
    assert first.text == leading(LONG, 2) != Extract(SummaryOptions(sentences=2, position=0)).decode(side, rows, None).text


def test_what_is_taken_is_the_same_in_any_batch_and_when_it_is_loaded(extract: Any, tmp_path: Path) -> None:
    import functory

    together = list(extract.map(TEXTS, progress=False))
    assert together == [extract(text) for text in TEXTS]
    assert list(functory.load(extract.save(tmp_path / "extract")).map(TEXTS, progress=False)) == together


def test_the_sentence_that_is_like_the_others_is_taken_and_not_its_twin() -> None:
    near, far = np.eye(6)[0], np.eye(6)[5]
    vectors = np.asarray([near + 0.1 * np.eye(6)[1], near, near + 0.01 * np.eye(6)[2], near + 0.6 * np.eye(6)[3], far])
    alike = likenesses(vectors)
    worth = centralities(alike)
    assert worth.argmin() == 4
    how: Any = {"count": 2, "words": 0}
    same, _ = taken(worth, alike, [1] * 5, diversity=0.0, **how)
    other, lead = taken(worth, alike, [1] * 5, diversity=0.7, **how)
    assert same[0] == other[0] != 4
    assert (4 in other, 4 in same) == (True, False)
    assert lead >= 0


def test_so_many_words_are_taken_as_are_asked_for() -> None:
    alike = likenesses(np.eye(3) + 0.5)
    worth = np.asarray([1.0, 0.9, 0.8])
    how: Any = {"count": 3, "diversity": 0.0}
    assert taken(worth, alike, [5, 5, 2], words=7, **how)[0] == [0, 2]
    assert taken(worth, alike, [5, 5, 2], words=1, **how)[0] == [0], "where none fits, the best"


def test_a_long_text_is_summarised_in_parts_and_the_notes_say_how(write: Any) -> None:
    rounds = write.rounds([Text(text=LONG)])[0]
    assert len(rounds) > 1
    context = write.form.spec.context
    assert all(len(one.ids) + one.decoding.max_new_tokens <= context for some in rounds for one in some.requests)
    told = write(LONG)
    counts = ", then ".join(f"{len(some.requests)} parts" for some in rounds[:-1])
    assert told.notes == (f"too long for one prompt: {counts} were summarised, and their summaries together",)
    assert not any(note.startswith("cut") for note in told.notes)
    read = "".join(write.reader.tokenizer.text(one.ids).removesuffix(" So:") for one in rounds[0].requests)
    assert read.replace(" ", "") == LONG.replace(" ", ""), "each sentence is in one part"
    assert not write("short").notes


def test_what_does_not_get_shorter_is_cut_and_noted() -> None:
    pytest.importorskip("torch")
    import functory

    with kit():
        task = {"name": "summarization", "max_new_tokens": 48, "instruction": "{text}"}
        output = functory.build(task=task, backbone="tiny-decoder")(LONG)
    assert output.notes[0].startswith("too long for one prompt")
    assert any(note.startswith("cut at") for note in output.notes)


def test_long_texts_are_cut_or_refused_where_the_recipe_says_so(write: Any) -> None:
    from dataclasses import replace

    cut = write.replaced(about=replace(write.about, long_text="cut"))
    assert cut(LONG).notes[0].startswith("cut at")
    with pytest.raises(TooLong, match="tokens"):
        write.replaced(about=replace(write.about, long_text="refuse"))(LONG)


def test_a_written_summary_streams_loads_and_is_the_same_in_any_batch(write: Any, tmp_path: Path) -> None:
    import functory

    together = list(write.map(TEXTS, progress=False))
    assert together == [write(text) for text in TEXTS]
    assert ["".join(write.stream(text)) for text in TEXTS] == [one.text for one in together]
    assert (together[2].text, together[2].tokens, write.stream("").finish) == ("", 0, None)
    assert list(functory.load(write.save(tmp_path / "write")).map(TEXTS, progress=False)) == together
    drawn = write.using(temperature=1.0, samples=2, seed=3)(LONG)
    assert len(drawn.others) == 1


def test_a_summary_is_asked_for_at_once_and_the_language_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    import functory
    from functory_summarization import verb

    asked: list[Any] = []
    monkeypatch.setattr(verb, "ask", lambda task, given, options, **fields: asked.append((given, options, fields)))
    english = "The match was close, and you could hear the crowd. It was the best of the year, and we had to talk of it."
    functory.summarize(english, 2)
    chinese = ["价格合理，质量很好。", "我们都很喜欢！"]
    functory.summarize(iter(chinese), 1, words=9, backbone="e5")
    golden = ("One. Two.",)
    assert asked == [
        (english, {"sentences": 2, "language": ""}, {"backbone": "", "golden": golden}),
        (chinese, {"sentences": 1, "language": "und", "words": 9}, {"backbone": "e5", "golden": golden}),
    ]
    assert Summarization(SummaryOptions(language="und")).suits(has_examples=False).backbone == "e5"


def test_a_summary_that_is_asked_for_at_once_is_the_functions(extract: Any) -> None:
    import functory

    with kit():
        assert functory.summarize(TEXTS[:2], 2, backbone="tiny-encoder") == [extract(text) for text in TEXTS[:2]]
        with pytest.raises(OptionError, match="sentences = -1"):
            functory.summarize("a", -1, backbone="tiny-encoder")


@pytest.mark.parametrize("limits", [{"sentences": 1}, {"words": 4}, {"sentences": 2, "words": 9}])
def test_no_summary_is_longer_than_asked_for_and_no_stream_tells_more(limits: dict[str, int]) -> None:
    """The tiny decoder babbles without sentences: letters are scored so that it writes some."""
    from functory_sdk import Limits, Tokenizer
    from functory_sdk.testing.tiny import TinyDecoder

    tokenizer: Tokenizer = TinyDecoder().tokenizer
    stops = Limits(tokenizer, (), **limits)
    texts = ("We saw it. It was good! Was it? Yes.", "one two three four five", "我们看了。很好。大家都喜欢。", "Mr. Lee is", "")
    for text in texts:
        ids = tokenizer.tokens([text])[0].ids.tolist()
        told = ""
        for size in range(len(ids) + 1):
            now = stops.told(ids[:size])
            assert now.startswith(told)
            told = now
            if stops(ids[:size]):
                break
        whole, is_stopped = stops.text(ids[:size])
        assert (text.startswith(whole), whole.startswith(told)) == (True, True)
        assert len(sentence_spans(whole)) <= limits.get("sentences", 9)
        assert word_count(whole) <= limits.get("words", 99)
        assert is_stopped == (whole != text)


def test_a_limit_is_told_and_kept(write: Any) -> None:
    import functory

    with kit():
        two = functory.build(task={"name": "summarization", "max_new_tokens": 24, "words": 2}, backbone="tiny-decoder")
        for text in TEXTS[:2]:
            assert word_count(two(text).text) <= 2
            assert "".join(two.stream(text)) == two(text).text


def test_chinese_is_asked_for_in_chinese_and_a_t5_as_it_was_trained() -> None:
    from functory_sdk import BackboneSpec

    sizes: dict[str, Any] = {"width": 8, "layers": 1, "vocabulary": 9, "context": 99, "pad_id": 0, "weights_hash": "0"}
    chat = "{% for m in messages %}[{{ m.content }}]{% endfor %}"
    told = ["[请用不超过2句话概括下面的文字。\n\n", "[Summarize the following text in at most 2 sentences.\n\n"]
    for architecture, family, template, wanted in (
        ("decoder", "llama", chat, told),
        ("decoder", "llama", "", ["", ""]),
        ("encoder-decoder", "mt5", "", ["summarize: ", "summarize: "]),
        ("encoder-decoder", "bart", "", ["", ""]),
    ):
        spec = BackboneSpec(
            reference="x", architecture=architecture, family=family, has_logits=True, chat_template=template, **sizes
        )
        put = Summarization(SummaryOptions(sentences=2)).formulations(spec)["prompt"]
        assert [put.frame_of(Text(text=text)).pieces[0] for text in ("价格合理", "a fair price")] == wanted
    assert not is_chinese("a fair price 价格")
    with pytest.raises(OptionError, match="instruction = 'Say it' has no {text}"):
        Summarization(SummaryOptions(instruction="Say it")).formulations(spec)


def test_the_first_sentences_are_what_it_is_measured_beside(extract: Any) -> None:
    rows = [{"text": text, "summary": text.split(". ")[0]} for text in TEXTS[:2]]
    report = extract.evaluate(rows)
    assert set(report.metrics) == {"rouge1", "rouge2", "rougeL"}
    assert report.metrics["rougeL"].baseline > 0
    one = report.metrics["rouge1"]
    assert one.low <= one.value <= one.high


def test_examples_in_another_language_are_summarised_by_their_own_sentences() -> None:
    task = Summarization()
    english, foreign = task.suits(has_examples=True), Summarization(SummaryOptions(language="zh-CN")).suits(has_examples=True)
    assert (english.backbone, english.adaptation) == ("smollm2", "lora")
    assert (english.multilingual, english.multilingual_adaptation) == ("e5", "zero-shot")
    assert (foreign.backbone, foreign.adaptation) == ("e5", "zero-shot")
    assert task.suits(has_examples=False).backbone == "minilm"


def test_it_learns_how_summaries_are_written() -> None:
    pytest.importorskip("torch")
    import functory

    rows = [{"text": f"the {word} film", "summary": word} for word in ("good", "bad", "fine", "poor")]
    with kit():
        taught = functory.build(
            task={"name": "summarization", "max_new_tokens": 12}, train=rows, dev=rows, backbone="tiny-decoder", report=False,
            adaptation={"name": "lora", "epochs": 12, "learning_rate": 2e-2},
        )  # fmt: skip
    assert taught.about.data["fit"]["dev_log_probability"] > -2.5
