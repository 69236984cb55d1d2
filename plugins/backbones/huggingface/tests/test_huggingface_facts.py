from pathlib import Path

import pytest

from functory_huggingface.facts import Facts
from functory_sdk import ArtefactCorrupt


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
