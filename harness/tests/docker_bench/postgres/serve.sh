#!/bin/sh
# Makes a database once, with a role that reads, one that writes and one that nobody lets in, and serves it.
set -e
bin=/usr/lib/postgresql/17/bin
data=/var/lib/trial
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -e $data/PG_VERSION ]; then
    install -d -o postgres -g postgres -m 700 $data
    as $bin/initdb -D $data --auth=scram-sha-256 --pwfile=/etc/blackstart/password --no-sync >/dev/null
    printf 'host all shut all reject\nhost all all all scram-sha-256\n' >$data/pg_hba.conf
    printf 'local all all trust\n' >>$data/pg_hba.conf
    word=$(cat /etc/blackstart/password)
    as $bin/pg_ctl -D $data -w -o "-c listen_addresses= -k /tmp" start >/dev/null
    as $bin/psql -q -h /tmp postgres <<SQL
CREATE ROLE reader LOGIN PASSWORD '$word';
CREATE ROLE writer LOGIN PASSWORD '$word';
CREATE ROLE shut LOGIN PASSWORD '$word';
CREATE ROLE other LOGIN PASSWORD 'something else';
CREATE DATABASE app;
\c app
CREATE TABLE orders (token text PRIMARY KEY, amount int);
INSERT INTO orders SELECT 't' || n, n FROM generate_series(1, 200000) n;
GRANT SELECT ON orders TO reader, writer, other;
GRANT INSERT ON orders TO writer;
SQL
    as $bin/pg_ctl -D $data -w stop >/dev/null
fi
rm -f $data/postmaster.pid
exec setpriv --reuid=postgres --regid=postgres --clear-groups $bin/postgres -D $data -h '*' -k /tmp
