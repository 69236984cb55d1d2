"""The contrastive adaptation."""

from functory_contrastive.adaptation import Contrastive, ContrastiveOptions

__all__ = ["Contrastive", "ContrastiveOptions"]
