"""Persons who are probably one and the same though no key is equal."""

from kimono_explore.duplicates.find import probable_duplicates

__all__ = ["probable_duplicates"]
