#!/bin/sh
# Runs once in a new PostgreSQL container: a role and a database for each service, nobody's business
# in another's.
set -eu
for service in gateway profile segment strategy feedback; do
  url=$(cat "/run/secrets/${service}_database_url")
  password=$(printf '%s' "$url" | sed 's|.*://[^:]*:\([^@]*\)@.*|\1|')
  psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
CREATE ROLE bihuan_$service LOGIN PASSWORD '$password';
CREATE DATABASE bihuan_$service OWNER bihuan_$service;
REVOKE CONNECT ON DATABASE bihuan_$service FROM PUBLIC;
SQL
done
