"""Load, link, check, draw and browse K-12 rosters from the Kimono Interop Data API in a notebook.

Examples
--------
>>> import kimono_explore as kx
>>> with kx.sandbox(students=20) as box:
...     roster = kx.load_roster(box.client, progress=False)
>>> len(roster.persons) > 20
True


The public names are listed in ``__init__.pyi`` and loaded on first use: matplotlib, DuckDB and the server are not
imported until needed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
