"""Tasks that write: a prompt made of the input, put into a backbone's frame, and the text that comes.

A task of this kind names its types, says what the prompt is, and derives from `WriteTask`.
"""
