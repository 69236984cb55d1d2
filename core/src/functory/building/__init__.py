"""What a build does between a recipe that is checked and a function that is whole: fit φ, and choose by what was fitted."""
