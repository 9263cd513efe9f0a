"""An application of Django's with nothing but a migration that needs room; only those who migrate install it."""
