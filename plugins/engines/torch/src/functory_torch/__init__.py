"""The PyTorch engine."""

import os

from functory_torch.engine import TorchEngine

__all__ = ["TorchEngine"]

# torch is not imported yet. Its threads (GCC's OpenMP) spin for milliseconds while they wait for each other; on a busy
# machine that takes the core from the one that is waited for. A shorter spin costs nothing where cores are free, and
# makes single calls twice as fast where they are not.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
