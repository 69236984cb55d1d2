"""How a text of free form is held to its `Control` while it is written: what may come next, what is wanted, how it still ends."""
