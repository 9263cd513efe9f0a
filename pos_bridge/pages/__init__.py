"""The door's pages for staff."""
