"""OneRoster CSV bundles: `read` one, `write` one, by the tables of `layout` and `standard`."""
