"""The members of an artefact that have fixed names."""

MANIFEST, GOLDEN, CARD = "function.json", "golden.jsonl", "README.md"
REPORT = "report.json"
DIGEST = "function.json.sha256"
