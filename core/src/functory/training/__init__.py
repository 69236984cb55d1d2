"""What a build trains with: the rows, the run's folder, and what was learned."""
