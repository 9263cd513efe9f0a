"""FastAPI with pydantic and an asyncpg pool, as their documentation teaches.

Models validate what comes and write what goes out, dependencies hand over a pooled connection and the caller's
key, and a transaction of several statements stores the sale. asyncpg prepares every statement by itself. Keys are
compared by their SHA-256; calls are counted per key and minute, and summed over the last sixty minutes.
"""
