"""Pages to browse by: events with their grids and calendars, and lists of people, series, tracks and the like."""
