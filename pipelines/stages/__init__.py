"""The stages of the pipeline, all of one signature."""
