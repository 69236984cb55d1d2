"""Tasks that find typed stretches of a text: how tags become spans and spans tags, in any script; their metrics.

A task of this kind names its types and derives from `SpanTask`; a head is in `functory_sdk.torch`.
"""
