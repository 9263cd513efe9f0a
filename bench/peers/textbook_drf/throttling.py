"""The framework's own throttle in the local-memory cache: each process counts for itself.

Its history holds one entry for each call of the last hour; at the rates of a run it stays below the 1,000 that a
key's real budget would let it hold.
"""

from __future__ import annotations

from rest_framework.throttling import SimpleRateThrottle


class KeyThrottle(SimpleRateThrottle):
    scope = "key"
    rate = "1000/hour"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}

    def allow_request(self, request, view):
        if request.auth.budget is None:
            return True
        self.num_requests = request.auth.budget
        return super().allow_request(request, view)
