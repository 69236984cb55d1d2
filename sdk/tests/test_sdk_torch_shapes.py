"""What is made of a head's losses, checked against the formulas of the papers; and arithmetic within groups."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from functory_sdk import NotSupported, OptionError, TrainingOptions
from functory_sdk.labels.types import Labels
from functory_sdk.spans.types import SpanLabels

torch = pytest.importorskip("torch")
F = torch.nn.functional

from functory_sdk.torch import ClassifierHead, LikelihoodHead, Shape, TaggingHead, groups  # noqa: E402

SPEC = SimpleNamespace(width=4)
FEATURES = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
GOLD = torch.tensor([0, 2, 2, 2, 1, 2])


def classifier(mode: str = "single") -> Any:
    labels = ("no", "yes") if mode == "binary" else ("a", "b", "c")
    head = ClassifierHead(SPEC, Labels(labels=labels, mode=mode, thresholds=(0.5,) * 3))
    with torch.no_grad():
        head.linear.weight.normal_(generator=torch.Generator().manual_seed(1))
    return head


def mean(head: Any, features: Any, batch: Any, **options: Any) -> float:
    shape = Shape.of(TrainingOptions(**options), head, [batch])
    with torch.no_grad():
        total, weight = shape.summed(head, head(features, batch), batch)
    return float(total / weight)


def test_smoothing_and_class_weights_are_those_of_torch() -> None:
    head, batch = classifier(), {"gold": GOLD}
    logits = head.scores(FEATURES).detach()
    plain = float(F.cross_entropy(logits, GOLD))
    assert mean(head, FEATURES, batch) == pytest.approx(plain, rel=1e-5)
    smoothed = float(F.cross_entropy(logits, GOLD, label_smoothing=0.2))
    assert mean(head, FEATURES, batch, label_smoothing=0.2) == pytest.approx(smoothed, rel=1e-5)
    weights = torch.tensor([6 / (3 * 1), 6 / (3 * 1), 6 / (3 * 4)])  # as scikit-learn's 'balanced'
    balanced = float(F.cross_entropy(logits, GOLD, weight=weights))
    assert mean(head, FEATURES, batch, class_weights="balanced") == pytest.approx(balanced, rel=1e-5)
    given = float(F.cross_entropy(logits, GOLD, weight=torch.tensor([1.0, 5.0, 1.0])))
    assert mean(head, FEATURES, batch, class_weights={"b": 5}) == pytest.approx(given, rel=1e-5)
    assert len({plain, smoothed, balanced, given}) == 4


def test_the_focal_loss_is_that_of_its_paper() -> None:
    head, batch = classifier(), {"gold": GOLD}
    right = head.scores(FEATURES).detach().softmax(-1)[range(6), GOLD]
    expected = float((-((1 - right) ** 2) * right.log()).mean())
    assert mean(head, FEATURES, batch, focal=2.0) == pytest.approx(expected, rel=1e-5)


def test_labels_of_their_own_are_each_a_yes_or_no() -> None:
    head, gold = classifier("multi"), torch.tensor([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 0, 0], [1, 0, 0], [0, 0, 0.0]])
    batch, logits = {"gold": gold}, head.scores(FEATURES).detach()
    plain = F.binary_cross_entropy_with_logits(logits, gold)
    assert mean(head, FEATURES, batch) == pytest.approx(float(plain), rel=1e-5)
    smoothed = F.binary_cross_entropy_with_logits(logits, gold * 0.8 + 0.1)
    assert mean(head, FEATURES, batch, label_smoothing=0.2) == pytest.approx(float(smoothed), rel=1e-5)
    each = F.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    focal = (each * (1 - (-each).exp()) ** 2).mean()
    assert mean(head, FEATURES, batch, focal=2.0) == pytest.approx(float(focal), rel=1e-5)
    share = torch.stack([6 / (2 * (1 - gold).sum(0)), 6 / (2 * gold.sum(0))])  # (no and yes, labels)
    weights = torch.where(gold == 1, share[1], share[0])
    balanced = (each * weights).sum() / weights.sum()
    assert mean(head, FEATURES, batch, class_weights="balanced") == pytest.approx(float(balanced), rel=1e-5)
    raised = torch.where(gold == 1, torch.tensor([1.0, 1.0, 9.0]), torch.ones(3))
    given = (each * raised).sum() / raised.sum()
    assert mean(head, FEATURES, batch, class_weights={"c": 9}) == pytest.approx(float(given), rel=1e-5)


def test_a_binary_function_weighs_its_two_labels() -> None:
    head, gold = classifier("binary"), torch.tensor([0, 0, 0, 1, 0, 0.0])[:, None]
    each = F.binary_cross_entropy_with_logits(head.scores(FEATURES).detach(), gold, reduction="none")
    weights = torch.where(gold == 1, 4.0, 1.0)
    expected = float((each * weights).sum() / weights.sum())
    assert mean(head, FEATURES, {"gold": gold}, class_weights={"yes": 4}) == pytest.approx(expected, rel=1e-5)


def test_tags_are_weighed_where_there_are_some() -> None:
    state = SpanLabels(labels=("X",))
    head = TaggingHead(SPEC, state)
    assert head.names == ("O", "B-X", "I-X")
    gold = torch.tensor([[-100, 0, 0], [0, 1, -100]])
    features = FEATURES.view(2, 3, 4)
    logits = head.scores(features).detach().flatten(0, 1)
    weights = torch.tensor([4 / (2 * 3), 4 / 2, 1.0])  # the tag that nobody has counts for nothing
    expected = F.cross_entropy(logits, gold.flatten(), weight=weights, label_smoothing=0.0)
    assert mean(head, features, {"gold": gold}, class_weights="balanced") == pytest.approx(float(expected), rel=1e-5)
    smoothed = F.cross_entropy(logits, gold.flatten(), label_smoothing=0.3)
    assert mean(head, features, {"gold": gold}, label_smoothing=0.3) == pytest.approx(float(smoothed), rel=1e-5)


def test_what_a_head_cannot_is_refused_by_name() -> None:
    likely = LikelihoodHead(SPEC, None)
    for options, says in (
        ({"label_smoothing": 0.1}, "LikelihoodHead has no label smoothing"),
        ({"focal": 1.0}, "the losses of LikelihoodHead are no log-probabilities"),
        ({"class_weights": "balanced"}, "LikelihoodHead has no classes"),
        ({"class_weights": {"a": 2.0}}, "LikelihoodHead has no classes"),
    ):
        with pytest.raises(NotSupported, match=says):
            Shape.of(TrainingOptions(**options), likely, [{"gold": GOLD}])
    with pytest.raises(OptionError, match="class_weights names 'd', which is no class") as caught:
        Shape.of(TrainingOptions(class_weights={"d": 2.0}), classifier(), [])
    assert caught.value.do == "the classes are: a, b, c."


def test_sums_and_softmax_stay_within_their_groups() -> None:
    values, group = torch.tensor([1.0, 2.0, 300.0, 4.0, 301.0]), torch.tensor([0, 2, 1, 0, 1])
    assert groups.sums(values, group).tolist() == [5, 601, 2]
    assert groups.means(values, group, 4).tolist() == [2.5, 300.5, 2, 0]
    assert groups.log_sums(values, group, 4)[3] == -torch.inf
    likely = groups.log_softmax(values, group).exp().numpy()
    for number in range(3):
        mine = np.flatnonzero(group.numpy() == number)
        np.testing.assert_allclose(likely[mine], values[mine].softmax(0).numpy(), rtol=1e-5)
