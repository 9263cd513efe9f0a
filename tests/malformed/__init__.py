"""Bodies and calls that nobody would send, by the ten thousand, at a real server: never a fault of ours."""
