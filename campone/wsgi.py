"""The server's entry."""

import gc
import multiprocessing
import os
import signal

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campone.settings")
# Of a server only, not of commands: no lock and no statement may hold a till up for longer; it is answered 503. And
# whatever PostgreSQL takes a plan for, making machine code of it costs a second, and no statement of ours needs that.
os.environ.setdefault(
    "PGOPTIONS", "-c lock_timeout=2s -c statement_timeout=5s -c idle_in_transaction_session_timeout=10s -c jit=off"
)

if multiprocessing.parent_process() is not None and hasattr(signal, "pthread_sigmask"):
    # Ctrl-C reaches the whole group. A worker that hears it beside its parent's word to stop would hang.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

pages = get_wsgi_application()

from adapters.handler import VendorDoor  # noqa: E402 (the next lines know models, which the line above makes ready)
from campone.operation.ears import begin_listening  # noqa: E402 (the same)
from campone.operation.probes import Probes  # noqa: E402 (the next lines know models, which the line above makes ready)
from pos_bridge.handler import ByPath, TillHandler  # noqa: E402 (they know models, which the line above makes ready)
from pos_bridge.wire import ChunkedBodies, Utf8Request  # noqa: E402 (the same)

# The server hands every request a copy of the process environment, and the settings have been read.
for secret in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "METRICS_TOKEN"):
    os.environ.pop(secret, None)
pages.request_class = Utf8Request
tills = TillHandler()
probed = Probes(others=pages, listener=begin_listening())
application = ChunkedBodies(ByPath(tills=tills, pages=VendorDoor(vendors=tills, others=probed)))

# What is loaded by now stays, and a call leaves hardly a cycle behind.
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
