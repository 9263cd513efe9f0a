"""Django REST framework as a competent team would write it first.

Nested ``ModelSerializer`` with a ``create()``, keys by djangorestframework-api-key, ``get_or_create`` on a unique
constraint for idempotence, a tracking row from a middleware, the framework's own throttle. Beyond the first
version of most teams: persistent connections, JSON alone, ``bulk_create``, ``select_related`` on the key.
"""
