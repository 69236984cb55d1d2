"""Which of two texts is better."""

from acme_preference.task import Preference

__all__ = ["Preference"]
