"""What belongs together is brought together: the losses, checked against the formula of the paper."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from functory_sdk import NotSupported
from functory_sdk.labels.types import Labels
from functory_sdk.spans.types import SpanLabels

torch = pytest.importorskip("torch")

from functory_sdk.torch import ClassifierHead, TaggingHead, contrast  # noqa: E402

VECTORS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
GOLD = torch.tensor([0, 1, 0, 0, 2])
SPEC = SimpleNamespace(width=4)


def by_hand(vectors: torch.Tensor, gold: list[int]) -> list[float]:
    """Return equation 2 of Khosla et al. 2020, a row at a time; 0 where there is none like it."""
    units = [vector / vector.norm() for vector in vectors]
    found = []
    for one, own in enumerate(units):
        others = [place for place in range(len(units)) if place != one]
        whole = sum((own @ units[other] / contrast.TEMPERATURE).exp() for other in others)
        like = [other for other in others if gold[other] == gold[one]]
        each = [float(((own @ units[other] / contrast.TEMPERATURE).exp() / whole).log()) for other in like]
        found.append(-sum(each) / len(each) if each else 0.0)
    return found


def test_each_row_loses_what_the_paper_says() -> None:
    losses, weights = contrast.gathered(VECTORS, contrast.alike(GOLD))
    assert losses.tolist() == pytest.approx(by_hand(VECTORS, GOLD.tolist()), rel=1e-4, abs=1e-6)
    assert weights.tolist() == [1, 0, 1, 1, 0], "a row that none is like loses nothing"


def test_rows_of_several_labels_are_alike_as_far_as_these_are() -> None:
    gold = torch.tensor([[1.0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1]])
    assert contrast.alike(gold)[0].tolist() == pytest.approx([1, 1 / 2, 0, 0, 1 / 3])
    assert contrast.alike(gold)[2].tolist() == [0, 0, 1, 1, 0]


def test_a_row_whose_label_is_not_known_is_passed_over() -> None:
    head = ClassifierHead(SPEC, Labels(labels=("a", "b", "c")))
    unknown = torch.cat([GOLD, torch.tensor([-100])])
    losses, _ = head.contrast(torch.cat([VECTORS, torch.ones(1, 4)]), {"gold": unknown})
    assert losses.tolist() == pytest.approx(by_hand(VECTORS, GOLD.tolist()), rel=1e-4, abs=1e-6)


def test_a_head_that_does_not_say_what_belongs_together_is_refused_by_name() -> None:
    head = TaggingHead(SPEC, SpanLabels(labels=("A",)))
    with pytest.raises(NotSupported, match="TaggingHead does not say"):
        head.contrast(VECTORS, {"gold": GOLD})
