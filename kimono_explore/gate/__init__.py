"""May a roster go live? The new one is held against the last one that did, school by school, and rehearsed downstream."""

from kimono_explore.gate.rehearsal import Rehearsal, rehearse
from kimono_explore.gate.verdict import Verdict, gate

__all__ = ["Rehearsal", "Verdict", "gate", "rehearse"]
