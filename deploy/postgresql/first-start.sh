#!/bin/sh
# In the database's container, when it starts for the first time: the service's role, with its password.
# What it may do `manage.py create_roles` says, after each migrate. The password is fed in, and stands in no process list.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --quiet <<SQL
CREATE ROLE campone_app LOGIN PASSWORD '$APP_PASSWORD';
SQL
