"""What heads are given of the last hidden states: the same alone and in a batch, and in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from functory_sdk import NotSupported, Port, pad  # noqa: E402
from functory_sdk.testing.fitted import probes, tensors  # noqa: E402
from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder, TinyEncoderDecoder  # noqa: E402
from functory_sdk.torch import (  # noqa: E402
    AttentionPooling,
    Beside,
    ClassifierHead,
    Graph,
    Head,
    Likelihood,
    Logits,
    Model,
    Places,
    Pooled,
    Reading,
    Spans,
    Tokens,
)


class Read(Head):
    """Gives what it reads."""

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"read": features}


BACKBONES = (TinyEncoder, TinyDecoder, TinyEncoderDecoder)


@pytest.fixture(scope="module", params=BACKBONES, ids=lambda kind: kind.__name__)
def backbone(request: pytest.FixtureRequest) -> Any:
    return request.param.configure({})


def readings(backbone: Any) -> list[tuple[Reading, tuple[Port, ...]]]:
    """Return each reading, and the ports that it needs."""
    torch.manual_seed(0)
    attention = AttentionPooling(backbone.spec.width)
    torch.nn.init.normal_(attention.query)
    found: list[tuple[Reading, tuple[Port, ...]]] = [(Pooled(), ()), (Tokens(), ()), (attention, ())]
    if backbone.spec.has_logits:
        axis = "target" if backbone.spec.architecture == "encoder-decoder" else "tokens"
        found += [(Logits(), ()), (Likelihood(), (Port("scored", "int64", (axis,), 0),))]
    if backbone.spec.architecture != "encoder-decoder":
        places = (Port("places", "int64", (2,)),)
        found += [(Places(2), places), (Spans(1), places), (Beside(Places(2), Spans(1), Pooled()), places)]
    return found


def with_arrays(backbone: Any) -> list[dict[str, Any]]:
    """Return rows that hold what any reading wants."""
    rows = probes(backbone)
    for row in rows:
        written = row.get("decoder_input_ids", row["input_ids"])
        row["scored"] = np.arange(len(written)) % 2
        row["places"] = np.array([len(row["input_ids"]) - 1, 0])
    return rows


def read(backbone: Any, reading: Reading, ports: Any, rows: Any) -> Any:
    network = backbone.network
    batch = tensors(pad(rows, (*backbone.spec.ports(), *ports)))
    with torch.no_grad():
        return reading(network, network.hidden(batch), batch)


def test_a_reading_gives_a_row_the_same_alone_and_beside_others_and_as_wide_as_it_says(backbone: Any) -> None:
    rows = with_arrays(backbone)
    for reading, ports in readings(backbone):
        together = read(backbone, reading, ports, rows)
        for place, row in enumerate(rows):
            [alone] = read(backbone, reading, ports, [row])
            found = together[place] if reading.unit == "row" else together[place, : len(alone)]
            assert torch.allclose(alone, found, atol=1e-4), reading.name
            if reading.name != "likelihood":
                assert alone.shape[-1] == reading.width(backbone.spec), reading.name


def test_the_states_at_places_stand_beside_each_other_in_their_order() -> None:
    backbone = TinyEncoder.configure({})
    rows = with_arrays(backbone)
    batch = tensors(pad(rows, (*backbone.spec.ports(), Port("places", "int64", (2,)))))
    hidden = backbone.network.hidden(batch)
    found = Places(2)(backbone.network, hidden, batch)
    for place, row in enumerate(rows):
        expected = torch.cat([hidden[place, len(row["input_ids"]) - 1], hidden[place, 0]])
        assert torch.equal(found[place], expected)


def test_a_span_is_read_as_the_mean_of_what_stands_in_it_and_an_empty_one_as_zeros() -> None:
    backbone = TinyEncoder.configure({})
    row = probes(backbone)[0]
    batch = tensors(pad([{**row, "places": np.array([0, 2, 3, 3])}], (*backbone.spec.ports(), Port("places", "int64", (4,)))))
    hidden = torch.arange(5.0)[None, :, None].expand(1, 5, backbone.spec.width)
    whole, empty = Spans(2)(backbone.network, hidden, batch).chunk(2, 1)
    assert torch.equal(whole, torch.full_like(whole, 1.5))
    assert torch.equal(empty, torch.zeros_like(empty))
    both = Beside(Spans(2), Places(4))
    assert both.width(backbone.spec) == 6 * backbone.spec.width
    assert both.arrays == ("places",)


def test_states_at_places_are_refused_where_the_last_states_are_of_another_text() -> None:
    with pytest.raises(NotSupported, match="where it writes"):
        Places(2).width(TinyEncoderDecoder.configure({}).spec)


def test_attention_begins_as_the_mean_and_looks_at_no_padding() -> None:
    backbone = TinyEncoder.configure({})
    rows = with_arrays(backbone)
    attention = AttentionPooling(backbone.spec.width)
    hidden = [backbone.network.hidden(tensors(pad([row], backbone.spec.ports())))[0].mean(0) for row in rows]
    assert torch.allclose(read(backbone, attention, (), rows), torch.stack(hidden), atol=1e-5)


def test_a_head_that_reads_otherwise_has_a_map_as_wide_as_its_reading() -> None:
    from functory_sdk import Labels

    spec = TinyEncoder.configure({}).spec
    head = ClassifierHead(spec, Labels(labels=("a", "b")))
    kept = head.linear
    head.read_as(AttentionPooling(spec.width))
    assert head.linear is kept, "nothing is drawn anew for as wide a reading"
    head.read_as(Places(3))
    assert head.linear.in_features == 3 * spec.width


def test_a_traced_model_reads_as_the_model_does(backbone: Any) -> None:
    rows = with_arrays(backbone)
    for reading, ports in readings(backbone):
        if reading.unit == "token":
            continue
        inputs = (*backbone.spec.ports(), *ports)
        head = Read(backbone.spec, None, reading)
        model = Model(backbone.network, head, inputs, (Port("read", "float32", (head.reading.width(backbone.spec),)),), None)
        graph = Graph(model.eval())
        few, all_ = (tensors(pad(some, inputs)) for some in (rows[:2], rows))
        with torch.inference_mode():
            traced = torch.jit.trace(graph, tuple(few.values()), check_trace=False)
            assert torch.allclose(traced(*all_.values())[0], model(all_)["read"], atol=1e-5), reading.name
