# Two stages: what builds is left behind, so the image holds the service, its packages, and no pip.
FROM python:3.12-slim AS build

ENV PYTHONDONTWRITEBYTECODE=1

# Before the code: a change of code does not install the packages again.
WORKDIR /srv/bridge
COPY requirements/runtime.lock requirements/
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements/runtime.lock \
    && /srv/venv/bin/pip uninstall --yes --quiet pip

COPY manage.py ./
COPY adapters adapters/
COPY apikeys apikeys/
COPY campone campone/
COPY catalogue catalogue/
COPY journal journal/
COPY kasse kasse/
COPY pos_bridge pos_bridge/
COPY tenants tenants/

# The settings ask for all of these; collecting files uses none, and the key is thrown away at once.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    ALLOWED_HOSTS=localhost \
    TENANT_DOMAIN=localhost \
    PUBLIC_URL=https://localhost \
    DATABASE_URL=sqlite:////tmp/unused.sqlite3 \
    /srv/venv/bin/python manage.py collectstatic --no-input


FROM python:3.12-slim

ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# A number, so that an orchestrator can see that it is not root without reading the image's accounts.
RUN useradd --system --uid 10001 --home-dir /srv/bridge --shell /usr/sbin/nologin bridge
COPY --from=build /srv/venv /srv/venv
# Of root and not of the account: the service cannot change its own code, even where the file system is not read-only.
COPY --from=build /srv/bridge /srv/bridge

WORKDIR /srv/bridge
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
