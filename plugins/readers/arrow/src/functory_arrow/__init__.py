"""Columns as they are stored: Parquet, Arrow and Feather files, and folders of `datasets`."""

from functory_arrow.files import Arrow, Parquet
from functory_arrow.folder import DatasetFolder

__all__ = ["Arrow", "DatasetFolder", "Parquet"]
