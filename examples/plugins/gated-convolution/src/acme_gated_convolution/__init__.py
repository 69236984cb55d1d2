"""Gated convolutions as a family of backbones."""

from acme_gated_convolution.family import GatedConvolution

__all__ = ["GatedConvolution"]
