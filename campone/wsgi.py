"""The server's entry."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campone.settings")

from pos_bridge.wire import ChunkedBodies  # noqa: E402 (reads the settings)

application = ChunkedBodies(get_wsgi_application())
