"""Moments that are named for good: their addresses, what becomes of them, and what stands there."""
