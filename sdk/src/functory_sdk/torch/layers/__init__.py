"""Layers and models of this project's own, for architectures that transformers has as well.

Their modules bear the names that transformers gave them, since files, adapters and target modules go by those; what they
compute is held to transformers' by the tests. A process that opens one imports no transformers, which takes longer than
everything else that it does before its first answer.
"""
