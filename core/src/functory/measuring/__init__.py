"""How good a function is: evaluation, intervals, and the report as a table and a page."""
