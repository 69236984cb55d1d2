"""Tagged tokens as they are found: CoNLL files, and tables with a row per token."""

from functory_conll.conll import CoNLL
from functory_conll.token_rows import TokenRows

__all__ = ["CoNLL", "TokenRows"]
