"""A head that is fitted to the features before the layers learn, and golds of any number of axes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from looping import loop

from functory_sdk import Event, Port, Taught, TrainingError
from functory_sdk.torch import LinearHead, Tokens
from functory_sdk.torch.shapes import PLAIN
from functory_torch import headfirst
from functory_torch.sources import Whole


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_training_begins_with_a_head_that_reads_the_features(cut: int, tmp_path: Path) -> None:
    first: dict[bool, float] = {}
    for head_first in (True, False):
        events: list[Event] = []
        loop(tmp_path / str(head_first), cut=cut, emit=events.append, dropout=0.0, head_first=head_first).run()
        first[head_first] = next(event.values["loss"] for event in events if event.kind == "step")
    assert first[False] > 0.6, "a head that was drawn knows nothing of two labels"
    assert first[True] < first[False] - 0.03


def test_its_map_is_the_optimum_on_the_features_as_they_are(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    one = loop(tmp_path, dev=False)
    headfirst.fit_head_first(one.sources[0], one.lengths, 64, 0)
    with torch.no_grad():
        features = one.sources[0].features(range(48))[0].numpy()
        probabilities = one.sources[0].run(range(48))[0]["scores"].exp().numpy()
    gold = np.array([int(row["gold"]) for row in one.train.rows])
    scaled = (features - features.mean(0)) / features.std(0)
    # two maps, one for each label, are penalised half as much as their difference
    peer = LogisticRegression(C=2 / headfirst.PRIOR, max_iter=5000, tol=1e-8).fit(scaled, gold)
    np.testing.assert_allclose(probabilities, peer.predict_proba(scaled), atol=2e-3)


class Tags(LinearHead):
    """Three tags for each token."""

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"scores": torch.log_softmax(self.scores(features), -1)}

    def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
        scores, gold = outputs["scores"].reshape(-1, 3), batch["gold"].reshape(-1)
        losses = torch.nn.functional.nll_loss(scores, gold, ignore_index=-100, reduction="none")
        return losses, (gold != -100).float()


def tagged(tmp_path: Path, fill: int) -> Whole:
    """Return rows whose tokens have a gold by their ids, the first and last of each none."""
    model = loop(tmp_path, cut=1, dev=False).model
    model.head = Tags(SimpleNamespace(width=model.network.spec.width), None, 3, Tokens())
    model.gold = (Port("gold", "int64", ("tokens",), -100),)
    rows = []
    for length in (5, 9, 3, 12, 7, 4):
        ids = np.arange(1, length + 1, dtype=np.int64) % 11 + 5
        gold = ids % 3
        gold[[0, -1]] = fill
        rows.append({"input_ids": ids, "attention_mask": np.ones(length, np.int64), "gold": gold})
    known = [port.name for port in model.inputs]
    rows = [{name: row.get(name, np.zeros_like(row["input_ids"])) for name in [*known, "gold"]} for row in rows]
    return Whole(model, Taught(rows, list(range(6))), torch.device("cpu"))


def test_tokens_without_gold_and_padding_are_left_out(tmp_path: Path) -> None:
    source = tagged(tmp_path, fill=-100)
    block = source.block(range(6))
    assert block.features.shape == (40 - 12, source.model.network.spec.width)
    assert (block.gold["gold"] >= 0).all()
    assert len(tagged(tmp_path, fill=1).block(range(6)).features) == 40
    lengths = [len(row["input_ids"]) for row in source.rows]
    loss = headfirst.fit_head_first(source, lengths, 16, 0)
    assert loss is not None
    assert loss < np.log(3), "it reads the tokens"
    only_ignored = tagged(tmp_path, fill=-100)
    for row in only_ignored.rows:
        row["gold"][:] = -100
    assert headfirst.fit_head_first(only_ignored, lengths, 16, 0) is None


def test_enough_rows_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = loop(tmp_path, dev=False)
    seen: list[int] = []
    features = one.sources[0].features
    monkeypatch.setattr(one.sources[0], "features", lambda rows: (seen.extend(rows), features(rows))[1])
    monkeypatch.setattr(headfirst, "UNITS", 1)
    one.lengths = one.lengths * 4
    headfirst.fit_head_first(one.sources[0], one.lengths[:48], 64, 0)
    assert sorted(seen) == list(range(48)), "the first 64 rows are one part"


class Candidates(LinearHead):
    """Whether each of a token's candidates is right: a gold of two axes that both vary, filled with -7."""

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"scores": self.scores(features)}

    def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
        gold = batch["gold"]  # (batch, tokens, candidates)
        counted = gold != -7
        scores = outputs["scores"].expand(gold.shape)[counted]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(scores, gold[counted], reduction="none")
        return losses, torch.ones_like(losses)


def with_candidates(tmp_path: Path) -> Whole:
    """Return rows of unequal lengths, whose tokens have unequally many candidates; the first token of each has none."""
    model = loop(tmp_path, cut=1, dev=False).model
    model.head = Candidates(SimpleNamespace(width=model.network.spec.width), None, 1, Tokens())
    model.gold = (Port("gold", "float32", ("tokens", "candidates"), -7),)
    rows = []
    for length, candidates in ((5, 2), (9, 1), (3, 4)):
        ids = np.arange(1, length + 1, dtype=np.int64) % 11 + 5
        gold = np.repeat((ids % 2).astype(np.float32)[:, None], candidates, axis=1)
        gold[0] = -7
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        rows.append({**inputs, "gold": gold})
    return Whole(model, Taught(rows, [0, 1, 2]), torch.device("cpu"))


def test_golds_are_padded_by_their_ports_on_every_axis(tmp_path: Path) -> None:
    source = with_candidates(tmp_path)
    padded = source.gold(range(3))
    assert padded["gold"].shape == (3, 9, 4)
    for index, row in enumerate(source.rows):
        tokens, candidates = row["gold"].shape
        np.testing.assert_array_equal(padded["gold"][index, :tokens, :candidates], row["gold"])
        assert (padded["gold"][index, tokens:] == -7).all()
        assert (padded["gold"][index, :, candidates:] == -7).all()
    with torch.no_grad():
        outputs, batch = source.run(range(3))
        total, count = PLAIN.summed(source.model.head, outputs, batch)
        alone = [PLAIN.summed(source.model.head, *source.run([index])) for index in range(3)]
    assert int(count) == 4 * 2 + 8 + 2 * 4 == sum(int(one[1]) for one in alone)
    assert float(total) == pytest.approx(sum(float(one[0]) for one in alone), rel=1e-5)


def test_the_head_is_fitted_first_to_golds_of_two_axes_too(tmp_path: Path) -> None:
    source = with_candidates(tmp_path)
    assert len(source.block(range(3)).features) == 4 + 8 + 2, "the first token of each row says nothing"
    loss = headfirst.fit_head_first(source, [5, 9, 3], 8, 0)  # in more than one part, of unequal axes
    assert loss is not None
    assert loss < np.log(2)
    source.model.gold = (*source.model.gold, Port("weight"))
    assert headfirst.fit_head_first(source, [5, 9, 3], 8, 0) is None, "a gold of the row belongs to no token"


def test_an_array_that_no_port_declares_is_named(tmp_path: Path) -> None:
    source = with_candidates(tmp_path)
    rows = [{**row, "extra": row["input_ids"]} for row in source.rows]
    with pytest.raises(TrainingError, match="rows hold extra, which no port declares"):
        Whole(source.model, Taught(rows, [0, 1, 2]), torch.device("cpu"))
