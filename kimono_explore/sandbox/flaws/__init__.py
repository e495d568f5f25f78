"""Mistakes that are planted in a roster, each of them listed."""
