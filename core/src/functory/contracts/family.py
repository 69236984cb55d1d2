"""The contract of families: an architecture of networks, as model folders name it in ``model_type``.

Written in two modules, as backbones are: ``family.py`` (no torch: what config.json and the tensors' names say) and ``stack.py``
(torch: the network that can be cut). A complete ``family.py``::

    class Mixer(Family):
        '''MLP-Mixer over tokens (Tolstikhin et al. 2021).'''

        base = "mixer"
        keys = {**Family.keys, "width": ("channels",)}

        def network(self, spec, model):
            from acme_mixer.stack import MixerStack

            return MixerStack(spec, model)

        def model(self, config):  # only where transformers is not to make it
            from acme_mixer.stack import Mixer

            return Mixer(config["channels"], config["num_hidden_layers"])
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from functory.contracts.backbone import Architecture, BackboneSpec
from functory.contracts.component import Component, NoOptions

Json = Mapping[str, Any]  # Any: JSON as its authors left it
Unit = Literal["text", "token", "span"]
"""What a head made elsewhere gives something for: ``…ForSequenceClassification`` labels texts,
``…ForTokenClassification`` tokens, ``…ForQuestionAnswering`` scores the ends of a span."""
UNITS: Mapping[Unit, tuple[str, str]] = {
    "text": ("labels whole texts", "text-classification"),
    "token": ("labels tokens", "ner"),
    "span": ("scores where an answer begins and ends", "question-answering"),
}
"""What such a head does, in words, and the task that it does."""


@dataclass(frozen=True)
class Classifier:
    """Under what names a family keeps a fine-tuned classifier, and what comes between.

    :param pooling: the token that is read; each: every token by itself.
    :param out: the last map.
    :param map: the map before it; empty where there is none.
    :param activation: of that map; ``:key`` names the entry of config.json that says it.
    :param norm: after the activation; empty where there is none.
    """

    pooling: Literal["first", "last", "each"]
    out: str
    map: str = ""
    activation: str = ""
    norm: str = ""


ANSWERS = Classifier("each", "qa_outputs")
"""The head that scores the ends of an answer: most families keep it alike."""


class Family(Component[NoOptions]):
    """An architecture: how config.json tells its sizes, and how its network is taken apart. Its name is the ``model_type``."""

    kind: ClassVar[str] = "families"
    architecture: ClassVar[Architecture] = "encoder"
    base: ClassVar[str] = ""
    """By what name a model with a head holds the one without; empty where no name is put before."""
    keys: ClassVar[Mapping[str, Sequence[str]]] = {
        "width": ("hidden_size",),
        "layers": ("num_hidden_layers",),
        "vocabulary": ("vocab_size",),
        "context": ("max_position_embeddings",),
    }
    """A fact → its names in config.json, of which the first that is there counts; two stacks have ``decoder_layers``, too."""
    counts_from_pad: ClassVar[bool] = False
    """Positions are counted from after the padding id, as RoBERTa's: two of 514 are never used."""
    is_endless: ClassVar[bool] = False
    """Positions are relative: what is written may be longer than the context."""
    is_tied: ClassVar[bool] = False
    """The embeddings score tokens, too, where config.json does not say."""
    attention: ClassVar[Literal["sdpa", "eager"]] = "sdpa"
    """How transformers computes attention here: sdpa, where that can compute it."""
    masked: ClassVar[Sequence[str]] = ()
    """How the names of tensors begin that predict masked tokens: any of them."""
    classifiers: ClassVar[Mapping[Unit, Classifier]] = {}
    """Fine-tuned classifiers, by what gets a label; an encoder's of spans are `ANSWERS` where it does not say."""
    uncomputed: ClassVar[Sequence[str]] = ()
    """Settings of config.json that turn on what the network does not compute."""

    known_as: ClassVar[str] = ""
    """The class of transformers that computes what `model` makes, under the same names; empty where there is none."""

    @abstractmethod
    def network(self, spec: BackboneSpec, model: Any) -> Any:  # Any: torch is not imported here
        """Return a model as a `functory_sdk.torch.Network`; imports torch.

        :param model: transformers' own; decoders with their token scores, or without where ``spec.has_logits`` is false.
            Or what `model` makes.
        """

    def model(self, config: Json) -> Any:  # Any: a torch module, or None
        """Return an empty model, its tensors named as the weights' file has them; `base` before those names counts for nothing.

        None where transformers makes it.

        :param config: config.json.
        """
        return None

    def has_token_types(self, config: Json) -> bool:
        """Return whether a row says which of two texts a token belongs to."""
        return False

    def odd(self, config: Json) -> str:
        """Return the setting by which a model computes what this network does not; empty where there is none."""
        return next((name for name in self.uncomputed if config.get(name) is not None and config[name] is not False), "")
