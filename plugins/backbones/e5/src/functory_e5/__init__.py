"""The E5 backbone."""

from functory_e5.backbone import E5, E5Options

__all__ = ["E5", "E5Options"]
