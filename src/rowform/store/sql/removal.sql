-- Statements that take rowform out again, or one restaurant. Those that return text return statements.

-- name: is_installed
-- Whether rowform is in this database.
SELECT to_regclass('rowform.migrations') IS NOT NULL;

-- name: not_ours
-- Tables, views and the schema that this role may not change, with their owners.
SELECT format('%I.%I', namespace.nspname, class.relname), pg_get_userbyid(class.relowner)
FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p', 'v')
  AND (class.relnamespace = 'rowform'::regnamespace
       OR class.oid IN ({restaurants}::regclass, {versions}::regclass, {changes}::regclass)
       OR class.oid IN (SELECT to_regclass(format('%I.%I', {schema}::text, name)) FROM rowform.kinds))
  AND NOT pg_has_role(class.relowner, 'USAGE')
UNION ALL
SELECT format('the schema %I', nspname), pg_get_userbyid(nspowner)
FROM pg_namespace WHERE nspname = 'rowform' AND NOT pg_has_role(nspowner, 'USAGE')
ORDER BY 1;

-- name: removal_outlook
-- How much there is, and how much of it rowform alone can read.
SELECT (SELECT count(*) FROM {app}.restaurants),
       count(*),
       count(*) FILTER (WHERE is_active IS NOT TRUE AND NOT EXISTS (
           SELECT FROM rowform.drafts WHERE version_id = version.id)),
       count(*) FILTER (WHERE EXISTS (SELECT FROM rowform.drafts WHERE version_id = version.id)),
       (SELECT count(*) FROM {app}.config_changes)
FROM {app}.config_versions AS version;

-- name: removal_kinds
-- Every kind, whoever declared it: its columns but for ids and range, those of them that an UPDATE may
-- set, whether it has is_active, and whether its view is there.
SELECT kind.name,
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = stored.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
               AND attname <> ALL ({apart}) ORDER BY attnum),
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = stored.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
               AND attidentity <> 'a' AND attname <> ALL ({apart}) ORDER BY attnum),
       EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = stored.oid AND attname = 'is_active' AND atttypid = 'boolean'::regtype
                 AND NOT attisdropped),
       EXISTS (SELECT FROM pg_class
               WHERE oid = to_regclass(format('%I.%I', {schema}::text, kind.name)) AND relkind = 'v')
FROM rowform.kinds AS kind
JOIN pg_class AS stored ON stored.oid = to_regclass(format('rowform.%I', kind.name))
ORDER BY kind.added_at, kind.name;

-- name: strangers
-- What others have put into rowform's schema.
SELECT pg_describe_object('pg_class'::regclass, class.oid, 0)
FROM pg_class AS class
WHERE class.relnamespace = 'rowform'::regnamespace
  AND class.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND class.relname <> ALL ({known})
  AND class.relname NOT IN (SELECT name FROM rowform.kinds)
UNION ALL
SELECT pg_describe_object('pg_proc'::regclass, routine.oid, 0)
FROM pg_proc AS routine
WHERE routine.pronamespace = 'rowform'::regnamespace
  AND routine.proname <> ALL ({known})
  AND NOT EXISTS (SELECT FROM rowform.kinds WHERE right(routine.proname, length(name) + 1) = '_' || name)
ORDER BY 1;

-- name: dependents
-- What depends on something that goes: what it is, and the statement that makes it depend on the tables
-- instead; null where there is none. Views and functions are written anew, all else would be lost.
WITH kind_view AS (
    SELECT to_regclass(format('%I.%I', {schema}::text, name))::oid AS oid FROM rowform.kinds
), own_class AS (
    SELECT oid FROM kind_view
    UNION ALL
    SELECT oid FROM pg_class
    WHERE relnamespace = 'rowform'::regnamespace AND relkind IN ('r', 'p', 'v', 'c')
      AND relname NOT IN (SELECT name FROM rowform.kinds)
), own_type AS (
    SELECT oid, typarray FROM pg_type WHERE typrelid IN (SELECT oid FROM own_class)
), ours AS (
    SELECT 'pg_class'::regclass AS class, oid, 0 AS part FROM own_class
    UNION ALL
    SELECT 'pg_type'::regclass, oid, 0 FROM own_type
    UNION ALL
    SELECT 'pg_type'::regclass, typarray, 0 FROM own_type
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, 0 FROM pg_proc WHERE pronamespace = 'rowform'::regnamespace
    UNION ALL
    SELECT 'pg_class'::regclass, attrelid, attnum FROM pg_attribute
    WHERE (attrelid = {versions}::regclass AND attname IN ('base_version_id', 'source')
           OR attrelid = {changes}::regclass AND attname IN ('restaurant_id', 'seq')
           OR attrelid IN (SELECT to_regclass(format('rowform.%I', name)) FROM rowform.kinds)
              AND attname = ANY ({range}))
      AND NOT attisdropped
    UNION ALL
    SELECT 'pg_class'::regclass, conindid, 0 FROM pg_constraint
    WHERE conrelid = {versions}::regclass AND contype IN ('u', 'x')
      AND (conname = 'config_versions_one_active' OR pg_get_constraintdef(oid) IN (
          'UNIQUE (restaurant_id, id)', 'UNIQUE (restaurant_id, id, version_number)'))
), found AS (
    SELECT link.classid, link.objid, link.objsubid, ours.class AS on_class, ours.oid AS on_oid,
           coalesce(rule.ev_class, key.conrelid, standard.adrelid, policy.polrelid,
                    CASE WHEN link.classid = 'pg_class'::regclass THEN link.objid END) AS relation
    FROM ours
    JOIN pg_depend AS link ON link.refclassid = ours.class AND link.refobjid = ours.oid
        AND ours.part IN (0, link.refobjsubid) AND link.deptype = 'n'
    LEFT JOIN pg_rewrite AS rule ON link.classid = 'pg_rewrite'::regclass AND rule.oid = link.objid
    LEFT JOIN pg_constraint AS key ON link.classid = 'pg_constraint'::regclass AND key.oid = link.objid
    LEFT JOIN pg_attrdef AS standard ON link.classid = 'pg_attrdef'::regclass AND standard.oid = link.objid
    LEFT JOIN pg_policy AS policy ON link.classid = 'pg_policy'::regclass AND policy.oid = link.objid
    WHERE (link.classid, link.objid) NOT IN (SELECT class, oid FROM ours WHERE part = 0)
      -- A trigger of a function of ours is ours.
      AND link.classid <> 'pg_trigger'::regclass
      AND NOT (policy.polname IS NOT NULL AND {our_policy})
), foreigner AS (
    SELECT found.*, class.relkind, rule.ev_type,
           bool_and(found.on_oid IN (SELECT oid FROM kind_view)) OVER whole AS is_of_views_alone
    FROM found
    LEFT JOIN pg_class AS class ON class.oid = found.relation
    LEFT JOIN pg_rewrite AS rule ON found.classid = 'pg_rewrite'::regclass AND rule.oid = found.objid
    WHERE found.relation IS NULL
       OR found.classid = 'pg_policy'::regclass
       OR found.relation NOT IN (SELECT oid FROM own_class)
          AND class.relnamespace <> 'rowform'::regnamespace
          AND NOT (found.classid = 'pg_constraint'::regclass
                   AND found.relation IN ({versions}::regclass, {changes}::regclass))
    WINDOW whole AS (PARTITION BY found.classid, found.objid)
)
SELECT DISTINCT
    CASE WHEN foreigner.ev_type = '1' THEN pg_describe_object('pg_class'::regclass, relation, 0)
         ELSE pg_describe_object(classid, objid, 0) END,
    CASE
        WHEN is_of_views_alone AND foreigner.ev_type = '1' AND foreigner.relkind = 'v' THEN (
            SELECT format('CREATE OR REPLACE VIEW %s %s AS %s', oid::regclass,
                          'WITH (' || array_to_string(reloptions, ', ') || ')',
                          rtrim(pg_get_viewdef(oid), ';'))
            FROM pg_class WHERE oid = relation)
        WHEN is_of_views_alone AND classid = 'pg_proc'::regclass AND EXISTS (
            SELECT FROM pg_proc WHERE oid = objid AND prosqlbody IS NOT NULL)
            THEN rtrim(pg_get_functiondef(objid), E'\n')
    END
FROM foreigner
UNION ALL
SELECT pg_describe_object('pg_trigger'::regclass, trigger.oid, 0), NULL
FROM pg_trigger AS trigger JOIN pg_proc AS routine ON routine.oid = trigger.tgfoid
WHERE trigger.tgrelid IN (SELECT oid FROM kind_view) AND NOT trigger.tgisinternal
  AND routine.pronamespace <> 'rowform'::regnamespace
UNION ALL
SELECT pg_describe_object('pg_rewrite'::regclass, rule.oid, 0), NULL
FROM pg_rewrite AS rule
WHERE rule.ev_class IN (SELECT oid FROM kind_view) AND rule.ev_type <> '1'
ORDER BY 1;

-- name: removal_triggers
-- Ours are those whose function is ours. The views' go with the views.
SELECT format('DROP TRIGGER %I ON %s', trigger.tgname, trigger.tgrelid::regclass)
FROM pg_trigger AS trigger
JOIN pg_proc AS routine ON routine.oid = trigger.tgfoid
JOIN pg_class AS class ON class.oid = trigger.tgrelid
WHERE routine.pronamespace = 'rowform'::regnamespace AND NOT trigger.tgisinternal AND class.relkind <> 'v'
ORDER BY class.relname, trigger.tgname;

-- name: our_policy
-- What tells a policy of ours.
policy.polname IN ('rowform_tenancy', 'rowform_access', 'rowform_reading');

-- name: removal_policies
-- Our policies, and row level security itself where we began it: there one of ours is permissive.
SELECT format('DROP POLICY %I ON %s', policy.polname, policy.polrelid::regclass) FROM pg_policy AS policy
WHERE {our_policy}
UNION ALL
SELECT DISTINCT format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', policy.polrelid::regclass)
FROM pg_policy AS policy
WHERE {our_policy} AND policy.polpermissive;

-- name: removal_indexes
-- The indexes that make a table storage.
SELECT format('DROP INDEX %s', indexrelid::regclass)
FROM rowform.kinds AS kind
JOIN pg_index ON indrelid = to_regclass(format('rowform.%I', kind.name))
JOIN pg_class AS class ON class.oid = indexrelid
WHERE class.relname = kind.name || '_version'
   OR EXISTS (
       SELECT FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
       WHERE classid = 'pg_class'::regclass AND objid = indexrelid AND refobjid = indrelid
         AND attname = ANY ({range}))
ORDER BY class.relname;

-- name: move_back
-- The table takes the place of its view, which others may still be looking through.
ALTER VIEW {view} RENAME TO {aside};
ALTER TABLE {table} SET SCHEMA {app};

-- name: drop_views
-- Nobody looks through them any more.
DROP VIEW {views};

-- name: removal_privileges
-- Who may do what with a kind's view may do that with its table, and nobody anything else.
SELECT kind.name, statement
FROM rowform.kinds AS kind
JOIN pg_class AS stored ON stored.oid = to_regclass(format('rowform.%I', kind.name))
JOIN pg_class AS shown ON shown.oid = to_regclass(format('%I.%I', {schema}::text, kind.name))
CROSS JOIN LATERAL (
    SELECT 1 AS turn, format('REVOKE ALL ON %I.%I FROM %s CASCADE', {schema}::text, kind.name, {grantee}) AS statement
    FROM aclexplode(stored.relacl) AS entry WHERE entry.grantee <> stored.relowner
    UNION
    SELECT 2, format('GRANT %s ON %I.%I TO %s%s', entry.privilege_type, {schema}::text, kind.name, {grantee},
                     CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM aclexplode(shown.relacl) AS entry WHERE entry.grantee NOT IN (stored.relowner, shown.relowner)
    UNION
    SELECT 2, format('GRANT %s (%I) ON %I.%I TO %s%s', entry.privilege_type, attname, {schema}::text, kind.name,
                     {grantee}, CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM pg_attribute, aclexplode(attacl) AS entry
    WHERE attrelid = shown.oid AND attnum > 0 AND NOT attisdropped
      AND entry.grantee NOT IN (stored.relowner, shown.relowner)
) AS given
ORDER BY kind.added_at, kind.name, turn, statement;

-- name: grantee
-- A grantee as GRANT wants it.
CASE WHEN entry.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(entry.grantee)) END;

-- name: removal_reading
-- Readers of a view that could not read the versions were given just what the view needs of them.
SELECT format('REVOKE SELECT (id, restaurant_id, version_number) ON %s FROM %s', {versions}::regclass, {grantee})
FROM pg_attribute, aclexplode(attacl) AS entry
WHERE attrelid = {versions}::regclass AND entry.privilege_type = 'SELECT'
GROUP BY entry.grantee
HAVING array_agg(attname::text ORDER BY attname) = '{{id,restaurant_id,version_number}}';

-- name: removal_paused
-- The application's triggers on a kind's table, which are for its own writes; and their mode.
SELECT trigger.tgname::text,
       CASE trigger.tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END
FROM pg_trigger AS trigger JOIN pg_proc AS routine ON routine.oid = trigger.tgfoid
WHERE trigger.tgrelid = {table_name}::regclass AND NOT trigger.tgisinternal AND trigger.tgenabled <> 'D'
  AND routine.pronamespace <> 'rowform'::regnamespace
ORDER BY 1;

-- name: removal_references
-- Conditions that nothing refers to a row of a kind's table.
SELECT format('NOT EXISTS (SELECT FROM %s AS referrer WHERE %s)',
              CASE WHEN class.relnamespace = 'rowform'::regnamespace
                   THEN format('%I.%I', {schema}::text, class.relname) ELSE class.oid::regclass::text END,
              (SELECT string_agg(format('referrer.%I = stored.%I', near.attname, far.attname), ' AND ')
               FROM unnest(key.conkey, key.confkey) AS pair (near_number, far_number)
               JOIN pg_attribute AS near ON near.attrelid = key.conrelid AND near.attnum = near_number
               JOIN pg_attribute AS far ON far.attrelid = key.confrelid AND far.attnum = far_number))
FROM pg_constraint AS key JOIN pg_class AS class ON class.oid = key.conrelid
WHERE key.confrelid = {table_name}::regclass AND key.contype = 'f' AND key.conparentid = 0
ORDER BY 1;

-- name: is_dangling
-- Whether a column names what is not there: rows in no version may.
SELECT EXISTS (
    SELECT FROM {table} AS stored
    WHERE stored.{column} IS NOT NULL
      AND NOT EXISTS (SELECT FROM {target} AS target WHERE target.id = stored.{column})
);

-- name: plain_rows
-- The active versions' settings as plain rows. A setting's id is its identity; where two restaurants have
-- the same one, the first one's.
CREATE TABLE rowform."plain rows" AS
    SELECT CASE WHEN row_number() OVER (
               PARTITION BY setting.entity_id
               ORDER BY setting.id = setting.entity_id DESC, home.restaurant_id = setting.restaurant_id DESC NULLS LAST,
                        setting.created_at, setting.id
           ) = 1 THEN setting.entity_id ELSE setting.id END AS plain_id,
           version.id AS plain_version_id,
           setting.*
    FROM {app}.config_versions AS version
    JOIN {table} AS setting ON setting.restaurant_id = version.restaurant_id
        AND setting.since_version <= version.version_number
        AND (setting.until_version IS NULL OR setting.until_version > version.version_number)
    LEFT JOIN {table} AS home ON home.id = setting.entity_id
    WHERE version.is_active;

-- name: drop_past
-- All other rows of versions, but for those that something refers to, and those that become a plain row.
DELETE FROM {table} AS stored
WHERE stored.since_version IS NOT NULL
  AND NOT EXISTS (SELECT FROM rowform."plain rows" AS plain WHERE plain.plain_id = stored.id)
  AND {unreferenced};

-- name: retire_rows
-- What stays and is no setting of an active version must not look like one.
UPDATE {table} AS stored SET is_active = false
WHERE stored.is_active
  AND NOT EXISTS (SELECT FROM rowform."plain rows" AS plain WHERE plain.plain_id = stored.id)
  AND (stored.since_version IS NOT NULL OR EXISTS (
      SELECT FROM {app}.config_versions AS version WHERE version.id = stored.version_id AND version.is_active));

-- name: unplace_rows
-- The same for a kind that has no is_active.
UPDATE {table} AS stored SET version_id = NULL
WHERE NOT EXISTS (SELECT FROM rowform."plain rows" AS plain WHERE plain.plain_id = stored.id)
  AND EXISTS (
      SELECT FROM {app}.config_versions AS version WHERE version.id = stored.version_id AND version.is_active);

-- name: drop_range
-- Constraints over these columns go with them.
ALTER TABLE {table} DROP COLUMN entity_id, DROP COLUMN since_version, DROP COLUMN until_version;

-- name: place_rows
-- Under the id that others know, and in the active version; the rest of the table's columns follow.
UPDATE {table} AS stored
SET restaurant_id = plain.restaurant_id, version_id = plain.plain_version_id, {assignments}
FROM rowform."plain rows" AS plain
WHERE plain.plain_id = stored.id;
INSERT INTO {table} (id, restaurant_id, version_id, {columns}) OVERRIDING SYSTEM VALUE
SELECT plain.plain_id, plain.restaurant_id, plain.plain_version_id, {plain_columns}
FROM rowform."plain rows" AS plain
WHERE NOT EXISTS (SELECT FROM {table} AS stored WHERE stored.id = plain.plain_id);
DROP TABLE rowform."plain rows";

-- name: add_foreign_key
-- As the application's own tables have them; {rest} is ON DELETE and NOT VALID.
ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {target} (id){rest};

-- name: removal_routines
-- All at once, because they need one another.
SELECT 'DROP ROUTINE ' || string_agg(oid::regprocedure::text, ', ' ORDER BY oid::regprocedure::text)
FROM pg_proc WHERE pronamespace = 'rowform'::regnamespace HAVING count(*) > 0;

-- name: removal_books
-- Views first, then the tables, then what is left.
SELECT format('DROP %s %s', sort, string_agg(name, ', ' ORDER BY name))
FROM (
    SELECT class.oid::regclass::text AS name,
           CASE class.relkind WHEN 'v' THEN 'VIEW' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS sort,
           CASE class.relkind WHEN 'v' THEN 1 WHEN 'c' THEN 3 ELSE 2 END AS turn
    FROM pg_class AS class
    WHERE class.relnamespace = 'rowform'::regnamespace AND class.relkind IN ('r', 'p', 'v', 'c')
      AND class.relname NOT IN (SELECT name FROM rowform.kinds)
) AS book
GROUP BY sort, turn ORDER BY turn;

-- name: removal_paths
-- The application's functions that were given a search_path have none again.
SELECT format('ALTER FUNCTION %s RESET search_path', name)
FROM rowform.database, unnest(given_paths) AS name
WHERE to_regprocedure(name) IS NOT NULL;

-- name: plain_columns
-- What rowform added to the application's two tables.
ALTER TABLE {app}.config_versions DROP COLUMN base_version_id, DROP COLUMN source, ALTER COLUMN name DROP NOT NULL;
ALTER TABLE {app}.config_changes DROP COLUMN restaurant_id, DROP COLUMN seq;
DROP INDEX IF EXISTS {app}.config_changes_by_version;

-- name: removal_constraints
-- Constraints of the versions that are no part of the application's table.
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
FROM pg_constraint
WHERE conrelid = {versions}::regclass
  AND (conname = 'config_versions_one_active'
       OR contype = 'f' AND pg_get_constraintdef(oid) LIKE 'FOREIGN KEY (restaurant_id) REFERENCES %'
       OR contype = 'u' AND pg_get_constraintdef(oid) IN (
           'UNIQUE (restaurant_id, id)', 'UNIQUE (restaurant_id, id, version_number)'))
ORDER BY contype, conname;

-- name: drop_schema
-- Without CASCADE: should anything be left, nothing is removed.
DROP SCHEMA rowform;

-- name: kind_names
-- All kinds, whoever declared them.
SELECT name FROM rowform.kinds ORDER BY added_at, name;

-- name: restaurant_to_purge
-- One restaurant by its slug, else by its id.
SELECT id::text, slug, name FROM {app}.restaurants
WHERE slug = %(wanted)s OR lower(id::text) = lower(%(wanted)s)
ORDER BY slug = %(wanted)s DESC NULLS LAST LIMIT 1;

-- name: restaurant_names
-- What a mistyped restaurant may have meant.
SELECT coalesce(slug, id::text) FROM {app}.restaurants ORDER BY 1;

-- name: purge_outlook
-- What belongs to one restaurant.
SELECT (SELECT count(*) FROM {app}.config_versions WHERE restaurant_id = %(id)s),
       (SELECT count(*) FROM {app}.config_changes AS change WHERE {its_change}),
       (SELECT version_number FROM {app}.config_versions WHERE restaurant_id = %(id)s AND is_active),
       (SELECT is_locked FROM {app}.config_versions WHERE restaurant_id = %(id)s AND is_active);

-- name: purge_count
-- Stored rows of one kind that belong to one restaurant.
SELECT count(*) FROM {table} AS setting WHERE {its_setting};

-- name: purge_cascades
-- The application's tables whose rows go along, as their foreign keys say.
SELECT DISTINCT format('%I.%I', namespace.nspname, class.relname)
FROM pg_constraint AS key
JOIN pg_class AS class ON class.oid = key.conrelid
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE key.contype = 'f' AND key.confdeltype = 'c'
  AND key.confrelid IN (
      SELECT {restaurants}::regclass UNION ALL SELECT {versions}::regclass
      UNION ALL SELECT to_regclass(format('rowform.%I', name)) FROM rowform.kinds)
  AND namespace.nspname <> 'rowform'
ORDER BY 1;

-- name: its_setting
-- Rows in no version may name a restaurant, or only a version.
setting.restaurant_id = %(id)s
OR setting.restaurant_id IS NULL AND setting.version_id IN (
    SELECT id FROM {app}.config_versions WHERE restaurant_id = %(id)s);

-- name: its_change
-- So may audit rows that are older than rowform.
change.restaurant_id = %(id)s
OR change.restaurant_id IS NULL AND change.version_id IN (
    SELECT id FROM {app}.config_versions WHERE restaurant_id = %(id)s);

-- name: begin_purge
-- Every writer locks the restaurant's row first. Readers are let through. The path stays the role's own:
-- the application's triggers may need it.
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '10s';
SET LOCAL idle_in_transaction_session_timeout = '30s';
SET LOCAL row_security = off;
LOCK TABLE {app}.restaurants IN EXCLUSIVE MODE;
LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE;
SET CONSTRAINTS ALL IMMEDIATE;

-- name: refusing_triggers
-- Our triggers that a DELETE fires, with the statement that brings each one back as it is.
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', trigger.tgrelid::regclass, trigger.tgname),
       format('ALTER TABLE %s ENABLE %s TRIGGER %I', trigger.tgrelid::regclass,
              CASE trigger.tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END, trigger.tgname)
FROM pg_trigger AS trigger
JOIN pg_proc AS routine ON routine.oid = trigger.tgfoid
JOIN pg_class AS class ON class.oid = trigger.tgrelid
WHERE routine.pronamespace = 'rowform'::regnamespace AND NOT trigger.tgisinternal
  AND trigger.tgtype & 8 <> 0 AND trigger.tgenabled <> 'D' AND class.relkind = 'r'
ORDER BY class.relname, trigger.tgname;

-- name: purge_kind
-- The stored settings of one kind.
DELETE FROM {table} AS setting WHERE {its_setting};

-- name: purge_notes
-- Which audit rows others have written.
DELETE FROM rowform.notes WHERE seq IN (SELECT seq FROM {app}.config_changes AS change WHERE {its_change});

-- name: purge_changes
-- The audit trail.
DELETE FROM {app}.config_changes AS change WHERE {its_change};

-- name: purge_book
-- What rowform notes of a restaurant: its activations, its roles.
DELETE FROM {table} WHERE restaurant_id = %(id)s;

-- name: purge_version_book
-- What rowform notes of every version.
DELETE FROM {table} WHERE version_id IN (SELECT id FROM {app}.config_versions WHERE restaurant_id = %(id)s);

-- name: purge_versions
-- The versions, all at once, because they name one another.
DELETE FROM {app}.config_versions WHERE restaurant_id = %(id)s;

-- name: purge_restaurant
-- And the restaurant itself, unless it has gone meanwhile.
DELETE FROM {app}.restaurants WHERE id = %(id)s;
