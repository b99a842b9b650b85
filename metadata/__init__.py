"""What is known about events and speech, and the formats that carry it.

This package touches no network and no database, and imports nothing else of Rostra's:
data flows ``metadata`` → ``archive`` → ``pipelines``, never back.
"""
