"""Asking the server: its operations, how they are sent, and how a list is read page by page."""
