"""May a roster go live? The new one is held against the last one that did, school by school."""

from kimono_explore.gate.verdict import Verdict, gate

__all__ = ["Verdict", "gate"]
