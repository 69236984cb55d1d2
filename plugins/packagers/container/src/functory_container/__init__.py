"""The container packager."""

from functory_container.packager import Container, ContainerOptions

__all__ = ["Container", "ContainerOptions"]
