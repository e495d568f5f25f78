"""From the JSON of an API to columns, links and problems."""
