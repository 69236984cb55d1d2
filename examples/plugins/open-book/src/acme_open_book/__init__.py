"""A task made of two functions of different kinds."""

from acme_open_book.task import OpenBook

__all__ = ["OpenBook"]
