"""The page of a session: its recordings, transcript, chapters, moments and citations."""
