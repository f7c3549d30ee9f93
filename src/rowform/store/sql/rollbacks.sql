-- What the database knows of switches back to older versions.

-- name: switches_back
-- The switches back since the last version that a plan made and that stayed, newest first, for some
-- restaurants: each with the version that it took away (gone) and the one it brought (back). A rollback is an
-- activation that does not replace the one before it. Commits are those of the versions; of direct writes, that
-- of the version that they build upon. A restaurant without such switches has one row with nothing but the
-- active version's commit.
WITH RECURSIVE taken AS (
    SELECT one.restaurant_id, one.step, one.version_id AS back_id, one.activated_at,
           lag(one.version_id) OVER in_order AS gone_id,
           one.replaced IS DISTINCT FROM lag(one.step) OVER in_order AS is_rollback,
           one.step = min(one.step) OVER (PARTITION BY one.version_id) AS is_first
    FROM rowform.activations AS one
    WHERE one.restaurant_id = ANY (%(restaurants)s::uuid[])
    WINDOW in_order AS (PARTITION BY one.restaurant_id ORDER BY one.step)
), settled AS (
    SELECT taken.restaurant_id, max(taken.step) AS step
    FROM taken JOIN {app}.config_versions AS version ON version.id = taken.back_id
    WHERE taken.is_first AND (version.source ->> 'kind' = ANY (%(direct)s)) IS NOT TRUE
      AND NOT EXISTS (
          SELECT FROM taken AS later
          WHERE later.gone_id = taken.back_id AND later.is_rollback AND later.step > taken.step)
    GROUP BY taken.restaurant_id
), switch AS (
    SELECT taken.*, gone.version_number AS gone_number, gone.name AS gone_name, gone.source AS gone_source,
           back.version_number AS back_number
    FROM taken
    JOIN {app}.config_versions AS gone ON gone.id = taken.gone_id
    JOIN {app}.config_versions AS back ON back.id = taken.back_id
    LEFT JOIN settled ON settled.restaurant_id = taken.restaurant_id
    WHERE taken.step >= coalesce(settled.step, 0) AND gone.id <> back.id
      AND (taken.is_rollback OR back.version_number < gone.version_number)
), active AS (
    SELECT restaurant_id, id FROM {app}.config_versions
    WHERE restaurant_id = ANY (%(restaurants)s::uuid[]) AND is_active
), lineage AS (
    SELECT version.id AS version_id, version.base_version_id, version.source
    FROM {app}.config_versions AS version
    WHERE version.id IN (SELECT id FROM active UNION SELECT gone_id FROM switch UNION SELECT back_id FROM switch)
    UNION ALL
    SELECT lineage.version_id, base.base_version_id, base.source
    FROM lineage JOIN {app}.config_versions AS base ON base.id = lineage.base_version_id
    WHERE lineage.source ->> 'kind' = ANY (%(direct)s)
), origin AS (
    SELECT version_id, source ->> 'commit' AS commit FROM lineage
    WHERE (source ->> 'kind' = ANY (%(direct)s)) IS NOT TRUE
)
SELECT active.restaurant_id::text, of_active.commit, switch.is_rollback, switch.activated_at,
       why.reason, why.changed_by::text, switch.gone_number, switch.gone_name,
       switch.gone_source ->> 'kind', switch.gone_source ->> 'dirty' = 'true', of_gone.commit,
       switch.back_number, of_back.commit
FROM active
LEFT JOIN switch ON switch.restaurant_id = active.restaurant_id
LEFT JOIN origin AS of_active ON of_active.version_id = active.id
LEFT JOIN origin AS of_gone ON of_gone.version_id = switch.gone_id
LEFT JOIN origin AS of_back ON of_back.version_id = switch.back_id
LEFT JOIN LATERAL (
    SELECT change.reason, change.changed_by FROM {app}.config_changes AS change
    WHERE change.version_id = switch.back_id AND change.changed_at = switch.activated_at
      AND change.table_name = 'config_versions' AND change.operation = 'UPDATE'
      AND NOT EXISTS (SELECT FROM rowform.notes WHERE notes.seq = change.seq)
    ORDER BY change.seq LIMIT 1
) AS why ON true
ORDER BY active.restaurant_id, switch.step DESC;

-- name: rows_apart
-- One kind's rows that are in one of two versions alone, for several pairs of versions: the pair's number,
-- whether it is the first of the two that has the row, and the row.
SELECT pair.number, (stored.until_version IS NULL OR stored.until_version > pair.high) = (pair.one > pair.other),
       s.restaurant_id::text, s.id::text, s.entity_id::text, {columns}
FROM (
    SELECT given.*, least(given.one, given.other) AS low, greatest(given.one, given.other) AS high
    FROM unnest(%(restaurants)s::uuid[], %(ones)s::integer[], %(others)s::integer[])
         WITH ORDINALITY AS given (restaurant_id, one, other, number)
) AS pair
CROSS JOIN LATERAL (
    SELECT id, until_version FROM {table}
    WHERE restaurant_id = pair.restaurant_id AND since_version <= pair.low
      AND until_version > pair.low AND until_version <= pair.high
    UNION ALL
    SELECT id, until_version FROM {table}
    WHERE restaurant_id = pair.restaurant_id AND since_version > pair.low AND since_version <= pair.high
      AND (until_version IS NULL OR until_version > pair.high)
) AS stored
JOIN {table} AS s ON s.id = stored.id;
