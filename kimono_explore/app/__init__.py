"""The page of ``kimono-explore app``: the widgets in a browser, for people without notebooks."""

from kimono_explore.app.district import District, open_district
from kimono_explore.app.server import make_app, serve

__all__ = ["District", "make_app", "open_district", "serve"]
