"""Tokenizers of model folders that hold SentencePiece's own files and no tokenizer.json: Marian, mBART, NLLB, M2M-100."""

from functory_sdk.sentencepiece.folders import read_folder

__all__ = ["read_folder"]
