-- Reading all versions of all restaurants, one after the other.

-- name: all_versions
-- Every version, in order, with the digest of its content that was written down when it was made.
SELECT v.restaurant_id::text, coalesce(r.slug, r.id::text), v.version_number, v.source ->> 'digest'
FROM {app}.config_versions v
JOIN {app}.restaurants r ON r.id = v.restaurant_id
ORDER BY v.restaurant_id, v.version_number;

-- name: all_rows
-- One kind's rows in all versions of the restaurants that have digests, in order of their first version.
SELECT s.since_version, s.until_version, s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM {table} s
WHERE s.since_version IS NOT NULL
  AND s.restaurant_id IN (SELECT restaurant_id FROM {app}.config_versions WHERE source ->> 'digest' IS NOT NULL)
ORDER BY s.restaurant_id, s.since_version;
