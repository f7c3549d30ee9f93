-- What direct writes build upon.

-- name: lineage
-- Some active versions and those that they build upon, back to the last one that no direct write made.
WITH RECURSIVE back AS (
    SELECT active.id, active.restaurant_id, active.base_version_id, active.version_number, active.name,
           active.source ->> 'kind' AS kind, active.source ->> 'commit' AS commit
    FROM {app}.config_versions AS active WHERE active.id = ANY (%(versions)s::uuid[])
    UNION
    SELECT base.id, base.restaurant_id, base.base_version_id, base.version_number, base.name,
           base.source ->> 'kind', base.source ->> 'commit'
    FROM back JOIN {app}.config_versions AS base ON base.id = back.base_version_id
    WHERE back.kind = ANY (%(direct)s)
)
SELECT back.restaurant_id::text, back.id::text, back.version_number, back.name, back.kind, back.commit
FROM back ORDER BY back.restaurant_id, back.version_number DESC;

-- name: settled_rows
-- One kind's rows in the last versions that no direct write made; lineage is the query above.
WITH settled AS (
    SELECT found.restaurant_id::uuid, found.version_number FROM ({lineage}) AS found
    WHERE (found.kind = ANY (%(direct)s)) IS NOT TRUE
)
SELECT s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM settled
JOIN {table} s ON s.restaurant_id = settled.restaurant_id
    AND s.until_version IS NULL AND s.since_version <= settled.version_number
UNION ALL
SELECT s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM settled
JOIN {table} s ON s.restaurant_id = settled.restaurant_id
    AND s.until_version > settled.version_number AND s.since_version <= settled.version_number;
