"""The families that read with one stack and write with another: BART and its kin, held to the suite and to their own files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from functory_sdk import NotSupported
from functory_sdk.testing import FamilySuite

SMALL = {
    "vocab_size": 97, "d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 64,
    "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": None,
}  # fmt: skip


class TestBart(FamilySuite):
    component = "bart"
    config: ClassVar[Mapping[str, Any]] = SMALL


class TestMarian(FamilySuite):
    component = "marian"
    config: ClassVar[Mapping[str, Any]] = {**SMALL, "scale_embedding": True}

    def test_positions_that_a_folder_does_not_hold_are_computed(self, tmp_path: Path) -> None:
        """transformers leaves them out of what it saves: they follow from the sizes."""
        import torch

        network = self.loaded(tmp_path)
        self.model.save_pretrained(tmp_path)
        again, batch = self.loaded_as_it_is(tmp_path), self.batch(network.spec)
        sines = network.encoder.embed_positions.weight
        assert not torch.equal(sines, again.encoder.embed_positions.weight), "the random model has other positions"
        with torch.no_grad():
            for stack in (network.encoder, network.decoder):
                stack.embed_positions.weight.copy_(again.encoder.embed_positions.weight)
            assert torch.allclose(network.hidden(batch), again.hidden(batch), atol=1e-6)

    def loaded_as_it_is(self, folder: Path) -> Any:
        from functory_sdk.torch import load_transformers

        return load_transformers(folder, self.facts(folder)).eval()

    def test_two_vocabularies_are_refused_by_name(self) -> None:
        assert self.family.odd({"share_encoder_decoder_embeddings": True}) == ""
        assert self.family.odd({"share_encoder_decoder_embeddings": False}) == "share_encoder_decoder_embeddings"

    def test_a_bias_of_tokens_is_loaded_and_counts(self, tmp_path: Path) -> None:
        import torch

        self.model.final_logits_bias.fill_(0.0)[0, 5] = 50.0
        network = self.loaded(tmp_path)
        with torch.no_grad():
            assert network.logits(torch.randn(4, 32)).argmax(-1).tolist() == [5] * 4
        self.model.final_logits_bias.fill_(0.0)


class TestMBart(FamilySuite):
    component = "mbart"
    config: ClassVar[Mapping[str, Any]] = SMALL


class TestM2M100(FamilySuite):
    component = "m2m_100"
    config: ClassVar[Mapping[str, Any]] = SMALL


def test_half_a_translator_is_told(tmp_path: Path) -> None:
    from functory_sdk.facts import Facts

    (tmp_path / "config.json").write_text('{"model_type": "mbart", "architectures": ["MBartEncoderModel"]}')
    with pytest.raises(NotSupported, match="the encoder of a mbart without its decoder"):
        assert Facts(tmp_path).architecture


def test_more_tokens_than_there_are_places_for_are_refused_before_the_first() -> None:
    from functory.reading.reader import Reader
    from functory_sdk import Decoding, OptionError
    from functory_sdk.testing import TinyEncoderDecoder
    from functory_sdk.writes.types import WriteOptions
    from functory_sdk.writes.write import Write

    tiny = TinyEncoderDecoder()
    cases = (("bart", (), 63, True), ("bart", (), 64, False), ("bart", (7,), 63, False), ("t5", (), 500, True))
    for family, first, most, is_room in cases:
        spec = tiny.spec.model_copy(update={"family": family, "first_ids": first, "never_ids": (9,)})
        put, reader = Write(WriteOptions(max_new_tokens=most), spec, str, "reference"), Reader(tiny.tokenizer, spec)
        if is_room:
            [request] = put.encode(["a film"], reader, None).requests
            assert (request.start, request.never) == (first, {9})
            assert isinstance(request.decoding, Decoding)
        else:
            with pytest.raises(OptionError, match=f"max_new_tokens is {most}; .* has places for {63 - len(first)} tokens"):
                put.encode(["a film"], reader, None)
