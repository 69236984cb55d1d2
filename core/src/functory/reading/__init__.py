"""From texts to what programs run: tokens, rows and windows, and words as people see them."""
