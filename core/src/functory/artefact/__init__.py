"""The artefact: a function as a folder. Written whole, checked whole, and never a pickle.

sentiment/
function.json         the manifest, with the hash of every other file
function.json.sha256  its own hash: the digest of the artefact
weights.safetensors   φ, where there is one
golden.jsonl          inputs with this function's outputs
report.json           the report of the last evaluation, where there was one
README.md             the function card
engines/<name>/       engine forms
parts/<name>/         whole artefacts, for a composite
"""
