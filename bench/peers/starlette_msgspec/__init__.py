"""Starlette, msgspec and asyncpg, tuned: what a team would write that wants speed and nothing else.

Bodies are decoded into structs in one pass; every route is one statement, prepared when its connection opens, that
looks the key up, counts the call, does the work and writes the log row; connections are handed out without the
pool's reset. Keys are compared by their SHA-256 inside that statement.
"""
