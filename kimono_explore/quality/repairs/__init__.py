"""Edits in the source system that clear findings: proposed by rules, and tried on a copy of the roster.

A rule proposes something only where the roster itself says what is right, such as the other sections of a course that
are all in one term. Everything else is for people to find out.
"""
