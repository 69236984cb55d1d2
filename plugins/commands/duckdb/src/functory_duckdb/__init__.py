"""Functions in DuckDB: ``register(connection, fn)``, and ``functory sql "select fn(text) from 'reviews.parquet'"``."""

from functory_duckdb.registering import register

__all__ = ["register"]
