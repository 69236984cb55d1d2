"""Plugins: which components are installed, which one a name means, and importing it so that a broken one breaks nothing else."""
