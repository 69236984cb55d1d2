"""The members of an artefact that have fixed names."""

MANIFEST, WEIGHTS, GOLDEN, CARD = "function.json", "weights.safetensors", "golden.jsonl", "README.md"
REPORT = "report.json"
DIGEST = "function.json.sha256"
