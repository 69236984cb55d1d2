"""BERT and its kin: encoders whose layers end with a norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Classifier, Family, Json
from functory_sdk.families.sizes import Sizes

if TYPE_CHECKING:
    from functory_sdk.torch import Network

TOKENS = Classifier("each", "classifier")
DENSE = "classifier.dense"


class Bert(Family):
    """BERT: positions that are learned, two kinds of token."""

    paper: ClassVar[str] = "Devlin et al. 2019, BERT (arXiv 1810.04805)"
    base = "bert"
    masked: ClassVar[Sequence[str]] = ("cls.predictions.",)
    classifiers = {"text": Classifier("first", "classifier", "bert.pooler.dense", "tanh"), "token": TOKENS}
    uncomputed: ClassVar[Sequence[str]] = ("is_decoder", "add_cross_attention")
    known_as: ClassVar[str] = "BertModel"

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: ours, or a transformers BertModel
        from functory_sdk.torch.stacks.bert import BertStack

        return BertStack(spec, model.embeddings, model.encoder.layer, getattr(model, "embeddings_project", None))

    def model(self, config: Json) -> Any:  # Any: a torch module
        from functory_sdk.torch.layers.bert import Bert as Model

        return Model(self.sizes(config))

    def sizes(self, config: Json) -> Sizes:
        """Return what the model is made by.

        :raises ArtefactCorrupt: where config.json does not tell it.
        """
        return Sizes.of({**config, "embedding_size": None})

    def has_token_types(self, config: Json) -> bool:
        given = config.get("type_vocab_size", 2)  # transformers' own default
        return isinstance(given, int) and given > 1

    def odd(self, config: Json) -> str:
        relative = config.get("position_embedding_type", "absolute") not in ("absolute", None)
        return super().odd(config) or ("position_embedding_type" if relative else "")


class Roberta(Bert):
    """RoBERTa: a BERT whose positions are counted from after the padding id, with one kind of token."""

    paper: ClassVar[str] = "Liu et al. 2019, RoBERTa (arXiv 1907.11692)"
    base = "roberta"
    counts_from_pad = True
    masked: ClassVar[Sequence[str]] = ("lm_head.",)
    classifiers = {"text": Classifier("first", "classifier.out_proj", DENSE, "tanh"), "token": TOKENS}
    known_as: ClassVar[str] = "RobertaModel"

    def sizes(self, config: Json) -> Sizes:
        return Sizes.of({**config, "embedding_size": None}, pad_token_id=1, counts_from_pad=True)

    def has_token_types(self, config: Json) -> bool:
        return False  # their tables have one row, or rows that were never trained


class XlmRoberta(Roberta):
    """XLM-R: a RoBERTa of a hundred languages."""

    paper: ClassVar[str] = "Conneau et al. 2020, XLM-R (arXiv 1911.02116)"
    known_as: ClassVar[str] = "XLMRobertaModel"


class Camembert(Roberta):
    """CamemBERT: a RoBERTa of French."""

    paper: ClassVar[str] = "Martin et al. 2020, CamemBERT (arXiv 1911.03894)"
    known_as: ClassVar[str] = "CamembertModel"


class Electra(Bert):
    """ELECTRA: a BERT whose embeddings may be narrower than its layers."""

    paper: ClassVar[str] = "Clark et al. 2020, ELECTRA (arXiv 2003.10555)"
    base = "electra"
    masked: ClassVar[Sequence[str]] = ("generator_predictions.", "generator_lm_head.")
    classifiers = {"text": Classifier("first", "classifier.out_proj", DENSE, "gelu"), "token": TOKENS}
    known_as: ClassVar[str] = "ElectraModel"

    def sizes(self, config: Json) -> Sizes:
        return Sizes.of(config, embedding_size=128, num_attention_heads=4, intermediate_size=1024)


class DistilBert(Family):
    """DistilBERT: half of a BERT's layers, one kind of token."""

    paper: ClassVar[str] = "Sanh et al. 2019, DistilBERT (arXiv 1910.01108)"
    base = "distilbert"
    keys = {**Family.keys, "width": ("dim",), "layers": ("n_layers",)}
    masked: ClassVar[Sequence[str]] = ("vocab_transform.",)
    classifiers = {"text": Classifier("first", "classifier", "pre_classifier", "relu"), "token": TOKENS}

    known_as: ClassVar[str] = "DistilBertModel"
    names: ClassVar[Mapping[str, str]] = {
        "hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim", "hidden_act": "activation", "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }  # fmt: skip
    """A size → what config.json calls it."""

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: ours, or a transformers DistilBertModel
        from functory_sdk.torch.stacks.bert import BertStack

        return BertStack(spec, model.embeddings, model.transformer.layer)

    def model(self, config: Json) -> Any:  # Any: a torch module
        from functory_sdk.torch.layers.distilbert import DistilBert as Model

        fixed = {"type_vocab_size": 0, "layer_norm_eps": 1e-12, "embedding_size": None}
        return Model(Sizes.of({**config, **fixed}, self.names))
