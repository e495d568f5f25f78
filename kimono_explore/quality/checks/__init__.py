"""The checks, by what they look at; the catalogue lists them."""
