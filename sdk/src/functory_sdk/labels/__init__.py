"""Tasks that label: one text, or several, and one label, or several. What is learned, how it is put, its metrics.

A task of this kind names its types and derives from `LabelTask`; a head is in `functory_sdk.torch`.
"""
