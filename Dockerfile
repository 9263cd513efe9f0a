FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# A number, so that an orchestrator can see that it is not root without reading the image's accounts.
RUN useradd --system --uid 10001 --home-dir /srv/bridge --shell /usr/sbin/nologin bridge
WORKDIR /srv/bridge

# Before the code: a change of code does not install the packages again.
COPY requirements/runtime.lock requirements/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements/runtime.lock

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
    python manage.py collectstatic --no-input

USER 10001
EXPOSE 8000
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
