-- name: restaurants
-- Every restaurant with its active version and why that is locked, its newest version's number, and the
-- version that is staged to follow the active one. An active version is settled if a plan made it and it was
-- activated but once, after a lower number.
SELECT r.id::text, r.slug, r.name, r.timezone, n.newest,
       v.id::text, v.version_number, v.is_locked, v.source ->> 'kind', lock.reason, lock.locked_at,
       v.source ->> 'commit', (v.source ->> 'kind' = ANY (%(direct)s)) IS NOT TRUE AND (
           SELECT count(*) = 1 AND bool_and(coalesce(before.version_number, 0) < v.version_number)
           FROM rowform.activations AS one
           LEFT JOIN rowform.activations AS replaced ON replaced.step = one.replaced
           LEFT JOIN {app}.config_versions AS before ON before.id = replaced.version_id
           WHERE one.version_id = v.id),
       staged.id::text, staged.version_number, staged.name, staged.digest
FROM {app}.restaurants r
LEFT JOIN (
    SELECT restaurant_id, max(version_number) AS newest
    FROM {app}.config_versions GROUP BY restaurant_id
) n ON n.restaurant_id = r.id
LEFT JOIN {app}.config_versions v ON v.restaurant_id = r.id AND v.is_active
-- Without a lock there is nothing to look for.
LEFT JOIN LATERAL rowform.last_lock(CASE WHEN v.is_locked THEN v.id END) AS lock ON true
LEFT JOIN LATERAL (
    SELECT version.id, version.version_number, version.name, version.source ->> 'digest' AS digest
    FROM rowform.staged_versions AS one
    JOIN {app}.config_versions AS version ON version.id = one.version_id
    -- The first condition spares almost all restaurants the rest.
    WHERE n.newest > coalesce(v.version_number, 0)
      AND one.restaurant_id = r.id AND one.version_number > coalesce(v.version_number, 0)
    ORDER BY one.version_number DESC LIMIT 1
) AS staged ON true
ORDER BY r.slug, r.id;

-- name: active_rows
-- One kind's rows in the active versions of many restaurants, JSON and numbers as text.
SELECT s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM {app}.config_versions v
JOIN {table} s ON s.restaurant_id = v.restaurant_id
    AND s.until_version IS NULL AND s.since_version <= v.version_number
WHERE v.is_active AND v.restaurant_id = ANY (%(restaurants)s::uuid[])
UNION ALL
SELECT s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM {app}.config_versions v
JOIN {table} s ON s.restaurant_id = v.restaurant_id
    AND s.until_version > v.version_number AND s.since_version <= v.version_number
WHERE v.is_active AND v.restaurant_id = ANY (%(restaurants)s::uuid[]);

-- name: version_rows
-- One kind's rows in one version of one restaurant.
SELECT s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM {table} s
WHERE s.restaurant_id = %(restaurant)s AND s.until_version IS NULL AND s.since_version <= %(number)s
UNION ALL
SELECT s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM {table} s
WHERE s.restaurant_id = %(restaurant)s AND s.until_version > %(number)s AND s.since_version <= %(number)s;

-- name: history
-- The versions of one restaurant, newest first, with the changes that the audit of each one's first
-- activation counts: what was there when rowform came has none, and a later activation adds none. A state is
-- active, draft (being filled), staged (complete, never active yet) or inactive.
WITH first_activation AS (
    SELECT version_id, min(activated_at) AS activated_at FROM rowform.activations
    WHERE restaurant_id = %(restaurant)s
    GROUP BY version_id
)
SELECT v.id::text, v.version_number, v.name, v.description, coalesce(v.is_active, false), coalesce(v.is_locked, false),
       v.created_at, v.created_by::text, v.source, b.version_number,
       coalesce(c.inserted, 0), coalesce(c.updated, 0), coalesce(c.deleted, 0),
       CASE WHEN v.is_active THEN 'active'
            WHEN EXISTS (SELECT FROM rowform.drafts WHERE drafts.version_id = v.id) THEN 'draft'
            WHEN EXISTS (SELECT FROM rowform.staged_versions AS staged WHERE staged.version_id = v.id) THEN 'staged'
            ELSE 'inactive' END,
       lock.reason, lock.locked_at
FROM {app}.config_versions v
LEFT JOIN LATERAL (SELECT reason, locked_at FROM rowform.last_lock(v.id) WHERE v.is_locked) AS lock ON true
LEFT JOIN {app}.config_versions b ON b.id = v.base_version_id
LEFT JOIN rowform.version_births AS birth ON birth.version_id = v.id
LEFT JOIN first_activation AS first ON first.version_id = v.id AND birth.made_at > '-infinity'
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE change.operation = 'INSERT') AS inserted,
           count(*) FILTER (WHERE change.operation = 'UPDATE') AS updated,
           count(*) FILTER (WHERE change.operation = 'DELETE') AS deleted
    FROM {app}.config_changes AS change
    WHERE change.version_id = v.id AND change.changed_at = first.activated_at
      AND change.table_name <> 'config_versions'
      AND NOT EXISTS (SELECT FROM rowform.notes WHERE notes.seq = change.seq)
) c ON true
WHERE v.restaurant_id = %(restaurant)s AND (%(number)s::integer IS NULL OR v.version_number = %(number)s)
ORDER BY v.version_number DESC
LIMIT %(limit)s;

-- name: installation
-- All that must be known before work begins, in one round trip: database, migrations, columns.
SELECT d.id::text, d.application_schema,
       (SELECT max(number) FROM rowform.migrations),
       (SELECT coalesce(json_object_agg(c.relname, c.facts), json_build_object())
        FROM (
            SELECT t.relname,
                   json_agg(json_build_array(
                       a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
                       -- What can do without a value: a trigger of the application may set one.
                       NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' OR EXISTS (
                           SELECT FROM pg_trigger AS g JOIN pg_proc AS f ON f.oid = g.tgfoid
                           WHERE g.tgrelid = t.oid AND g.tgtype & 7 = 7 AND g.tgenabled <> 'D'
                             AND f.pronamespace <> t.relnamespace)) ORDER BY a.attnum) AS facts
            FROM pg_class t
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE t.relnamespace = 'rowform'::regnamespace AND t.relname = ANY (%(kinds)s::text[])
            GROUP BY t.oid
        ) c)
FROM rowform.database d;

-- name: former_identities
-- The identities that settings of some keys had in older versions, the latest one of each key; else the one in
-- a newer version, which is staged or a draft.
SELECT DISTINCT ON (former.restaurant_id, former.key) former.restaurant_id::text, former.key, former.entity_id::text
FROM (
    SELECT s.restaurant_id, s.{key}::text AS key, s.entity_id, s.until_version
    FROM unnest(%(restaurants)s::uuid[], %(keys)s::text[]) AS wanted (restaurant_id, key)
    JOIN {table} s ON s.restaurant_id = wanted.restaurant_id AND s.{key} = wanted.key
        AND s.until_version IS NOT NULL
    UNION ALL
    SELECT s.restaurant_id, s.{key}::text, s.entity_id, NULL
    FROM unnest(%(restaurants)s::uuid[], %(keys)s::text[]) AS wanted (restaurant_id, key)
    JOIN {table} s ON s.restaurant_id = wanted.restaurant_id AND s.{key} = wanted.key
        AND s.until_version IS NULL
) AS former
ORDER BY former.restaurant_id, former.key, former.until_version DESC NULLS LAST;
