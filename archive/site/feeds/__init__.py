"""Feeds: of everything new, an event, a series, a person, a track, a language, and a search.

Atom (RFC 4287) names every session; a podcast (RSS 2.0 with the iTunes and Podcasting 2.0 namespaces) those that were
recorded. Both are written by feedgen.
"""
