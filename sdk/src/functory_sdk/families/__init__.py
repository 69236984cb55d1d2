"""The families that the SDK knows, and how any is found: by its entry point, as a stranger's is.

Here are names and facts, without torch; the networks are in `functory_sdk.torch.stacks`. A model of a family that nobody
brings is refused by its name, before anything else that it lacks could be given as the reason.
"""

from functory_sdk.families.finding import family_names, family_of

__all__ = ["family_names", "family_of"]
