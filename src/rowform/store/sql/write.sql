-- name: begin_write
-- Start an apply: short timeouts, so that a client that vanishes frees the lock.
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = {lock_timeout};
SET LOCAL idle_in_transaction_session_timeout = {idle_timeout};
{first}
SELECT 1 FROM {app}.restaurants WHERE id = {restaurant} FOR NO KEY UPDATE;

-- name: heed_protection
-- Refuse where direct writes are refused. Comes before the restaurant's lock, as with direct writes.
SELECT rowform.ensure_unprotected('an edit', 'settings');

-- name: lock_restaurant
-- The lock that every writer of a restaurant's settings takes.
SELECT 1 FROM {app}.restaurants WHERE id = %(restaurant)s FOR NO KEY UPDATE;

-- name: create_restaurant
-- The row of a restaurant that is new to the database.
INSERT INTO {app}.restaurants (id, slug, name, timezone)
VALUES ({id}, {slug}, {name}, {timezone}) ON CONFLICT (id) DO NOTHING;

-- name: under_lock
-- The active version, the newest number, and the active version's lock, read once the lock is held.
SELECT active.id::text,
       coalesce((SELECT max(version_number) FROM {app}.config_versions
                 WHERE restaurant_id = %(restaurant)s), 0),
       coalesce(active.is_locked, false), lock.reason, lock.locked_at
FROM (VALUES (1)) AS one (row)
LEFT JOIN {app}.config_versions AS active ON active.restaurant_id = %(restaurant)s AND active.is_active
LEFT JOIN LATERAL (
    SELECT reason, locked_at FROM rowform.last_lock(active.id) WHERE active.is_locked
) AS lock ON true;

-- name: insert_version
-- The new version, not active yet; its id was made by the client.
INSERT INTO {app}.config_versions
    (id, restaurant_id, version_number, name, description, created_by, is_active, is_locked, base_version_id, source)
VALUES (%(id)s, %(restaurant)s, %(number)s, %(name)s, %(description)s, %(actor)s, false, false, %(base)s,
        %(source)s::jsonb);

-- name: close_rows
-- End the validity of the rows that the new version no longer contains.
UPDATE {table} SET until_version = %(number)s
WHERE id = ANY (%(ids)s::uuid[]) AND restaurant_id = %(restaurant)s AND until_version IS NULL;

-- name: insert_rows
-- The rows that the new version adds; a changed setting keeps the day it was made on.
INSERT INTO {table} (id, restaurant_id, version_id, entity_id, since_version, created_at, updated_at, {columns})
SELECT x._id, %(restaurant)s, %(version)s, x._entity, %(number)s, coalesce(o.created_at, now()), now(), {values}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (_id uuid, _entity uuid, _previous uuid, {types})
LEFT JOIN {table} o ON o.id = x._previous;

-- name: insert_rows_carrying
-- The same where the application has columns of its own: a changed setting keeps what is in them, a new one
-- gets their defaults. Nothing that is kept goes through another type.
WITH x AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (_id uuid, _entity uuid, _previous uuid, {types})
), new_setting AS (
    INSERT INTO {table} (id, restaurant_id, version_id, entity_id, since_version, created_at, updated_at, {columns})
    SELECT x._id, %(restaurant)s, %(version)s, x._entity, %(number)s, now(), now(), {values}
    FROM x LEFT JOIN {table} o ON o.id = x._previous
    WHERE o.id IS NULL
)
INSERT INTO {table}
    (id, restaurant_id, version_id, entity_id, since_version, updated_at, {columns}, {kept})
OVERRIDING SYSTEM VALUE
SELECT x._id, %(restaurant)s, %(version)s, x._entity, %(number)s, now(), {values}, {kept_values}
FROM x JOIN {table} o ON o.id = x._previous;

-- name: insert_audit
-- One audit row per change, with the whole setting before and after as applications see it.
INSERT INTO {app}.config_changes
    (restaurant_id, version_id, table_name, operation, old_data, new_data, changed_by, reason)
SELECT %(restaurant)s, %(version)s, %(kind)s, c.operation,
       CASE WHEN o.id IS NOT NULL THEN to_jsonb(o) - '{{entity_id,since_version,until_version}}'::text[]
            || jsonb_build_object('id', o.entity_id) END,
       CASE WHEN n.id IS NOT NULL THEN to_jsonb(n) - '{{entity_id,since_version,until_version}}'::text[]
            || jsonb_build_object('id', n.entity_id) END,
       %(actor)s, c.reason
FROM jsonb_to_recordset(%(changes)s::jsonb) AS c (position integer, operation text, old uuid, new uuid, reason text)
LEFT JOIN {table} o ON o.id = c.old
LEFT JOIN {table} n ON n.id = c.new
ORDER BY c.position;

-- name: insert_overruled
-- That guards were overruled: the one row about a version that is an INSERT, written before it is active.
INSERT INTO {app}.config_changes
    (restaurant_id, version_id, table_name, operation, new_data, changed_by, reason)
SELECT restaurant_id, id, 'config_versions', 'INSERT', to_jsonb(version) - 'source', %(actor)s, %(reason)s
FROM {app}.config_versions AS version WHERE id = %(version)s;

-- name: deactivate
-- First half of an activation: two statements, or the unique index objects.
UPDATE {app}.config_versions SET is_active = false WHERE restaurant_id = %(restaurant)s AND is_active;

-- name: activate
-- Second half of an activation; a trigger sends the notification.
UPDATE {app}.config_versions SET is_active = true WHERE id = %(id)s;

-- name: version_exists
-- Whether a COMMIT whose answer was lost went through; run under the restaurant's lock.
SELECT EXISTS (SELECT FROM {app}.config_versions WHERE id = %(id)s);

-- name: mark_write
-- Tell the triggers that this transaction is rowform's own; the table is its owner's alone.
INSERT INTO rowform.own_writes DEFAULT VALUES;

-- name: mark_stage
-- The same of a transaction that makes a version without activating it.
INSERT INTO rowform.own_writes (stages) VALUES (true);

-- name: unmark_write
-- Take the mark back; a transaction that keeps it cannot commit.
DELETE FROM rowform.own_writes WHERE xid = pg_current_xact_id();
