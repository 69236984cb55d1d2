from pathlib import Path

import pytest

from functory_huggingface.facts import Facts
from functory_sdk import ArtefactCorrupt, NotSupported


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"model_type": "bert"}', "config.json does not say hidden_size or d_model or dim"),
        ("[1, 2]", "config.json holds no object"),
        ('{"model_type": ', "config.json is no JSON"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named_with_its_fault(tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ArtefactCorrupt, match=message) as caught:
        assert Facts(tmp_path).width
    assert str(tmp_path / "config.json") in str(caught.value)
    assert caught.value.do


def test_a_first_token_without_an_embedding_and_half_a_t5_are_told(tmp_path: Path) -> None:
    config = '{"model_type": "t5", "vocab_size": 32, "decoder_start_token_id": %s, "architectures": ["%s"]}'
    (tmp_path / "config.json").write_text(config % (32, "T5ForConditionalGeneration"))
    with pytest.raises(ArtefactCorrupt, match="decoder_start_token_id = 32, and the model has 32 embeddings"):
        assert Facts(tmp_path).start_id
    (tmp_path / "config.json").write_text(config % (31, "T5EncoderModel"))
    with pytest.raises(NotSupported, match="is a T5EncoderModel, the encoder of a T5 without its decoder"):
        assert Facts(tmp_path).architecture
