"""Explanations on real functions: words, offsets, faithfulness, pages; what each form can and cannot."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import functory
from functory import errors
from functory.cli import main
from functory.contracts.odds import chance, log_odds
from functory.reading.segmentation import words
from functory.terminal import as_text, bars
from functory.using.attribution import attribution, measured, values_of, without, words_of
from functory_sdk.testing import converted
from functory_sdk.testing.toybox import kit, toy_function

METHODS = ("occlusion", "integrated-gradients", "gradient-x-input")
TEXT = "A warm, funny film that never bores, though its ending is predictable."


@pytest.fixture(scope="module")
def fn(sentiment: Path) -> functory.Function:
    return functory.load(sentiment)


@pytest.mark.parametrize("method", METHODS)
def test_every_word_has_its_weight_and_its_place_and_nothing_else_changes(fn: functory.Function, method: str) -> None:
    before = fn(TEXT)
    found = fn.explain(TEXT, method=method)
    assert [TEXT[piece.start : piece.end] for piece in found.pieces] == [piece.text for piece in found.pieces]
    assert {"warm", "never", "predictable"} <= {piece.text for piece in found.pieces}
    assert found.target.name == before.label
    assert found.score == pytest.approx(before.score, abs=1e-4)
    assert fn.explain(TEXT, method=method).pieces == found.pieces
    assert fn(TEXT) == before


def test_integrated_gradients_sum_to_the_log_odds_gained_over_an_input_that_says_nothing(fn: functory.Function) -> None:
    found = fn.explain(TEXT, method="integrated-gradients", steps=64)
    value, target, form = fn.read(TEXT), found.target, fn.form
    [side], [row] = (lambda encoded: (encoded.side, encoded.rows))(form.formulation.encode([value], fn.reader, fn.state))
    ids = np.full_like(row["input_ids"], form.spec.pad_id)
    ids[[0, -1]] = row["input_ids"][[0, -1]]
    silent = form.formulation.evidence(target, side, fn.session.run([{**row, "input_ids": ids}]), fn.state)
    [whole] = values_of(fn, [value], target)
    assert whole == pytest.approx(log_odds(np.log([found.score, 1 - found.score]), (0,)), abs=0.01)
    assert sum(piece.weight for piece in found.pieces) == pytest.approx(whole - silent, abs=0.05)
    [note] = [note for note in found.notes if "sum to" in note]
    assert f"{whole - silent:+.2f}" in note
    assert float(note.split("but for ")[1].split(" ")[0]) < 0.05


@pytest.fixture(scope="module")
def certain(cache: Path) -> Iterator[functory.Function]:
    """A toy function whose probabilities are 1 and 0 to all digits of float32."""
    import torch

    with kit():
        form = toy_function().form
        model = deepcopy(form.program.model)
        with torch.no_grad():
            model.head.linear.weight *= 12
            model.head.linear.bias *= 12
        yield toy_function().replaced(form=replace(form, program=replace(form.program, model=model)))


@pytest.mark.parametrize("method", METHODS)
def test_a_function_that_is_certain_is_explained_all_the_same(certain: functory.Function, method: str) -> None:
    found = certain.explain("we saw the good film", method=method)
    assert found.score == 1.0
    assert found.unit == "log-odds"
    assert max(piece.weight for piece in found.pieces) > 1
    if method != "gradient-x-input":  # a slope at one point is no sum of what was gained
        assert max(found.pieces, key=lambda piece: piece.weight).text == "good"
    against = certain.explain("we saw the good film", method=method, target="no")
    assert [piece.weight for piece in against.pieces] == pytest.approx(
        [-piece.weight for piece in found.pieces], rel=1e-3, abs=1e-3
    )  # of two labels, one's log-odds are minus the other's
    assert found.faithfulness.comprehensiveness_log_odds > found.faithfulness.sufficiency_log_odds


def test_a_certain_answer_says_so_and_says_its_scale(certain: functory.Function) -> None:
    found = certain.explain("we saw the good film")
    shown = str(found)
    assert shown.startswith("occlusion: why yes (probability over 0.999)\nwe")
    assert " good[++] " in shown
    assert "weights are log-odds: +0.69 doubles the odds of yes, −0.69 halves them" in shown
    assert f"{found.faithfulness.comprehensiveness_log_odds:+.2f} in log-odds" in shown
    assert re.search(rf"^ *good +{re.escape(f'{max(piece.weight for piece in found.pieces):+.3f}')} ", shown, re.MULTILINE)
    assert "Piece(" not in shown
    assert repr(found) == "<occlusion of 'yes' 1.000: 5 words>"
    assert found.html().count("log-odds") >= 2
    assert json.loads(found.model_dump_json())["unit"] == "log-odds"


def test_a_value_that_is_no_probability_is_weighed_as_it_is(certain: functory.Function) -> None:
    found = certain.explain("we saw the good film")
    raw = found.model_copy(update={"target": found.target.model_copy(update={"scale": "raw"}), "score": 3.25})
    assert "(value 3.250)" in str(raw)
    assert "log-odds:" not in str(raw)
    _, faithful = measured(certain, certain.read("good film"), raw.target, words_of(certain.read("good film")), [1.0, 0.0])
    assert faithful.comprehensiveness_log_odds is None


@pytest.mark.parametrize("scores", [[0.0, -30.0], [-1e-13, -30.0, -40.0], [-0.5, -0.9327521]])
def test_log_odds_are_exact_however_near_to_one_a_probability_is(scores: list[float]) -> None:
    array = np.asarray(scores)
    assert log_odds(array, (0,)) == pytest.approx(scores[0] - np.logaddexp.reduce(scores[1:]))
    assert log_odds(array[None], (0, 1)) == pytest.approx(scores[1] - np.logaddexp.reduce([*scores[:1], *scores[2:]]))


def test_log_odds_of_a_number_alone_need_no_others() -> None:
    assert log_odds(np.asarray(np.log(0.8)), ()) == pytest.approx(np.log(4))
    assert log_odds(np.log([0.8, 0.7]), (0,)) == pytest.approx(np.log(4))  # no shares of one whole
    assert log_odds(np.asarray(0.0), ()) == pytest.approx(16.1, abs=0.1)
    assert chance(np.log(4), "log") == chance(np.log(4), "logit") == pytest.approx(0.8)
    assert chance(7.5, "raw") == 7.5


@pytest.mark.parametrize("method", ["occlusion", "integrated-gradients"])
def test_the_weights_are_more_faithful_than_chance(fn: functory.Function, method: str) -> None:
    found = fn.explain(TEXT, method=method)
    value, draw = fn.read(TEXT), random.Random(0)
    target, parts = found.target, words_of(value)
    shuffled = []
    for _ in range(8):
        weights = [draw.random() for _ in parts]
        shuffled.append(measured(fn, value, target, parts, weights)[1].comprehensiveness)
    assert found.faithfulness.comprehensiveness > sum(shuffled) / len(shuffled)


def test_a_named_target_is_explained_and_an_unknown_one_is_answered_with_the_known(fn: functory.Function) -> None:
    both = [fn.explain(TEXT, target=name).pieces[0].weight for name in ("fresh", "rotten")]
    assert both[0] * both[1] <= 0  # what speaks for one of two labels speaks against the other
    with pytest.raises(
        errors.UsageError, match=r"(?s)no target 'stale'.*fresh.*rotten|no target 'stale'.*rotten.*fresh"
    ):
        fn.explain(TEXT, target="stale")


def test_the_page_is_escaped_and_refers_to_nothing_outside(fn: functory.Function) -> None:
    page = fn.explain("<script>alert('x')</script> is a fine & funny film").html()
    assert "<script" not in page
    assert "&amp;" in page
    assert "http" not in page


def test_without_colour_the_words_are_marked_and_the_marks_explained(fn: functory.Function) -> None:
    found = fn.explain(TEXT)
    shown = as_text(found)
    top = max(found.pieces, key=lambda piece: abs(piece.weight))
    assert f"{top.text}[{'++' if top.weight > 0 else '−−'}]" in shown
    assert "[+] speaks for it, [−] against it" in shown
    assert f"comprehensiveness {found.faithfulness.comprehensiveness:+.3f}" in shown


def test_in_colour_both_colours_of_a_word_are_set_and_no_marks_stand_in_the_text(fn: functory.Function) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=120, no_color=False)
    console.print(found := fn.explain(TEXT))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    top = max(found.pieces, key=lambda piece: abs(piece.weight))
    # rich keeps a style's codes as the first terminal of this process had them, of 16 colours, 256, or all
    ink, ground = r"(38;2;255;255;255|38;2;0;0;0|38;5;(231|16|15|0)|97|37|30)", r"(48;[25];[\d;]+|(4|10)[0-7])"
    assert re.search(rf"\x1b\[{ink};{ground}m{top.text}\x1b", drawn)
    assert "[+]" not in drawn


def test_an_engines_quantized_form_is_explained_by_occlusion_and_gradients_say_so(
    fn: functory.Function, tmp_path: Path
) -> None:
    quantized = converted(fn, tmp_path / "files", inputs=[TEXT])
    first, again, whole = quantized.explain(TEXT), quantized.explain(TEXT), fn.explain(TEXT)
    assert first == again
    assert [(piece.text, piece.start) for piece in first.pieces] == [(p.text, p.start) for p in whole.pieces]
    largest = sorted(whole.pieces, key=lambda piece: -abs(piece.weight))[:3]
    assert max(first.pieces, key=lambda piece: abs(piece.weight)).text in {piece.text for piece in largest}
    for method in ("integrated-gradients", "gradient-x-input"):
        with pytest.raises(errors.NotSupported, match="method='occlusion'"):
            quantized.explain(TEXT, method=method)
    quantized.close()


def test_blanks_keep_the_offsets_of_everything_else(fn: functory.Function) -> None:
    value = fn.read(TEXT)
    changed = without(value, words_of(value)[1:3])
    assert len(changed.text) == len(TEXT)
    assert changed.text == "A" + " " * 7 + TEXT[8:]
    assert values_of(fn, [value], fn.targets(TEXT)[0])


def test_words_are_cut_in_any_script() -> None:
    assert [("It’s 3.5 stars"[a:b]) for a, b in words("It’s 3.5 stars")] == ["It’s", "3.5", "stars"]
    text = "我喜欢iPhone手机。"
    cut = [text[a:b] for a, b in words(text)]
    assert "".join(cut) == text
    assert "iPhone" in cut
    assert words("") == words("   ") == []


def test_a_text_without_words_cannot_be_explained(fn: functory.Function) -> None:
    with pytest.raises(errors.NotSupported, match="no words"):
        fn.explain("   ")


def test_an_entity_is_explained_at_its_own_place() -> None:
    cities = ("Paris", "London", "Oslo", "Rome", "Lima", "Cairo", "Tokyo", "Berlin")
    rows = [
        {
            "text": f"{lead} {city} {tail}",
            "entities": [{"start": len(lead) + 1, "end": len(lead) + 1 + len(city), "label": "place"}],
        }
        for city in cities
        for lead, tail in (("We flew to", "yesterday."), ("In", "it rains."), ("They live near", "now."))
    ]
    places = functory.build(task="ner", backbone="minilm", adaptation="head", train=rows, dev_share=0.0, test_share=0.0)
    text = "My friends moved to London yesterday."
    assert [entity.text for entity in places(text).entities] == ["London"]
    for method in ("occlusion", "integrated-gradients"):
        found = places.explain(text, method=method)
        assert found.target.name == "place:London"
        assert max(found.pieces, key=lambda piece: piece.weight).text == "London"


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0, 2.0], "gives 2 weights for 5 words"),
        ([1.0] * 6, "gives 6 weights for 5 words"),
        ([], "gives 0 weights for 5 words"),
        ([1.0, 2.0, float("nan"), 0.0, 0.0], "gives the weight nan"),
        ([1.0, 2.0, "three", 0.0, 0.0], "gives the weight 'three'"),
    ],
)
def test_weights_that_do_not_fit_the_words_are_named_with_file_and_line(weights: list[float], says: str) -> None:
    def weigh(found: object) -> list[float]:
        return weights

    with kit():
        function = toy_function()
        value = function.read("we saw the good film")
        target = function.targets(value)[0]
        with pytest.raises(errors.PluginError, match=f"explanation 'mine' {says}") as caught:
            attribution(function, value, target, "mine", weigh)
    assert caught.value.where.startswith(f"{__file__}, line {weigh.__code__.co_firstlineno}, in ")


def test_a_label_that_is_weighed_by_likelihood_is_explained_against_the_others() -> None:
    with kit():
        fn = functory.build(
            task={"name": "text-classification", "options": {"labels": ["sport", "film", "rain"]}},
            backbone="tiny-decoder", adaptation="zero-shot",
        )  # fmt: skip
        answer = fn("we saw the good film")
        for label in answer.scores:
            found = fn.explain("we saw the good film", target=label)
            assert found.score == pytest.approx(answer.scores[label], abs=1e-4)
            without_film = fn("we saw the good     ").scores[label]
            told = {piece.text: piece.weight for piece in found.pieces}["film"]
            odds = [np.log(share / (1 - share)) for share in (answer.scores[label], without_film)]
            assert told == pytest.approx(odds[0] - odds[1], abs=1e-3)
        assert any("occlusion weighs them together" in note for note in fn.explain("good film", method="gradient-x-input").notes)
        assert not any("own row alone" in note for note in toy_function().explain("good film", method="gradient-x-input").notes)


@pytest.fixture(scope="module")
def toy_fn() -> Iterator[functory.Function]:
    with kit():
        yield toy_function()


LONG = "the good film was very fine and the day was a bad day of rain " * 3


def test_occlusion_that_has_time_gives_what_it_gives_without_a_limit(toy_fn: functory.Function) -> None:
    whole, limited = toy_fn.explain(LONG), toy_fn.explain(LONG, seconds=600)
    assert [piece.weight for piece in limited.pieces] == pytest.approx([piece.weight for piece in whole.pieces], abs=1e-4)
    assert not [note for note in limited.notes if "stopped" in note]


def test_occlusion_whose_time_is_up_gives_the_best_so_far_and_says_so(
    toy_fn: functory.Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = toy_fn.explain(LONG)
    count = len(whole.pieces)
    monkeypatch.setattr("functory.using.attribution.PART", 4)
    found = toy_fn.explain(LONG, seconds=1e-9)
    [note] = [note for note in found.notes if "stopped" in note]
    assert f"stopped after 1e-09 s: 3 of {count} stretches of 1" in note
    assert len(found.pieces) == count
    exact = [piece.start for piece, own in zip(found.pieces, whole.pieces, strict=True)
             if piece.weight == pytest.approx(own.weight, abs=1e-4)]  # fmt: skip
    assert len(exact) >= 3
    assert len({piece.weight for piece in found.pieces}) > 10, "the others have their stretches' weights"


def test_integrated_gradients_take_the_steps_that_the_time_allows_and_say_so(toy_fn: functory.Function) -> None:
    short = toy_fn.explain(LONG, method="integrated-gradients", seconds=1e-6)
    assert [note for note in short.notes if note.startswith("4 steps, not 32")]
    assert "(4 steps)" in " ".join(short.notes)
    long = toy_fn.explain(LONG, method="integrated-gradients", seconds=600)
    assert long == toy_fn.explain(LONG, method="integrated-gradients")


@pytest.mark.parametrize("method", ["occlusion", "integrated-gradients"])
def test_explaining_shows_how_far_it_is(
    toy_fn: functory.Function, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float] = []
    monkeypatch.setattr(bars._Lines, "show", lambda self, done: shown.append(done / self.total))
    toy_fn.opened(budget=256).explain(LONG, method=method)
    assert [share for share in shown if 0 < share < 0.9]
    assert max(shown) == pytest.approx(1)


@pytest.fixture(scope="module")
def many_fn() -> Iterator[functory.Function]:
    with kit():
        yield toy_function(task="toy-many")


MANY = ("we saw the film", ("a good day", "the rain in the night", "a good day"))


@pytest.mark.parametrize("method", METHODS)
def test_each_text_of_a_list_is_weighed_by_its_path_and_equal_ones_by_their_places(
    many_fn: functory.Function, method: str
) -> None:
    found = many_fn.explain(MANY, method=method)
    texts = {"question": MANY[0], **{f"options.{place}": text for place, text in enumerate(MANY[1])}}
    assert [(piece.field, piece.text) for piece in found.pieces] == [
        (path, word) for path, text in texts.items() for word in text.split()
    ]
    assert all(texts[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)
    goods = [piece.weight for piece in found.pieces if piece.text == "good"]
    assert goods[0] != goods[1]  # they stand at other places of the row
    if method == "occlusion":
        blanked = (MANY[0], (*MANY[1][:2], "a      day"))
        [whole, rest] = values_of(many_fn, [many_fn.coerce(MANY), many_fn.coerce(blanked)], found.target)
        assert goods[1] == pytest.approx(whole - rest, abs=1e-4)


def test_several_texts_are_named_where_they_are_shown_and_one_is_not(
    many_fn: functory.Function, toy_fn: functory.Function
) -> None:
    shown, page = str(many_fn.explain(MANY)), many_fn.explain(MANY).html()
    assert re.search(r"^question: we", shown, re.MULTILINE)
    assert re.search(r"^options\.1: the", shown, re.MULTILINE)
    assert re.search(r"good +options\.[02] ", shown)
    assert page.count('<span class="path">options.1</span>') == 1
    assert "<td>options.0</td>" in page
    alone = toy_fn.explain("we saw the good film")
    assert "text: " not in str(alone)
    assert '<span class="path">' not in alone.html()


def test_the_verb_takes_an_input_of_several_fields_as_a_json_object(
    many_fn: functory.Function, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many_fn.save(tmp_path / "many")
    given = json.dumps({"question": MANY[0], "options": MANY[1]})
    assert main(["explain", str(tmp_path / "many"), given, "--json"]) == 0
    assert {piece["field"] for piece in json.loads(capsys.readouterr().out)["pieces"]} >= {"question", "options.2"}
    assert main(["explain", str(tmp_path / "many"), given[:-1]]) == 2
    assert "begins like a JSON object, and is none" in capsys.readouterr().err
