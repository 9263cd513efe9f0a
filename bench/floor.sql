-- The floor under every target: what the database alone costs, driven by pgbench with prepared statements.
-- One round trip, as few as the duties allow: compare the key's row with what is remembered of it; count, sale, lines,
-- payment and log row. Each client asks for its row once, and for its key's ids.
-- :client_id is the till. :n, :known, :tag, :items and :payments are set on pgbench's command line; :n counts this
-- client's sales.
\set n :n + 1
\if :known = 0
SELECT key.id AS key_id, key.tenant_id, key.budget,
       json_build_array(
           key.id, key.tenant_id, key.name, key.prefix, key.token_hash, key.scopes, key.budget, key.created_at,
           key.expires_at, key.revoked_at, key.last_used_at, tenant.id, tenant.slug, tenant.name, tenant.zone,
           tenant.cutoff_hour, tenant.currency, tenant.is_active, card.enabled, card.default_vat_rate,
           (SELECT json_agg(json_build_array(rate, valid_from, valid_until))
            FROM catalogue_vatrate WHERE tenant_id = tenant.id)
       )::text AS row
FROM apikeys_apikey key
JOIN tenants_tenant tenant ON tenant.id = key.tenant_id
LEFT JOIN pos_bridge_bridgesettings card ON card.tenant_id = tenant.id
WHERE key.prefix = 'ck_till' || :client_id::text
\gset
\set known 1
\endif
WITH admitted AS (
    SELECT FROM (
        SELECT json_build_array(
            key.id, key.tenant_id, key.name, key.prefix, key.token_hash, key.scopes, key.budget, key.created_at,
            key.expires_at, key.revoked_at, key.last_used_at, tenant.id, tenant.slug, tenant.name, tenant.zone,
            tenant.cutoff_hour, tenant.currency, tenant.is_active, card.enabled, card.default_vat_rate,
            (SELECT json_agg(json_build_array(rate, valid_from, valid_until))
             FROM catalogue_vatrate WHERE tenant_id = tenant.id)
        )::text
        FROM apikeys_apikey key
        JOIN tenants_tenant tenant ON tenant.id = key.tenant_id
        LEFT JOIN pos_bridge_bridgesettings card ON card.tenant_id = tenant.id
        WHERE key.prefix = 'ck_till' || :client_id::text
    ) AS held(row) WHERE row = :row
), clock AS (
    SELECT extract(epoch FROM now())::bigint AS second FROM admitted
), expired AS (
    DELETE FROM pos_bridge_budgetslot USING clock
    WHERE tenant_id = :tenant_id AND api_key_id = :key_id AND pos_bridge_budgetslot.second <= clock.second - 3600
    RETURNING calls
), slot AS (
    INSERT INTO pos_bridge_budgetslot (tenant_id, api_key_id, second, calls)
    SELECT :tenant_id::bigint, :key_id::bigint, second, 1 FROM clock
    ON CONFLICT (tenant_id, api_key_id, second) DO UPDATE SET calls = pos_bridge_budgetslot.calls + 1
), charged AS (
    INSERT INTO pos_bridge_budgettotal (tenant_id, api_key_id, calls)
    SELECT :tenant_id::bigint, :key_id::bigint, 1 FROM admitted
    ON CONFLICT (tenant_id, api_key_id) DO UPDATE
    SET calls = pos_bridge_budgettotal.calls + 1 - (SELECT coalesce(sum(calls), 0) FROM expired)
    RETURNING calls
), sale AS (
    INSERT INTO kasse_transaction (
        id, tenant_id, api_key_id, source, status, external_ref, fingerprint, payment_method, currency, total_amount,
        rounding_amount, tip_amount, occurred_at, business_date, received_at, refund_of, metadata
    )
    SELECT (
               lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
               || '7' || substr(md5(:client_id::text || :tag::text || :n::text), 1, 19)
           )::uuid,
           :tenant_id::bigint, :key_id::bigint, 'EXTERNAL_POS', 'COMPLETED',
           :tag::text || '-' || :client_id::text || '-' || :n::text,
           'v1:8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1', 'CASH', 'CHF', 3590, 0, 0, now(),
           now()::date, now(), '', '{}'
    FROM charged WHERE charged.calls <= :budget
    ON CONFLICT (tenant_id, external_ref) DO NOTHING
    RETURNING id, tenant_id, api_key_id, external_ref, received_at
), lines AS (
    INSERT INTO kasse_transactionitem (
        tenant_id, transaction_id, position, description, quantity, unit_price, line_total, sku, vat_rate, category,
        kind
    )
    SELECT sale.tenant_id, sale.id, line.position, line.description, line.quantity, line.unit_price, line.line_total,
           line.sku, line.vat_rate, line.category, line.kind
    FROM sale, json_to_recordset(:items::json) AS line(
        position smallint, description text, quantity bigint, unit_price bigint, line_total bigint, sku text,
        vat_rate bigint, category text, kind text
    )
), tenders AS (
    INSERT INTO kasse_payment (tenant_id, transaction_id, position, method, amount, tip_amount)
    SELECT sale.tenant_id, sale.id, tender.position, tender.method, tender.amount, tender.tip_amount
    FROM sale, json_to_recordset(:payments::json) AS tender(
        position smallint, method text, amount bigint, tip_amount bigint
    )
), logged AS (
    INSERT INTO pos_bridge_inboundcall (
        at, tenant_id, api_key_id, key_prefix, method, path, status, latency_ms, request_id, outcome, error_code,
        error_field, external_ref, remote_address, request_bytes, calls
    )
    SELECT received_at, tenant_id, api_key_id, 'ck_till' || :client_id::text, 'POST',
           '/api/v1/public/pos/transactions/', 201,
           (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 100000)::bigint,
           md5(external_ref), 'created', '', '', external_ref, '127.0.0.1', 517, 1
    FROM sale
)
SELECT sale.id, sale.received_at, charged.calls FROM charged LEFT JOIN sale ON true;
