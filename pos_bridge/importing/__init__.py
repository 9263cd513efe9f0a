"""Past sales out of a file, through the same door as every other: read, mapped, tried, and taken in piece by piece."""
