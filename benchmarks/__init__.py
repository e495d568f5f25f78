"""How fast this library is, beside other ways to do the same."""
