"""One statement for each route. All begin with the caller: no row back means 401 or 403."""

from __future__ import annotations

# $1 prefix, $2 SHA-256 of the token, $3 now, $4 scope, $5 minute
CALLER = """
    caller AS (
        SELECT key.id, key.tenant_id, key.prefix, key.budget, key.scopes,
               tenant.slug, tenant.name, tenant.currency, tenant.zone, tenant.cutoff_hour
        FROM apikeys_apikey key
        JOIN tenants_tenant tenant ON tenant.id = key.tenant_id
        LEFT JOIN pos_bridge_bridgesettings card ON card.tenant_id = tenant.id
        WHERE key.prefix = $1 AND key.token_hash = $2 AND key.revoked_at IS NULL
          AND (key.expires_at IS NULL OR key.expires_at > $3) AND tenant.is_active
          AND coalesce(card.enabled, true) AND ($4::text = '' OR key.scopes ? $4)
    ), charge AS (
        INSERT INTO bench_budget (api_key_id, minute, calls) SELECT id, $5::bigint, 1 FROM caller
        ON CONFLICT (api_key_id, minute) DO UPDATE SET calls = bench_budget.calls + 1
    ), allowed AS (
        SELECT caller.* FROM caller WHERE caller.budget IS NULL OR caller.budget > (
            SELECT coalesce(sum(calls), 0) FROM bench_budget spent
            WHERE spent.api_key_id = caller.id AND spent.minute > $5::bigint - 60
        )
    )
"""
LOG = """
    INSERT INTO pos_bridge_inboundcall (
        at, tenant_id, api_key_id, key_prefix, method, path, status, latency_ms, request_id, outcome, error_code,
        error_field, external_ref, remote_address, request_bytes, calls
    )
"""
BASE = "/api/v1/public/pos"

# The common five, then $6 request id, $7 id, $8 reference, $9 fingerprint, $10 method, $11 total, $12 rounding,
# $13 tip, $14 instant, $15 refund of, $16 metadata, $17 VAT rates, $18 items, $19 payments, $20 latency,
# $21 address, $22 bytes
SALE = f"""
    WITH {CALLER}, known AS (
        SELECT allowed.*, day FROM allowed
        CROSS JOIN LATERAL (
            SELECT (($14::timestamptz AT TIME ZONE zone) - cutoff_hour * interval '1 hour')::date AS day
        ) AS calendar
        WHERE NOT EXISTS (
            SELECT FROM unnest($17::bigint[]) AS sent WHERE NOT EXISTS (
                SELECT FROM catalogue_vatrate known WHERE known.tenant_id = allowed.tenant_id AND known.rate = sent
                AND known.valid_from <= day AND (known.valid_until IS NULL OR known.valid_until >= day)
            )
        )
    ), sale AS (
        INSERT INTO kasse_transaction (
            id, tenant_id, api_key_id, source, status, external_ref, fingerprint, payment_method, currency,
            total_amount, rounding_amount, tip_amount, occurred_at, business_date, received_at, refund_of, metadata
        )
        SELECT $7::uuid, tenant_id, id, 'EXTERNAL_POS', 'COMPLETED', $8, $9, $10, currency,
               $11::bigint, $12::bigint, $13::bigint, $14, day, $3, $15, $16::jsonb
        FROM known
        ON CONFLICT (tenant_id, external_ref) DO NOTHING
        RETURNING id, tenant_id, api_key_id
    ), lines AS (
        INSERT INTO kasse_transactionitem (
            tenant_id, transaction_id, position, description, quantity, unit_price, line_total, sku, vat_rate,
            category, kind
        )
        SELECT sale.tenant_id, sale.id, line.position, line.description, line.quantity, line.unit_price,
               line.line_total, line.sku, line.vat_rate, line.category, line.kind
        FROM sale, json_to_recordset($18::json) AS line(
            position smallint, description text, quantity bigint, unit_price bigint, line_total bigint, sku text,
            vat_rate bigint, category text, kind text
        )
    ), tenders AS (
        INSERT INTO kasse_payment (tenant_id, transaction_id, position, method, amount, tip_amount)
        SELECT sale.tenant_id, sale.id, tender.position, tender.method, tender.amount, tender.tip_amount
        FROM sale, json_to_recordset($19::json) AS tender(
            position smallint, method text, amount bigint, tip_amount bigint
        )
    ), logged AS (
        {LOG}
        SELECT $3, tenant_id, api_key_id, $1, 'POST', '{BASE}/transactions/', 201, $20::bigint, $6, 'created', '',
               '', $8, $21, $22::integer, 1
        FROM sale
    )
    SELECT allowed.id IS NOT NULL AS allowed, known.id IS NOT NULL AS known, sale.id IS NOT NULL AS created,
           caller.tenant_id, caller.id AS api_key_id, caller.currency, known.day
    FROM caller LEFT JOIN allowed ON true LEFT JOIN known ON true LEFT JOIN sale ON true
"""
STORED = """
    SELECT sale.id, sale.fingerprint, sale.external_ref, sale.source, sale.status, sale.payment_method, sale.currency,
           sale.total_amount, sale.rounding_amount, sale.tip_amount, sale.refund_of, sale.occurred_at,
           sale.business_date, sale.received_at, sale.metadata,
           (SELECT json_agg(line ORDER BY line.position) FROM kasse_transactionitem line
            WHERE line.tenant_id = sale.tenant_id AND line.transaction_id = sale.id) AS items,
           (SELECT json_agg(tender ORDER BY tender.position) FROM kasse_payment tender
            WHERE tender.tenant_id = sale.tenant_id AND tender.transaction_id = sale.id) AS payments
"""
# $1 now, $2 tenant, $3 key, $4 prefix, $5 reference, $6 fingerprint, $7 id, $8 latency, $9 address, $10 bytes
RETRY = f"""
    WITH stored AS (
        {STORED} FROM kasse_transaction sale
        WHERE sale.tenant_id = $2 AND sale.external_ref = $5 AND sale.source = 'EXTERNAL_POS'
    ), logged AS (
        {LOG}
        SELECT $1, $2, $3, $4, 'POST', '{BASE}/transactions/', CASE WHEN fingerprint = $6 THEN 200 ELSE 409 END,
               $8::bigint, $7, CASE WHEN fingerprint = $6 THEN 'replayed' ELSE 'conflict' END, '', '', $5, $9,
               $10::integer, 1
        FROM stored
    )
    SELECT * FROM stored
"""
# The common five, then $6 request id, $7 reference, $8 path, $9 latency, $10 address
READ = f"""
    WITH {CALLER}, stored AS (
        {STORED} FROM allowed JOIN kasse_transaction sale
        ON sale.tenant_id = allowed.tenant_id AND sale.external_ref = $7 AND sale.source = 'EXTERNAL_POS'
    ), logged AS (
        {LOG}
        SELECT $3, caller.tenant_id, caller.id, $1, 'GET', $8, CASE WHEN stored.id IS NULL THEN 404 ELSE 200 END,
               $9::bigint, $6, CASE WHEN stored.id IS NULL THEN 'refused' ELSE 'read' END, '', '', $7, $10, 0, 1
        FROM caller LEFT JOIN stored ON true
    )
    SELECT allowed.id IS NOT NULL AS allowed, stored.* FROM caller LEFT JOIN allowed ON true LEFT JOIN stored ON true
"""
# The common five, then $6 request id, $7 latency, $8 address
PING = f"""
    WITH {CALLER}, logged AS (
        {LOG}
        SELECT $3, tenant_id, id, $1, 'GET', '{BASE}/ping/', 200, $7::bigint, $6, 'read', '', '', '', $8, 0, 1
        FROM caller
    )
    SELECT allowed.id IS NOT NULL AS allowed, caller.slug, caller.name, caller.zone, caller.currency, caller.prefix,
           caller.scopes
    FROM caller LEFT JOIN allowed ON true
"""
PRODUCTS = f"""
    WITH {CALLER}, page AS (
        SELECT product.id, product.sku, product.name, product.category, product.unit_price, product.vat_rate,
               product.active, product.updated_at, count(*) OVER () AS total
        FROM allowed JOIN catalogue_product product ON product.tenant_id = allowed.tenant_id AND product.active
        ORDER BY product.sku, product.id LIMIT 50
    )
    SELECT allowed.id IS NOT NULL AS allowed, caller.tenant_id, caller.id AS api_key_id, caller.currency,
           (SELECT max(total) FROM page) AS total, (SELECT json_agg(page) FROM page) AS products
    FROM caller LEFT JOIN allowed ON true
"""
# Of a list the status is known only when its body is.
# $1 now, $2 tenant, $3 key, $4 prefix, $5 status, $6 latency, $7 id, $8 address
PRODUCTS_LOG = f"""
    {LOG} VALUES ($1, $2, $3, $4, 'GET', '{BASE}/products/', $5::smallint, $6::bigint, $7, 'read', '', '', '', $8, 0, 1)
"""
# What is refused outside of the others. $1 prefix, $2 SHA-256, $3 now, $4 minute, $5 whether the call counts,
# $6 method, $7 path, $8 status (401 all the same if the key is not proven), $9 id, $10 address, $11 bytes
REFUSED = f"""
    WITH key AS (
        SELECT key.id, key.tenant_id, key.prefix FROM apikeys_apikey key
        JOIN tenants_tenant tenant ON tenant.id = key.tenant_id
        WHERE key.prefix = $1 AND key.token_hash = $2 AND key.revoked_at IS NULL
          AND (key.expires_at IS NULL OR key.expires_at > $3) AND tenant.is_active
    ), charge AS (
        INSERT INTO bench_budget (api_key_id, minute, calls) SELECT id, $4::bigint, 1 FROM key WHERE $5::boolean
        ON CONFLICT (api_key_id, minute) DO UPDATE SET calls = bench_budget.calls + 1
    ), logged AS (
        {LOG}
        SELECT $3, key.tenant_id, key.id, coalesce(key.prefix, ''), $6, $7,
               CASE WHEN key.id IS NULL THEN 401 ELSE $8::smallint END, 0, $9, 'refused', '', '', '', $10,
               $11::integer, 1
        FROM (SELECT) AS one LEFT JOIN key ON true
    )
    SELECT id FROM key
"""
