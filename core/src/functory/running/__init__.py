"""A function at work: its forms, its inputs, what it says of itself, and its golden examples."""
