"""The API for programs, under ``/api/1``: one table of endpoints, from which addresses and their description follow.

The number in the address changes when a field changes its meaning or goes; new fields may come without notice.
"""
