"""Tasks asked at once: what their shorthands are made with."""
