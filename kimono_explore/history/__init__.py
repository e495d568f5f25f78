"""Rosters of many days, kept as what differs from day to day."""

from kimono_explore.history.kept import History, history

__all__ = ["History", "history"]
