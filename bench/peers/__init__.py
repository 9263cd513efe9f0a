"""The opponents: small services with the same duties as the product, each as its own community would write it.

Each gets the same database server, the same tables (or the same columns and indexes in tables of its own), two
processes and 16 connections. None is a straw man: what its documentation recommends for speed is done.
"""
