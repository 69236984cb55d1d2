"""Everything that a plugin author imports.

Names are loaded when they are first used, so that a plugin's own import stays light. Torch helpers
are in `functory_sdk.torch`, the conformance suites in `functory_sdk.testing`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "functory.asking.at_once": ("ask",),
    "functory.contracts.adaptation": ("Adaptation", "Brought", "Candidate", "Choice", "TrainingOptions"),
    "functory.contracts.backbone": ("Backbone", "BackboneSpec", "Pooling"),
    "functory.contracts.certainty": ("Certainty",),
    "functory.contracts.command": ("Command",),
    "functory.contracts.component": ("CONTRACT", "Component", "NoOptions", "Options", "complaint", "read_options", "schema_of"),
    "functory.contracts.decoding": ("SURE", "Decoding", "Request", "Steer", "Steered", "Token", "texts"),
    "functory.contracts.engine": (
        "Engine", "Event", "Fit", "Run", "Session", "SessionOptions", "TrainingSession",
    ),
    "functory.contracts.explanation": ("Attribution", "Explanation", "Faithfulness", "Piece"),
    "functory.contracts.face": ("Asked", "Face", "Problem", "Served"),
    "functory.contracts.family": ("Classifier", "Family", "Unit"),
    "functory.contracts.judging": ("Judgement", "told"),
    "functory.contracts.shown": ("ShowingState", "Shown"),
    "functory.contracts.odds": ("SUREST", "chance", "log_odds"),
    "functory.contracts.guiding": ("Guide",),
    "functory.contracts.controlling": ("Control", "Range", "Toward", "stands"),
    "functory.contracts.hook": ("Hook",),
    "functory.contracts.optimization": ("FormReport", "Optimization", "OptimizationReport"),
    "functory.contracts.packager": ("Packager",),
    "functory.contracts.reader": ("Columns", "DataReader", "Recognition"),
    "functory.contracts.rows": ("Array", "Encoded", "Port", "Program", "Row", "Taught", "row_length"),
    "functory.contracts.cells": ("structure",),
    "functory.contracts.labels": ("Label", "LabelOrList", "LabelRules", "known_labels"),
    "functory.contracts.plain": ("plain",),
    "functory.contracts.sample": ("Sample",),
    "functory.contracts.formulation": ("Formulation", "Likened", "Target"),
    "functory.contracts.task": ("Floor", "Input", "Output", "Scorer", "State", "Suited", "Task"),
    "functory.contracts.spent": ("Spent", "spending"),
    "functory.contracts.texts": ("texts_in", "texts_of", "with_texts"),
    "functory.contracts.trust": ("TrustOutput", "TrustState", "nearest", "prediction_set"),
    "functory.using.attribution": ("Word", "attribution", "values_of", "without", "words_of"),
    "functory.running.backbones": ("open_backbone",),
    "functory.contracts.batching": ("pad", "plan", "unpad"),
    "functory.errors": (
        "ArtefactCorrupt", "ArtefactError", "ArtefactUnsafe", "DataError", "FunctoryError", "GenerationError", "InputError",
        "NotSupported", "OptionError", "PluginError", "Refused", "StorageError", "TooLong", "TrainingError",
        "UsageError", "WeightsMissing", "from_json",
    ),
    "functory.data": ("DataFile", "Examples", "Fault", "Record"),
    "functory.data.jsonlists": ("json_members",),
    "functory.data.languages": ("is_english",),
    "functory.data.writing": ("Rows",),
    "functory.running.forms": (
        "CompositeForm", "EngineForm", "Form", "FormRecord", "Kept", "Opening", "ProgramForm", "Saving", "TorchForm",
    ),
    "functory.function": ("Function",),
    "functory.running.golden": ("Golden", "prove", "reformed"),
    "functory.running.sharing": ("shared_threads", "sharing_cores"),
    "functory.running.waiting": ("left_by", "waited"),
    "functory.plugins.claims": ("reference_to",),
    "functory.plugins.registry": ("entries", "load"),
    "functory.running.about": ("About",),
    "functory.running.streaming": ("Added", "Pieces", "Stream"),
    "functory.running.replays": ("cpu", "has_amx", "has_vnni", "versions"),
    "functory.machine.contents": ("code_hash", "content_hash"),
    "functory.machine.entries": ("Entries",),
    "functory.machine.environment": ("cores",),
    "functory.artefact.checking": ("read_manifest",),
    "functory.artefact.opening": ("open_artefact",),
    "functory.hookspecs": ("hookimpl",),
    "functory.artefact.manifest": ("Manifest",),
    "functory.using.footprint": ("closure",),
    "functory.using.packaging": ("Needs", "needs"),
    "functory.machine.folders": ("file_written_whole",),
    "functory.machine.places": ("cache",),
    "functory.reading.ngrams": ("NGRAMS", "Counted", "Vocabulary"),
    "functory.reading.passages": ("Part", "Passage", "Window"),
    "functory.reading.prompts": ("Frame", "Prompt", "chat_frame", "scored_port", "template_frame", "turns_frame"),
    "functory.reading.reader": ("Reader",),
    "functory.reading.segmentation": ("words",),
    "functory.reading.sentences": ("sentence_spans",),
    "functory.reading.stopping": ("Stops",),
    "functory.reading.tokenizer": ("Tokenizer", "Tokens"),
    "functory.measuring.report": ("Report",),
    "functory.measuring.usual": ("Spread", "Usual", "length_of", "top_score"),
    "functory.wording.harmless": ("harmless", "harmless_html"),
    "functory.wording.told": ("message_of",),
    "functory.terminal": ("Progress", "progress", "show", "table", "tell", "text"),
}  # fmt: skip
_HOMES["functory_sdk.conversion"] = ("PackedWeights", "converted", "package_file", "weights_hash")
_HOMES["functory_sdk.answers"] = ("answer_scorer", "answer_scores", "cmrc", "comparing", "is_chinese", "squad")
_HOMES["functory_sdk.pairs"] = ("ALIKE", "FIRST", "GOLDEN_PAIRS", "SECOND", "NotBlank", "both_orders", "each_by_itself")
_HOMES["functory_sdk.cards"] = ("DIGEST", "card", "card_line", "digest", "digests", "purpose")
_HOMES["functory_sdk.named"] = ("Named", "open_named")
_HOMES["functory_sdk.bounds"] = ("Bounded", "bounded")
_HOMES["functory_sdk.packed"] = ("PackedBackbone", "PackedOptions", "config_facts")
_HOMES["functory_sdk.correlations"] = ("correlation", "ranks")
_HOMES["functory_sdk.continuing"] = ("Continuing", "continued", "endings")
_HOMES["functory_sdk.demonstrations"] = ("Demonstration", "Demonstrations")
_HOMES["functory_sdk.likelihoods"] = ("fitted", "log_shares", "mean_shares", "silent_texts")
_HOMES["functory_sdk.lowrank"] = ("LowRank",)
_HOMES["functory_sdk.jsonfiles"] = ("read_json",)
_HOMES["functory_sdk.signs"] = ("open_tokenizer",)
_HOMES["functory_sdk.sentences"] = ("SentenceReading", "sentence_prefixes", "sentence_reading")
_HOMES["functory_sdk.readouts"] = ("Readout", "readout_of")
_HOMES["functory_sdk.tally"] = ("Rates", "Tally")
_HOMES["functory_sdk.tags"] = ("iob2", "split_tag", "split_tags", "tag_fault", "tag_runs", "tag_scheme")
_HOMES["functory_sdk.labels.pairs"] = ("PairOptions", "PairTask")
_HOMES["functory_sdk.labels.task"] = ("LabelTask",)
_HOMES["functory_sdk.labels.types"] = (
    "Classification", "LabelOptions", "Labels", "PathClassification", "Rating", "ScopedClassification",
    "ScopedPathClassification",
)  # fmt: skip
_HOMES["functory_sdk.spans.schemes"] = ("SchemeName",)
_HOMES["functory_sdk.spans.task"] = ("SpanTask",)
_HOMES["functory_sdk.spans.types"] = ("AnySpans", "Entities", "Entity", "Span", "SpanLabels", "SpanOptions", "Spans")
_HOMES["functory_sdk.writes.controls.faults"] = ("faults",)
_HOMES["functory_sdk.writes.controls.steering"] = ("steering",)
_HOMES["functory_sdk.writes.distinct"] = ("DISTINCT", "distinct_scorer")
_HOMES["functory_sdk.writes.held"] = ("Held", "HeldOptions", "Said", "has_room")
_HOMES["functory_sdk.writes.limits"] = ("Limits",)
_HOMES["functory_sdk.writes.metrics"] = ("overlap", "word_count")
_HOMES["functory_sdk.writes.parts"] = ("located", "parted")
_HOMES["functory_sdk.writes.rouge"] = ("ROUGE", "rouge", "rouge_scorer")
_HOMES["functory_sdk.writes.task"] = ("WriteTask",)
_HOMES["functory_sdk.writes.types"] = ("WriteOptions", "Written")
_HOMES["functory_sdk.writes.verbatim"] = ("places_of", "run_rule", "spelled")
_HOMES["functory_sdk.writes.write"] = ("Write",)
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME)  # noqa: PLE0605 - a list, made from the table above


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'functory_sdk' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
