"""The project itself: settings, system checks, commands."""
