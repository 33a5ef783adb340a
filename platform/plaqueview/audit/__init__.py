"""Append-only, hash-chained events: who did what to which patient's data, and when."""
