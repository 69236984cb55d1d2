"""The backbone whose weights another package carries packed: all of it that is the same for every such model.

Apart from `conversion`, which unpacks them and knows of no backbone. A plugin's ``backbone.py``::

    class E5(PackedBackbone[PackedOptions]):
        '''multilingual-e5-small: a BERT of 12 layers, 384 wide.'''

        weights = WEIGHTS  # from convert.py: a PackedWeights

        def read_spec(self) -> BackboneSpec:
            return BackboneSpec(**self.read_facts(), architecture="encoder", pooling="mean", licence="MIT")

        def load_network(self) -> Network:
            from functory_e5.model import load_network

            return load_network(self.folder, self.spec)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from functory.contracts.backbone import Backbone
from functory.contracts.component import Options
from functory.errors import NotSupported
from functory.reading.tokenizer import Tokenizer
from functory_sdk.checkpoints import weight_files
from functory_sdk.conversion import PackedWeights, weights_hash
from functory_sdk.facts import Facts
from functory_sdk.signs import open_tokenizer


class PackedOptions(Options):
    """Options of every packed backbone; derive from them to add your own."""

    folder: Path | None = Field(
        default=None, description="A packed file, its folder or a model folder, instead of the installed package's."
    )


P = TypeVar("P", bound=PackedOptions, covariant=True)


class PackedBackbone(Backbone[P]):
    """A pretrained model whose weights a package carries packed; the first use on a machine converts them.

    What is left to write: `weights`, `read_spec` and `load_network`.
    """

    weights: ClassVar[PackedWeights]
    """Where the weights lie, and how they are unpacked."""
    family: ClassVar[str] = ""
    """The one family that its weights can be of, as transformers names it; any when empty."""

    def locate(self) -> Path:
        return self.weights.locate_folder(self.options.folder)

    def files(self) -> Sequence[Path]:
        found = self.weights.locate(self.options.folder)
        return [found] if found.is_file() else super().files()

    @cached_property
    def folder(self) -> Path:
        """The model folder, converted where that was not yet done.

        :raises WeightsMissing: where there are no weights.
        :raises DataError: where the packed file is damaged.
        :raises ArtefactCorrupt: where the converted weights are, and cannot be made again.
        """
        return self.weights.folder(self.options.folder)

    def read_facts(self) -> dict[str, Any]:  # Any: fields of BackboneSpec
        """Return those facts that are the same to read for every packed backbone: `read_spec` adds its own.

        :raises ArtefactError: where the folder that a user named is no sound model folder.
        :raises NotSupported: where it holds a model of another family.
        """
        weight_files(self.folder)
        facts = config_facts(self.folder, self.family)
        return {
            **facts,
            "reference": self.reference,
            "mask_id": Facts(self.folder).mask_id(self.tokenizer),
            "weights_hash": weights_hash(self.folder),
        }

    def read_tokenizer(self) -> Tokenizer:
        return open_tokenizer(self.folder)


def config_facts(folder: Path, family: str = "") -> dict[str, Any]:  # Any: fields of BackboneSpec
    """Return the facts that a model folder's config.json and its weights say of one stack.

    :param folder: a model folder of a known family.
    :param family: the one that is wanted, as transformers names it; any when empty.
    :raises WeightsMissing: where there is no config.json, or no weights.
    :raises NotSupported: for another family.
    :raises ArtefactCorrupt: where it lacks one of them, or gives no number.
    """
    facts = Facts(folder)
    if family and facts.family != family:
        raise NotSupported(
            f"the folder holds a model of the family {facts.family!r}; this backbone is a {family}.",
            where=str(folder / "config.json"),
            do=f"name the folder as the backbone: backbone = {str(folder)!r}.",
        )
    told = ("family", "width", "layers", "vocabulary", "context", "has_masked_logits", "parameters")
    return {**{name: getattr(facts, name) for name in told}, "pad_id": facts.pad_id(None)}
