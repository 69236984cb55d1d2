"""The core's version, and its components: kind, name, place. Made from core/pyproject.toml by `make sync`."""

VERSION = "0.1.0"
COMPONENTS = (
    ("adaptations", "prompt", "functory.running.prompt:Prompt"),
    ("adaptations", "zero-shot", "functory.running.zero_shot:ZeroShot"),
    ("commands", "build", "functory.cli.build:COMMAND"),
    ("commands", "cache", "functory.cli.cache:COMMAND"),
    ("commands", "compare", "functory.cli.compare:COMMAND"),
    ("commands", "completion", "functory.cli.completion:COMMAND"),
    ("commands", "doctor", "functory.cli.doctor:COMMAND"),
    ("commands", "evaluate", "functory.cli.evaluate:COMMAND"),
    ("commands", "explain", "functory.cli.explain:COMMAND"),
    ("commands", "info", "functory.cli.info:COMMAND"),
    ("commands", "list", "functory.cli.list:COMMAND"),
    ("commands", "new", "functory.cli.new:COMMAND"),
    ("commands", "optimize", "functory.cli.optimize:COMMAND"),
    ("commands", "package", "functory.cli.package:COMMAND"),
    ("commands", "run", "functory.cli.run:COMMAND"),
    ("commands", "verify", "functory.cli.verify:COMMAND"),
    ("forms", "composite", "functory.running.forms:CompositeForm"),
    ("forms", "engine", "functory.running.forms:EngineForm"),
    ("forms", "torch", "functory.running.forms:TorchForm"),
    ("readers", "csv", "functory.data.delimited:Delimited"),
    ("readers", "json", "functory.data.jsonlists:JSONList"),
    ("readers", "jsonl", "functory.data.jsonlines:JSONLines"),
    ("readers", "lines", "functory.data.textlines:TextLines"),
)
