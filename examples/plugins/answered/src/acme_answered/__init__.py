"""Whether a reply answers a question."""

from acme_answered.component import Answered

__all__ = ["Answered"]
