"""The server's entry."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campone.settings")

from pos_bridge.wire import ChunkedBodies, Utf8Request

handler = get_wsgi_application()
handler.request_class = Utf8Request
application = ChunkedBodies(handler)
