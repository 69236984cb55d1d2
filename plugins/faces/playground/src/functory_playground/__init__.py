"""The playground: a page for each served function, made from its schemas."""

from functory_playground.face import Playground

__all__ = ["Playground"]
