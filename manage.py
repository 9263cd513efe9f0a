#!/usr/bin/env python
"""Django's command line for the bridge."""

import os
import sys

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError
except ImportError:
    sys.exit("Cannot start: Django is not installed for this Python; `python3 dev.py manage …` brings it along.")

from tenants.actor import Actor, acting


def main() -> None:
    """Run the command named on the command line; what keeps it from starting is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campone.settings")
    try:
        with acting(Actor(" ".join(["manage.py", *sys.argv[1:2]]))):
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Cannot start: {error}")
    except OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        sys.exit(f"The database of DATABASE_URL does not answer as it should: {reason}")


if __name__ == "__main__":
    main()
