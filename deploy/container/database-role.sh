#!/bin/sh
# Run once by the image of PostgreSQL when the database is made: the program's own role, which is no superuser.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -v password="$CALLMATRIX_PASSWORD" <<'SQL'
CREATE ROLE callmatrix LOGIN PASSWORD :'password';
CREATE DATABASE callmatrix OWNER callmatrix;
SQL
