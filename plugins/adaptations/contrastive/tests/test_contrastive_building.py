"""Few examples are enough where what belongs together is brought together first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import Event, NotSupported, Run
from functory_sdk.testing.fitted import toy_rows
from functory_sdk.testing.toy import ToyState, ToyTask
from functory_sdk.testing.toy import rows as toy_texts

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("tiny_kit")
TOY = {"epochs": 20, "learning_rate": 1e-2, "batch_rows": 24}


def built(rows: Any, **parts: Any) -> Any:
    adaptation = {"name": "contrastive", **TOY}
    given = {"task": "text-classification", "train": rows, "adaptation": adaptation, "dev_share": 0, "test_share": 0}
    return functory.build(**{"backbone": "tiny-encoder", "name": "few", **given, **parts})


def texts(count: int, seed: int = 0) -> list[dict[str, Any]]:
    return [{"text": row["text"], "label": row["label"]} for row in toy_texts(count, seed)]


@pytest.fixture(scope="module")
def few() -> Any:
    return built(texts(24), test=texts(60, seed=5))


def apart(fn: Any, rows: Any) -> float:
    """Return by how much the cosines of texts of a label are above those of others."""
    from functory_sdk import pad

    encoded = fn.form.formulation.encode([fn.task.Input(text=row["text"]) for row in rows], fn.reader, fn.state)
    model, gold = fn.form.program.model, [row["label"] for row in rows]
    with torch.inference_mode():
        batch = {name: torch.from_numpy(array) for name, array in pad(encoded.rows, model.inputs).items()}
        units = torch.nn.functional.normalize(model.features({}, batch), dim=-1)
    same = torch.tensor([[one == other for other in gold] for one in gold])
    cosines = units @ units.T
    return float(cosines[same].mean() - cosines[~same].mean())


def test_unseen_texts_of_a_label_are_near_each_other_and_are_told_apart(few: Any) -> None:
    plain = built(texts(24), adaptation={"name": "head", "hidden": 0, "penalty": 1.0})
    unseen = texts(60, seed=5)
    assert apart(few, unseen) > 5 * abs(apart(plain, unseen))
    assert few.report.metrics["accuracy"].low > few.report.metrics["accuracy"].baseline


def test_the_upper_half_of_the_layers_learns_and_the_lower_lies_below_the_cut(few: Any) -> None:
    model = few.form.program.model
    learns = [any("lora" in name for name, _ in block.named_parameters()) for block in model.network.blocks]
    assert learns == [False] * (len(learns) // 2) + [True] * (len(learns) - len(learns) // 2)
    assert model.cut == len(learns) // 2 + 1 > 1


def test_it_is_saved_with_a_small_phi_and_answers_the_same_when_it_is_loaded(few: Any, tmp_path: Path) -> None:
    again = functory.load(few.save(tmp_path / "few"))
    assert again("the good film") == few("the good film")
    assert {name.partition(".")[0] for name in few.form.engine.phi(few.form.program.model)} == {"network", "head"}


def test_several_labels_a_text_bring_it_near_what_shares_them() -> None:
    rows = [{"text": f"{' '.join(labels)} day", "label": labels} for labels in (["good"], ["film"], ["good", "film"])] * 4
    many = built(rows)
    assert set(many("good film day").labels) == {"good", "film"}


def test_where_no_two_are_of_a_label_the_head_alone_is_fitted_and_says_so() -> None:
    rows = [{"text": "good film", "label": "a"}, {"text": "bad song", "label": "b"}, {"text": "poor book", "label": "c"}]
    alone = built(rows)
    assert [note for note in alone.about.notes if "no two examples are of a label" in note]
    assert alone("good film").label == "a"


def test_a_ranking_brings_queries_near_what_is_relevant_and_stays_their_cosine() -> None:
    words = ("film", "song", "book", "night", "rain", "day")
    queries = [{"query": one, "candidates": [f"good {one}", "a sun", "we saw it"], "relevance": [1, 0, 0]} for one in words]
    adaptation = {"name": "contrastive", "epochs": 12, "learning_rate": 5e-3, "batch_rows": 12}
    ranking = {"name": "ranking", "lexical": 0.0}  # words alone would tell
    plain = built(None, task=ranking, adaptation="zero-shot", test=queries).report.metrics["mrr"].value
    rank = built(queries, task=ranking, adaptation=adaptation, test=queries)
    assert rank.form.put == "vectors"
    assert rank.report.metrics["mrr"].value > plain
    weight = rank.form.program.model.head.linear.weight
    assert not weight[:, :-2].any(), "the head goes by something else than the cosine and the words"


def test_an_embedding_learns_which_texts_belong_together_below_its_map() -> None:
    together = (("good", "fine"), ("bad", "poor"), ("film", "song"), ("sun", "day"))
    pairs = [{"text": one, "other": other} for one, other in together]
    adaptation = {"name": "contrastive", "epochs": 24, "learning_rate": 1e-2, "batch_rows": 8}
    embed = built(pairs, task="embedding", adaptation=adaptation)
    plain = built(None, task="embedding", adaptation="zero-shot")

    def lead(fn: Any, text: str, wanted: str) -> float:
        """Return by how much the cosine with a text's own other is above those with the others'."""
        own, *rest = (fn(text, other).cosine for other in sorted((other for _, other in together), key=lambda o: o != wanted))
        return float(own - max(rest))

    assert all(lead(embed, *pair) > lead(plain, *pair) for pair in together)
    weight = embed.form.program.model.head.linear.weight
    assert torch.equal(weight, torch.eye(len(weight))), "the map above the network learned too"


def test_a_head_that_says_nothing_of_what_belongs_together_is_refused_by_name() -> None:
    rows = [{"text": "we saw the film", "entities": [{"start": 7, "end": 15, "label": "THING"}]}] * 4
    with pytest.raises(NotSupported, match="does not say which of its rows belong together") as caught:
        built(rows, task="ner")
    assert "lora" in caught.value.do


def test_a_fit_that_was_broken_off_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    from functory.plugins.registry import load
    from functory_sdk.testing.tiny import TinyEncoder

    engine, backbone = load("engines", "torch").configure(), TinyEncoder()
    adaptation = load("adaptations", "contrastive").configure({"epochs": 4, "batch_rows": 8, "checkpoint_steps": 3})

    def stop(event: Event) -> None:
        if event.kind == "step" and event.step == 8:
            raise KeyboardInterrupt

    def fitted(place: Path, emit: Any = lambda event: None) -> dict[str, Any]:
        model = engine.adapt(backbone, ToyTask(), ToyState(labels=("no", "yes")), adaptation, seed=1)
        with engine.session(model, toy_rows(backbone, 24), None, Run(place / "run", place / "store", 0, emit)) as session:
            adaptation.fit(session)
        return engine.phi(model)

    whole = fitted(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "broken", stop)
    told: list[Event] = []
    again = fitted(tmp_path / "broken", told.append)
    assert [event.text for event in told if event.kind == "note"] == ["going on from the checkpoint at step 6"]
    assert all((whole[name] == again[name]).all() for name in whole)
