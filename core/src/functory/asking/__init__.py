"""Tasks asked at once: what their verbs are made with."""
