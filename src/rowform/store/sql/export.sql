-- name: export_records
-- One kind's rows in one version as the application sees them, each as JSON.
SELECT to_json(record)::text
FROM (
    SELECT {columns} FROM {view} AS s
    WHERE s.restaurant_id = %(restaurant)s AND s.version_id = %(version)s
    ORDER BY s.{key} COLLATE "C"
) AS record;

-- name: export_restaurant
-- The statement that makes a restaurant where there is none. Times are in ISO 8601, whatever the session has.
SELECT format('INSERT INTO restaurants (id, name, slug, timezone, is_active, created_at)'
              ' VALUES (%%L, %%L, %%L, %%L, %%L, %%L) ON CONFLICT (id) DO NOTHING;',
              id, name, slug, timezone, is_active, to_json(created_at) #>> '{{}}')
FROM {app}.restaurants WHERE id = %(restaurant)s;

-- name: export_version
-- The statements before a version's rows and behind them: a version is filled first, then activated.
SELECT concat_ws(E'\n',
           CASE WHEN is_active THEN
               format('UPDATE config_versions SET is_active = false WHERE restaurant_id = %%L AND is_active;',
                      restaurant_id)
           END,
           format('INSERT INTO config_versions (id, restaurant_id, version_number, name, description, created_by,'
                  ' created_at, is_active, is_locked) VALUES (%%L, %%L, %%L, %%L, %%L, %%L, %%L, false, false);',
                  id, restaurant_id, version_number, name, description, created_by,
                  to_json(created_at) #>> '{{}}')),
       CASE WHEN is_active OR is_locked THEN
           format('UPDATE config_versions SET is_active = %%s, is_locked = %%s WHERE id = %%L;',
                  coalesce(is_active, false)::text, coalesce(is_locked, false)::text, id)
       END
FROM {app}.config_versions WHERE restaurant_id = %(restaurant)s AND id = %(version)s;

-- name: export_settings
-- The statements that insert one kind's rows of a version.
SELECT format('INSERT INTO %%I (%%s) VALUES (%%s);', {kind}, concat_ws(', ', {names}), concat_ws(', ', {values}))
FROM {view} AS s
WHERE s.restaurant_id = %(restaurant)s AND s.version_id = %(version)s
ORDER BY s.{key} COLLATE "C";

-- name: export_utc
-- Time stamps without a zone are read in that of the session.
SET LOCAL TIME ZONE 'UTC';

-- name: export_aggregate
-- A version, and its settings as live clients are told them.
WITH version AS MATERIALIZED (
    SELECT * FROM {app}.config_versions WHERE restaurant_id = %(restaurant)s AND id = %(version)s
)
SELECT (SELECT row_to_json(shown)::text FROM (SELECT {version}) AS shown), {tables}
FROM version;
