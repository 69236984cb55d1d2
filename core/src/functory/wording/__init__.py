"""Others' words, told so that they harm nobody: names, summaries, messages, and errors that cannot be told."""
