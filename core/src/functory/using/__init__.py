"""What one does with a finished function: explain it, make it faster, package it."""
