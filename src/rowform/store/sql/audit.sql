-- Reading the audit trail.

-- name: audit
-- Rows of one restaurant's audit trail, newest first, each with its version. Null lets everything through; keys
-- are the columns that hold the kinds' keys. A row is its version's own if that was made, or
-- activated for the first time, in the same transaction. A rollback is an activation that does not replace the
-- one before it.
SELECT change.seq, change.changed_at, version.id::text, version.version_number, version.name,
       coalesce(version.source, '{{}}'),
       coalesce(change.changed_at = birth.made_at
                OR birth.made_at > '-infinity' AND change.changed_at = (
                    SELECT min(activated_at) FROM rowform.activations AS step WHERE step.version_id = version.id),
                false),
       change.changed_by::text, change.table_name, change.operation,
       change.old_data::text, change.new_data::text, change.reason,
       change.table_name = 'config_versions' AND EXISTS (
           SELECT FROM rowform.activations AS step
           WHERE step.version_id = change.version_id AND step.activated_at = change.changed_at
             AND step.replaced IS DISTINCT FROM (
                 SELECT max(earlier.step) FROM rowform.activations AS earlier
                 WHERE earlier.restaurant_id = step.restaurant_id AND earlier.step < step.step)),
       note.seq IS NOT NULL
FROM {app}.config_changes AS change
LEFT JOIN {app}.config_versions AS version ON version.id = change.version_id
LEFT JOIN rowform.version_births AS birth ON birth.version_id = change.version_id
LEFT JOIN rowform.notes AS note ON note.seq = change.seq
WHERE change.restaurant_id = %(restaurant)s
  AND (%(kind)s::text IS NULL OR change.table_name = %(kind)s)
  AND (%(version)s::integer IS NULL OR change.version_id = (
      SELECT id FROM {app}.config_versions
      WHERE restaurant_id = %(restaurant)s AND version_number = %(version)s))
  AND (%(before)s::bigint IS NULL OR change.seq < %(before)s)
  AND (%(notes)s OR note.seq IS NULL)
  AND (%(ids)s::text[] IS NULL
       OR change.new_data ->> 'id' = ANY (%(ids)s) OR change.old_data ->> 'id' = ANY (%(ids)s)
       OR change.new_data ->> (%(keys)s::jsonb ->> change.table_name) = %(key)s
       OR change.old_data ->> (%(keys)s::jsonb ->> change.table_name) = %(key)s)
ORDER BY change.seq DESC
LIMIT %(limit)s;

-- name: key_holders
-- Who has had a key, of one kind: the setting that has it in the active version, with what it says there; and if
-- none has, the one that had it last.
SELECT held.entity_id::text, held.is_live, held.image::text
FROM (
    SELECT stored.entity_id, stored.since_version,
           coalesce(stored.since_version <= active.version_number
                    AND (stored.until_version IS NULL OR stored.until_version > active.version_number), false)
               AS is_live,
           rowform.shown(to_jsonb(stored)) AS image
    FROM {table} AS stored
    LEFT JOIN {app}.config_versions AS active ON active.restaurant_id = stored.restaurant_id AND active.is_active
    WHERE stored.restaurant_id = %(restaurant)s AND stored.{key} = %(key)s
) AS held
ORDER BY held.is_live DESC, held.since_version DESC
LIMIT 1;
