"""Tagged tokens as they are found: CoNLL files, tables with a row per token, lines of words with tags."""

from functory_conll.conll import CoNLL
from functory_conll.slashed import Slashed
from functory_conll.token_rows import TokenRows

__all__ = ["CoNLL", "Slashed", "TokenRows"]
