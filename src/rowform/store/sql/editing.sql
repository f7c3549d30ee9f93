-- What an edit from a live client is compared with.

-- name: edited_restaurant
-- A restaurant with its newest version's number, its active version and why that is locked.
SELECT r.slug, r.name, r.timezone,
       coalesce((SELECT max(version_number) FROM {app}.config_versions WHERE restaurant_id = r.id), 0),
       v.id::text, v.version_number, coalesce(v.is_locked, false), v.source ->> 'kind', lock.reason, lock.locked_at,
       v.source ->> 'commit'
FROM {app}.restaurants AS r
LEFT JOIN {app}.config_versions AS v ON v.restaurant_id = r.id AND v.is_active
LEFT JOIN LATERAL (SELECT reason, locked_at FROM rowform.last_lock(v.id) WHERE v.is_locked) AS lock ON true
WHERE r.id = %(restaurant)s;

-- name: edited_versions
-- Those of some versions that are a restaurant's.
SELECT id::text FROM {app}.config_versions
WHERE restaurant_id = %(restaurant)s AND id = ANY (%(versions)s::uuid[]);

-- name: edited_rows
-- One kind's rows in a restaurant's active version, and in some others.
SELECT v.id::text, s.id::text, s.entity_id::text, {columns}
FROM {app}.config_versions v
JOIN {table} s ON s.restaurant_id = v.restaurant_id
    AND s.until_version IS NULL AND s.since_version <= v.version_number
WHERE v.restaurant_id = %(restaurant)s AND (v.is_active OR v.id = ANY (%(versions)s::uuid[]))
UNION ALL
SELECT v.id::text, s.id::text, s.entity_id::text, {columns}
FROM {app}.config_versions v
JOIN {table} s ON s.restaurant_id = v.restaurant_id
    AND s.until_version > v.version_number AND s.since_version <= v.version_number
WHERE v.restaurant_id = %(restaurant)s AND (v.is_active OR v.id = ANY (%(versions)s::uuid[]));

-- name: former_settings
-- Those of some ids that a setting of the restaurant has or had.
SELECT DISTINCT entity_id::text FROM {table}
WHERE restaurant_id = %(restaurant)s AND entity_id = ANY (%(ids)s::uuid[]);

-- name: later_rows
-- The forms that one setting took after a version, up to the active one, in order; first, who made them.
SELECT CASE WHEN v.source ->> 'kind' = 'client' AND v.source ->> 'client' = %(client)s
                 AND v.source ->> 'user' IS NOT DISTINCT FROM %(user)s THEN 'own' ELSE 'other' END,
       s.id::text, s.entity_id::text, {columns}
FROM {table} s
JOIN {app}.config_versions AS v ON v.id = s.version_id
JOIN {app}.config_versions AS base ON base.restaurant_id = s.restaurant_id AND base.id = %(version)s
JOIN {app}.config_versions AS active ON active.restaurant_id = s.restaurant_id AND active.is_active
WHERE s.restaurant_id = %(restaurant)s AND s.entity_id = %(setting)s
  AND s.since_version > base.version_number AND s.since_version <= active.version_number
ORDER BY s.since_version;

-- name: version_of
-- One version of a restaurant, as the target of a switch.
SELECT id::text, version_number, name, coalesce(is_locked, false), source ->> 'kind', NULL, NULL
FROM {app}.config_versions WHERE restaurant_id = %(restaurant)s AND id = %(version)s;

-- name: may_write
-- Whether this role is the owner of rowform's books, or a member of it.
SELECT current_user::text, pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'rowform.own_writes'::regclass;
