"""One abstract base class per kind of component, and the words they share."""
