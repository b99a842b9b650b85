"""Who speaks when: voices in a recording, told apart by sound and named by nobody here."""
