"""A task made of two functions."""

from acme_alert.task import Alert

__all__ = ["Alert"]
