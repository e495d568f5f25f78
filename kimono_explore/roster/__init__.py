"""The tables of a roster, and what can be asked of them."""
