"""Rows of stacked texts: each is read by itself, once however often it stands there, and from the store as without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from functory_sdk import Encoded, Run, Taught, pad, row_length
from functory_sdk.testing.fitted import tensors
from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder, TinyEncoderDecoder
from functory_sdk.testing.toy import ToyAdaptation, ToyState, ToyTask, ToyText
from functory_sdk.torch import LinearHead, Model, Paired, own
from functory_torch import TorchEngine
from functory_torch import store as stores
from functory_torch.sources import FromStates, Whole
from functory_torch.store import FeatureStore
from functory_torch.texts import texts_of

PAIRS = [("we saw the good film in the rain", "a"), ("a", "bad and poor"), ("the day was very fine", "a"), ("a", "a")] * 3
STATE = ToyState(labels=("no", "yes"))


class PairHead(LinearHead):
    """Scores of two labels from two texts."""

    def __init__(self, spec: Any, state: Any) -> None:
        super().__init__(spec, state, 2, Paired())

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"scores": self.scores(features)}


class PairTask(ToyTask):
    """Two texts by themselves."""

    head: ClassVar[str] = f"{__name__}:PairHead"
    texts = 2

    def encode(self, inputs: Any, reader: Any, state: Any) -> Encoded:
        return reader.each_by_itself(inputs, fields=("first", "second"))


class Top(ToyAdaptation):
    """Trains the layers from a cut point on."""

    def __init__(self, cut: int) -> None:
        super().__init__()
        self.at = cut

    def cut(self, spec: Any) -> int:
        return self.at

    def attach(self, network: Any) -> None:
        own(torch.nn.ModuleList(network.blocks[self.at :]))


@pytest.fixture(scope="module", params=(TinyEncoder, TinyDecoder, TinyEncoderDecoder), ids=lambda kind: kind.__name__)
def backbone(request: pytest.FixtureRequest) -> Any:
    return request.param.configure({})


def made(backbone: Any, cut: int) -> tuple[Any, list[dict[str, Any]]]:
    from functory_sdk import Reader

    model = TorchEngine().adapt(backbone, PairTask(), STATE, Top(cut), seed=1)
    return model, PairTask().encode(PAIRS, Reader(backbone.tokenizer, backbone.spec), STATE).rows


def test_a_rows_texts_are_read_as_each_is_by_itself_in_any_company(backbone: Any) -> None:
    model, rows = made(backbone, backbone.spec.points)
    assert [port.axes[0] for port in model.inputs] == [2] * len(model.inputs)
    with torch.inference_mode():
        together = model(tensors(pad(rows, model.inputs)))["scores"]
        texts = texts_of(rows, backbone.spec, 2)
        single = Model(model.network, None, backbone.spec.ports(), (), None)
        for place, row in enumerate(rows):
            alone = model(tensors(pad([row], model.inputs)))["scores"][0]
            assert torch.allclose(alone, together[place], atol=1e-4)
            both = [tensors(pad([texts.rows[index]], single.inputs)) for index in texts.places[place]]
            vectors = [model.head.reading.each(model.network, single.features({}, one), one)[0] for one in both]
            joined = model.head.reading.join(torch.stack(vectors)[None])
            assert torch.allclose(model.head.scores(joined)[0], together[place], atol=1e-4)


def test_the_stored_states_of_texts_give_what_the_whole_pass_gives_at_every_cut(backbone: Any, tmp_path: Path) -> None:
    for cut in range(1, backbone.spec.points + 1):
        model, rows = made(backbone, cut)
        here = torch.device("cpu")
        store = FeatureStore(tmp_path, model.network, cut, "state")
        taught = Taught(rows, list(range(len(rows))))
        stored, whole = FromStates(model, taught, here, store, cut, lambda done: None), Whole(model, taught, here)
        with torch.inference_mode():
            for chosen in ([0], [3, 1, 0], range(len(rows))):
                one, other = (source.run(list(chosen))[0]["scores"] for source in (stored, whole))
                assert torch.allclose(one, other, atol=1e-4), f"cut {cut}"


def test_rows_of_one_text_that_come_again_are_read_once_and_each_has_its_own_gold(tmp_path: Path) -> None:
    from functory_sdk import Reader

    backbone = TinyEncoder()
    model = TorchEngine().adapt(backbone, ToyTask(), STATE, Top(2), seed=1)
    texts = [ToyText(text="a good day"), ToyText(text="rain")]
    encoded = ToyTask().encode(texts, Reader(backbone.tokenizer, backbone.spec), STATE).rows
    rows = [{**encoded[place], "gold": np.asarray(gold)} for place, gold in ((1, 0), (0, 1), (1, 1), (0, 0), (1, 0))]
    taught = Taught(rows, list(range(len(rows))))
    store = FeatureStore(tmp_path, model.network, 2, "state")
    stored = FromStates(model, taught, torch.device("cpu"), store, 2, lambda done: None)
    assert len(stored._texts.rows) == 2
    whole = Whole(model, taught, torch.device("cpu"))
    with torch.inference_mode():
        for chosen in ([0], [3, 1, 0], [4, 2, 1]):
            (one, batch), (other, same) = (source.run(chosen) for source in (stored, whole))
            assert torch.allclose(one["scores"], other["scores"], atol=1e-5)
            assert batch["gold"].tolist() == same["gold"].tolist() == [int(rows[row]["gold"]) for row in chosen]


def test_a_text_that_stands_in_many_rows_is_computed_and_kept_once(
    backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = made(backbone, backbone.spec.points)
    assert len(texts_of(rows, backbone.spec, 2).rows) == 4
    seen: list[int] = []
    compute = stores._compute
    monkeypatch.setattr(stores, "_compute", lambda rows, *rest: seen.append(len(rows)) or compute(rows, *rest))
    told: list[float] = []
    run = Run(tmp_path / "run", tmp_path / "store", 0, lambda event: told.append(event.step))
    with TorchEngine().session(model, Taught(rows, list(range(len(rows)))), None, run) as session:
        features = session.features(rows)
    assert seen == [4]
    assert told[-1] == len(rows), "the bar counts rows"
    with torch.inference_mode():
        assert torch.allclose(features, model.features({}, tensors(pad(rows, model.inputs))), atol=1e-4)


def test_a_text_without_tokens_stands_beside_one_with_some() -> None:
    backbone = TinyDecoder.configure({})
    model, _ = made(backbone, backbone.spec.points)
    from functory_sdk import Reader

    [row] = PairTask().encode([("", "a day")], Reader(backbone.tokenizer, backbone.spec), STATE).rows
    with torch.inference_mode():
        assert torch.isfinite(model(tensors(pad([row], model.inputs)))["scores"]).all()


def test_rows_cost_what_all_their_texts_cost() -> None:
    assert row_length({"input_ids": np.zeros((3, 7)), "gold": np.zeros(400)}) == 21
    assert row_length({"input_ids": np.zeros(7), "decoder_input_ids": np.zeros(9)}) == 9


def test_a_head_that_reads_another_number_of_texts_than_rows_hold_is_named() -> None:
    from functory.errors import PluginError

    backbone = TinyEncoder.configure({})
    with pytest.raises(PluginError, match=r"rows hold 1 texts, and PairHead reads 2"):
        Model(backbone.network, PairHead(backbone.spec, STATE), backbone.spec.ports(), (), None)
