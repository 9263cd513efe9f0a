"""The server's entry."""

import multiprocessing
import os
import signal

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campone.settings")
# Of a server only, not of commands: no lock and no statement may hold a till up for longer; it is answered 503.
os.environ.setdefault(
    "PGOPTIONS", "-c lock_timeout=2s -c statement_timeout=5s -c idle_in_transaction_session_timeout=10s"
)

if multiprocessing.parent_process() is not None and hasattr(signal, "pthread_sigmask"):
    # Ctrl-C reaches the whole group. A worker that hears it beside its parent's word to stop would hang.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

pages = get_wsgi_application()

from pos_bridge.handler import ByPath, TillHandler  # noqa: E402 (they know models, which the line above makes ready)
from pos_bridge.wire import ChunkedBodies, Utf8Request  # noqa: E402 (the same)

# The server hands every request a copy of the process environment, and the settings have been read.
for secret in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL"):
    os.environ.pop(secret, None)
pages.request_class = Utf8Request
application = ChunkedBodies(ByPath(tills=TillHandler(), pages=pages))
