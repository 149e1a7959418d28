"""What belongs to no room: errors, files, limits, progress, private files, host names, pages."""
