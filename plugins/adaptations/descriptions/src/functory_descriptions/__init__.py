"""The descriptions adaptation."""

from functory_descriptions.adaptation import Descriptions

__all__ = ["Descriptions"]
