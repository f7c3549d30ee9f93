-- What a live server reads: each query has the rights of a role that row level security holds.

-- name: live_listen
-- Be told of every activation from now on.
LISTEN rowform;

-- name: live_pulse
-- Whether the connection is alive.
SELECT 1;

-- name: live_find
-- The restaurant that a slug or an id names; without one, the only one.
SELECT rowform.find_restaurant(%(wanted)s)::text;

-- name: live_heads
-- What is active in some restaurants, and in those of some versions.
SELECT restaurant_id::text, slug, timezone, version_id::text, is_locked, name, description, age
FROM rowform.live_versions(%(restaurants)s::uuid[], %(versions)s::uuid[]);

-- name: live_standing
-- Whether policies hold this role in all tables of settings, and how many restaurants it sees.
SELECT current_user::text,
       coalesce((SELECT bool_and(is_active AND has_policy AND row_security_active(relation))
                 FROM rowform.tenancy()), false),
       (SELECT count(*) FROM {app}.restaurants);

-- name: live_begin
-- Opens the transaction of one reading.
BEGIN READ ONLY;

-- name: live_restaurant
-- From here on the transaction is about one restaurant, and it does not take for ever.
SELECT set_config('rowform.restaurant_id', %(restaurant)s, true),
       set_config('statement_timeout', '15s', true), set_config('TimeZone', 'UTC', true);

-- name: live_snapshot
-- All that a restaurant's clients see, as they see it: one statement, and so one moment.
WITH version AS MATERIALIZED (
    SELECT * FROM {app}.config_versions WHERE restaurant_id = %(restaurant)s AND is_active
)
SELECT restaurant.id::text, restaurant.slug::text, restaurant.timezone::text, version.id::text,
       coalesce(version.is_locked, false), version.name, version.description,
       version.version_number, database.managed_in,
       (SELECT row_to_json(shown)::text FROM (SELECT {version}) AS shown),
       {tables}
FROM {app}.restaurants AS restaurant
CROSS JOIN rowform.database AS database
LEFT JOIN version ON true
WHERE restaurant.id = %(restaurant)s;

-- name: live_table
-- The settings of one kind in the active version.
(SELECT coalesce(json_agg(shown), '[]')::text FROM (
    SELECT {fields} FROM {view} AS setting WHERE setting.version_id = version.id {in_use} ORDER BY {order}
) AS shown)

-- name: live_in_use
-- What is paused is no client's business.
AND setting.{flag}

-- name: live_order
-- In the order of keys, whatever the database's collation.
setting.{key}::text COLLATE "C"

-- name: live_flag_first
-- The one that is chosen stands first.
coalesce(setting.{flag}, false) DESC

-- name: live_text
-- Blanks that pad a char(n) are no part of its text.
{column}::text

-- name: live_same
-- As it is.
{column}

-- name: live_number
-- JSON has no word for NaN and the infinities; a number beyond a double is none to its clients.
CASE WHEN abs({column}) <= 1.7976931348623157e308 THEN {column}
     WHEN {column}::numeric <> 'NaN' THEN sign({column}) * 1.7976931348623157e308 END

-- name: live_date
-- Midnight, which Go reads as a time; years as far as it can.
CASE WHEN {column} IS NOT NULL
     THEN to_char(greatest(least({column}, '9999-12-31'), '0001-01-01')::timestamp, 'YYYY-MM-DD"T00:00:00Z"') END

-- name: live_moment
-- In UTC; one that is missing, or has a year that Go cannot read, is Go's zero time.
CASE WHEN {column} >= '0001-01-01' AND {column} < '10000-01-01'
     THEN to_char({column}::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
     ELSE '0001-01-01T00:00:00Z' END

-- name: live_else
-- What stands for null.
coalesce({value}, {zero})
