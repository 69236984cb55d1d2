"""The cells of the quality table: data sets, simple peers, peers on the same backbone, and how all are scored alike."""
