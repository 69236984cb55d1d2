"""The architectures, as steps: each class says what the embeddings, one layer and the last norm are.

The layers are transformers' own modules; nothing here is a second implementation of them. What config.json says of each is
in `functory_sdk.families`; a further architecture is one class beside these and one there, in whatever distribution.
"""
