"""Years of sales, made by PostgreSQL itself: ten million of them in some minutes.

What is left out to be quick (checks of foreign keys, waiting for the disk, indexes until all rows are there) is made
good before anything is measured: the indexes are built, everything is vacuumed and analysed, a checkpoint written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg

YEARS = timedelta(days=730)
SALES, LINES, PAYMENTS, LOG = "kasse_transaction", "kasse_transactionitem", "kasse_payment", "pos_bridge_inboundcall"
# Two hands, with about the same work each.
HANDS = ((SALES, PAYMENTS), (LINES, LOG))

# Sale number n: when, at which campground, through which of its keys, under which id. Time-ordered, like real ones.
SALE_OF = """
    CREATE TABLE growth_campground AS
        SELECT row_number() OVER (ORDER BY t.id) - 1 AS number, t.id AS tenant, array_agg(k.id ORDER BY k.id) AS keys
        FROM tenants_tenant t JOIN apikeys_apikey k ON k.tenant_id = t.id
        WHERE t.id > 0 AND NOT t.slug = ANY ('{{{spared}}}') GROUP BY t.id;
    CREATE VIEW growth_sale AS
        SELECT n, at, c.tenant, c.keys[1 + n / 8 % 2] AS key, 'growth-' || lpad(n::text, 9, '0') AS reference,
            CASE WHEN n % 50 = 49 THEN -1 ELSE 1 END AS sign, (ARRAY['CASH', 'CARD', 'TWINT'])[1 + n % 3] AS method,
            (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n & 4095), 3, '0')
                || '8' || substr(md5(n::text), 1, 15))::uuid AS id
        FROM (
            SELECT n, '{begin}'::timestamptz + n * interval '{step:.6f} s' AS at
            FROM generate_series(0::bigint, {count} - 1) AS n
        ) AS sales JOIN growth_campground c ON c.number = n % (SELECT count(*) FROM growth_campground)
"""
INSERTS = {
    SALES: """
        (id, tenant_id, source, status, external_ref, fingerprint, api_key_id, payment_method, currency, total_amount,
            rounding_amount, tip_amount, occurred_at, business_date, received_at, sent_at, refund_of, metadata)
        SELECT id, tenant, 'EXTERNAL_POS', 'COMPLETED', reference, 'v1:' || md5(reference) || md5(method), key, method,
            'CHF', sign * 3590, 0, 0, at, (at AT TIME ZONE 'Europe/Zurich')::date, at, NULL, '', '{}'
        FROM growth_sale
    """,
    LINES: """
        (tenant_id, transaction_id, position, description, quantity, unit_price, line_total, sku, vat_rate, category,
            kind)
        SELECT tenant, id, position, description, sign * quantity, price, sign * total, sku, rate, category, 'SALE'
        FROM growth_sale, (VALUES
            (0, 'Croissant', 2000, 35000, 700, 'CROI-01', 260, 'Backwaren'),
            (1, 'Gasflasche 5 kg', 1000, 289000, 2890, 'GASF-01', 810, 'Shop')
        ) AS line (position, description, quantity, price, total, sku, rate, category)
    """,
    PAYMENTS: """
        (tenant_id, transaction_id, position, method, amount, tip_amount)
        SELECT tenant, id, 0, method, sign * 3590, 0 FROM growth_sale
    """,
    LOG: """
        (at, tenant_id, api_key_id, key_prefix, method, path, status, latency_ms, request_id, outcome, error_code,
            error_field, external_ref, remote_address, request_bytes, calls)
        SELECT at, tenant, key, 'ck_' || substr(md5(key::text), 1, 8), 'POST', '/api/v1/public/pos/transactions/', 201,
            150, md5(reference), 'created', '', '', reference, '203.0.113.9', 520, 1
        FROM growth_sale
    """,
}
# What can be made again afterwards; the id of a sale stays unique all the while.
KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u') AND conname <> 'kasse_transaction_pkey'
"""
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY(%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
"""


def fill(url: str, *, count: int, now: datetime, spared: Sequence[str] = ()) -> None:
    """Put ``count`` sales of the two years before ``now`` into a migrated database that holds campgrounds and keys.

    Campgrounds that are ``spared``, by their slugs, get none.
    """
    values = {"begin": (now - YEARS).isoformat(), "step": YEARS.total_seconds() / count, "spared": ",".join(spared)}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SALE_OF.format(count=count, **values).encode())
    with ThreadPoolExecutor(len(HANDS)) as hands:
        list(hands.map(lambda tables: fill_tables(url, tables), HANDS))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP VIEW growth_sale; DROP TABLE growth_campground; CHECKPOINT")


def fill_tables(url: str, tables: Sequence[str]) -> None:
    """One hand's tables, one after the other."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off; SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'; SET timezone = 'UTC'")
        for table in tables:
            with without_indexes(connection, table):
                connection.execute(f"INSERT INTO {table} {INSERTS[table]}".encode())
            connection.execute(f"VACUUM (ANALYZE) {table}".encode())


@contextmanager
def without_indexes(connection: psycopg.Connection, table: str) -> Iterator[None]:
    """Drop keys and indexes, and make them again at the end."""
    keys = connection.execute(KEYS, [[table]]).fetchall()
    indexes = connection.execute(INDEXES, [[table]]).fetchall()
    for owner, name, _ in keys:
        connection.execute(f"ALTER TABLE {owner} DROP CONSTRAINT {name}".encode())
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    for owner, name, definition in keys:
        connection.execute(f"ALTER TABLE {owner} ADD CONSTRAINT {name} {definition}".encode())
    for _, definition in indexes:
        # Of a partitioned table's index the definition speaks as if its partitions had none.
        connection.execute(definition.replace(" ON ONLY ", " ON ").encode())
