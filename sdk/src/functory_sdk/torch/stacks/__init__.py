"""The architectures, as steps: each class says what the embeddings, one layer and the last norm are.

The layers are transformers' own modules, or for BERT and its kin this project's (`layers`). What config.json says of each is in
`functory_sdk.families`; a further architecture is one class beside these and one there, in whatever distribution.
"""
