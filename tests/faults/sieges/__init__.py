"""Sieges: one kind of harm each, kept up for a while beside honest tills, and a verdict."""
