"""Engines that turn speech into text, behind one seam (see `pipelines.transcribers.base`)."""
