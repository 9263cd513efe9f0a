"""The server's entry."""

import os

from django.core.wsgi import get_wsgi_application

from pos_bridge.wire import ChunkedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campone.settings")

application = ChunkedBodies(get_wsgi_application())
