"""A task that writes: subject lines."""

from acme_subject.component import Subject

__all__ = ["Subject"]
