-- Statements that switch versions, lock them, and refuse direct writes.

-- name: standing
-- The versions that a switch may lead to or from, each with the part that it plays: the active one; the
-- last one activated; back, which that one replaced; settled, the latest from back on that no direct write
-- made; and the one that has the number. Steps are those of rowform.activations.
WITH RECURSIVE last AS (
    SELECT step, version_id, replaced FROM rowform.activations
    WHERE restaurant_id = %(restaurant)s ORDER BY step DESC LIMIT 1
), stayed AS (
    -- To switch a version off and on again replaces nothing.
    SELECT step, version_id, replaced FROM last
    UNION ALL
    SELECT earlier.step, earlier.version_id, earlier.replaced
    FROM stayed
    JOIN last ON last.version_id = stayed.version_id
    JOIN rowform.activations AS earlier ON earlier.step = stayed.replaced
), back AS (
    SELECT step, version_id, replaced FROM stayed WHERE version_id <> (SELECT version_id FROM last)
), undone AS (
    SELECT back.step, back.version_id, back.replaced, version.source ->> 'kind' AS kind
    FROM back JOIN {app}.config_versions AS version ON version.id = back.version_id
    UNION ALL
    SELECT earlier.step, earlier.version_id, earlier.replaced, version.source ->> 'kind'
    FROM undone
    JOIN rowform.activations AS earlier ON earlier.step = undone.replaced
    JOIN {app}.config_versions AS version ON version.id = earlier.version_id
    WHERE undone.kind = ANY (%(direct)s)
), part AS (
    SELECT 'active' AS name, NULL::bigint AS step, id AS version_id FROM {app}.config_versions
    WHERE restaurant_id = %(restaurant)s AND is_active
    UNION ALL SELECT 'last', step, version_id FROM last
    UNION ALL SELECT 'back', step, version_id FROM back
    UNION ALL SELECT 'settled', step, version_id FROM undone WHERE kind = ANY (%(direct)s) IS NOT TRUE
    UNION ALL SELECT 'wanted', NULL, id FROM {app}.config_versions
    WHERE restaurant_id = %(restaurant)s AND version_number = %(number)s
)
SELECT part.name, part.step, version.id::text, version.version_number, version.name,
       coalesce(version.is_locked, false), version.source ->> 'kind', lock.reason, lock.locked_at
FROM part JOIN {app}.config_versions AS version ON version.id = part.version_id
LEFT JOIN LATERAL (
    SELECT reason, locked_at FROM rowform.last_lock(version.id) WHERE version.is_locked
) AS lock ON true;

-- name: number_range
-- The lowest and the highest version number of a restaurant.
SELECT min(version_number), max(version_number) FROM {app}.config_versions
WHERE restaurant_id = %(restaurant)s;

-- name: activation_reason
-- What the audit says of the last switch to a version.
SELECT reason FROM {app}.config_changes
WHERE restaurant_id = %(restaurant)s AND version_id = %(version)s AND table_name = 'config_versions'
  AND (new_data ->> 'is_active')::boolean AND old_data ->> 'id' IS DISTINCT FROM version_id::text
ORDER BY seq DESC LIMIT 1;

-- name: net_change
-- How many settings are added, changed and removed between two versions; null stands for none.
SELECT count(*) FILTER (WHERE operation = 'INSERT'),
       count(*) FILTER (WHERE operation = 'UPDATE'),
       count(*) FILTER (WHERE operation = 'DELETE')
FROM rowform.net_change(%(restaurant)s, %(from)s, %(to)s);

-- name: under_switch_lock
-- What a switch must find as it was, and where the audit ends: read once the lock is held.
SELECT (SELECT coalesce(max(seq), 0) FROM {app}.config_changes WHERE restaurant_id = %(restaurant)s),
       (SELECT step FROM rowform.activations WHERE restaurant_id = %(restaurant)s ORDER BY step DESC LIMIT 1),
       version.id::text, version.version_number, version.name,
       coalesce(version.is_locked, false), version.source ->> 'kind', lock.reason, lock.locked_at
FROM (VALUES (1)) AS one (row)
LEFT JOIN {app}.config_versions AS version ON version.restaurant_id = %(restaurant)s AND version.is_active
LEFT JOIN LATERAL (
    SELECT reason, locked_at FROM rowform.last_lock(version.id) WHERE version.is_locked
) AS lock ON true;

-- name: mark_switch
-- Tell the triggers that this transaction is rowform's own, and which activation it goes back to, if any.
INSERT INTO rowform.own_writes (back_to) VALUES (%(back_to)s);

-- name: say_why
-- Who and why, for the audit rows that triggers write in this transaction.
SELECT set_config('rowform.reason', %(reason)s, true), set_config('rowform.actor', %(actor)s, true);

-- name: switched
-- The activation just made, and how many settings its audit adds, changes and removes: the rows behind seq.
SELECT last.step, last.activated_at,
       count(*) FILTER (WHERE change.operation = 'INSERT'),
       count(*) FILTER (WHERE change.operation = 'UPDATE'),
       count(*) FILTER (WHERE change.operation = 'DELETE')
FROM (
    SELECT step, activated_at FROM rowform.activations
    WHERE restaurant_id = %(restaurant)s ORDER BY step DESC LIMIT 1
) AS last
LEFT JOIN {app}.config_changes AS change
    ON change.restaurant_id = %(restaurant)s AND change.seq > %(seq)s AND change.table_name <> 'config_versions'
    AND NOT EXISTS (SELECT FROM rowform.notes WHERE notes.seq = change.seq)
GROUP BY last.step, last.activated_at;

-- name: activation_exists
-- Whether an activation was committed. Its time tells it from another that got its number after a crash.
SELECT EXISTS (SELECT FROM rowform.activations WHERE step = %(step)s AND activated_at = %(activated_at)s);

-- name: lock_state
-- Whether a version is locked, and whether it is active.
SELECT coalesce(is_locked, false), coalesce(is_active, false) FROM {app}.config_versions WHERE id = %(id)s;

-- name: set_lock
-- Lock or unlock a version; a trigger writes the audit.
UPDATE {app}.config_versions SET is_locked = %(locked)s WHERE id = %(id)s;

-- name: begin_protection
-- Direct writers lock this table in a weaker mode until they end: wait for them, and let none begin.
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '10s';
LOCK TABLE rowform.database IN EXCLUSIVE MODE;

-- name: protection
-- Since when direct writes are refused, and where settings are managed then.
SELECT protected_at, managed_in FROM rowform.database;

-- name: protect
-- Refuse direct writes; the time of the first refusal stays.
UPDATE rowform.database SET protected_at = coalesce(protected_at, now()), managed_in = %(managed_in)s;

-- name: unprotect
-- Allow direct writes.
UPDATE rowform.database SET protected_at = NULL, managed_in = NULL;
