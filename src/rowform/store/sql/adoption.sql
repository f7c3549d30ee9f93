-- Questions about an application's own tables, and the statements that take them over.

-- name: adoption_tables
-- All about the application's tables that decides whether, and how, they can be taken over.
SELECT json_build_object(
    'name', class.relname,
    'sort', class.relkind,
    'owner', pg_get_userbyid(class.relowner),
    'is_owned', pg_has_role(class.relowner, 'USAGE'),
    'is_inherited', class.relispartition
        OR EXISTS (SELECT FROM pg_inherits WHERE class.oid IN (inhrelid, inhparent)),
    'has_row_security', class.relrowsecurity,
    'is_forced', class.relforcerowsecurity
        AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
    'columns', (
        SELECT coalesce(json_agg(json_build_object(
            'name', attname,
            'type', format_type(atttypid, NULL),
            'is_required', attnotnull,
            'has_default', atthasdef,
            'is_computed', attgenerated <> '',
            'is_identity', attidentity <> '',
            'has_privileges', attacl IS NOT NULL
        ) ORDER BY attnum), '[]')
        FROM pg_attribute WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
    ),
    'unique_indexes', (
        SELECT coalesce(json_agg(json_build_object(
            'name', name.relname,
            'constraint', (SELECT conname FROM pg_constraint
                           WHERE conindid = indexrelid AND conrelid = class.oid AND contype IN ('p', 'u', 'x')),
            'is_primary', indisprimary,
            'is_plain', indisunique AND indpred IS NULL AND indexprs IS NULL AND indimmediate,
            'columns', ARRAY(
                SELECT attname FROM unnest(indkey[0:indnkeyatts - 1]) AS key (number)
                JOIN pg_attribute ON attrelid = class.oid AND attnum = key.number
            )
        ) ORDER BY name.relname), '[]')
        FROM pg_index JOIN pg_class AS name ON name.oid = indexrelid
        WHERE indrelid = class.oid AND (indisunique OR indisexclusion)
    ),
    'indexes', ARRAY(SELECT name.relname FROM pg_index JOIN pg_class AS name ON name.oid = indexrelid
                     WHERE indrelid = class.oid),
    'triggers', (
        SELECT coalesce(json_agg(json_build_object('name', tgname, 'mode', tgenabled) ORDER BY tgname), '[]')
        FROM pg_trigger WHERE tgrelid = class.oid AND NOT tgisinternal AND tgenabled <> 'D'
    ),
    'pathless_functions', (
        SELECT coalesce(json_object_agg(function.oid::regprocedure::text, pg_has_role(proowner, 'USAGE')), '{{}}')
        FROM pg_proc AS function
        WHERE prolang NOT IN (SELECT oid FROM pg_language WHERE NOT lanispl AND lanname <> 'sql')
          AND NOT EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search\_path=%%')
          AND function.oid IN (SELECT tgfoid FROM pg_trigger
                               WHERE tgrelid = class.oid AND NOT tgisinternal AND tgenabled <> 'D')
    ),
    'own_foreign_keys', ARRAY(
        SELECT conname FROM pg_constraint
        WHERE conrelid = class.oid AND contype = 'f'
          AND confrelid IN (to_regclass(format('%%I.restaurants', namespace.nspname)),
                            to_regclass(format('%%I.config_versions', namespace.nspname)))
          AND (SELECT array_agg(attname::text) FROM pg_attribute
               WHERE attrelid = conrelid AND attnum = ANY (conkey)) <@ ARRAY['restaurant_id', 'version_id']
        ORDER BY conname
    ),
    'publications', ARRAY(
        SELECT DISTINCT pubname FROM pg_publication_tables
        WHERE schemaname = namespace.nspname AND tablename = class.relname ORDER BY 1
    )
)
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = %(schema)s AND class.relname = ANY (%(names)s) AND class.relkind <> 'i';

-- name: lock_tables
-- From here on nobody reads or writes what is taken over.
LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE;

-- name: check_at_once
-- No check is left for COMMIT: a table with one pending cannot be altered.
SET CONSTRAINTS ALL IMMEDIATE;

-- name: disable_trigger
-- The application's trigger is for the application's writes.
ALTER TABLE {table} DISABLE TRIGGER {trigger};

-- name: enable_trigger
-- As it was: {mode} is empty, REPLICA or ALWAYS.
ALTER TABLE {table} ENABLE {mode} TRIGGER {trigger};

-- name: give_path
-- A trigger's function takes over the search_path of whoever writes, and rowform's functions have none.
ALTER FUNCTION {function} SET search_path = {path};
UPDATE rowform.database SET given_paths = array_append(given_paths, {name});

-- name: add_primary_key
-- A table whose ids are unique, and that does not say so yet.
ALTER TABLE {table} ADD PRIMARY KEY (id);

-- name: drop_constraint
-- A foreign key or a unique constraint that storage cannot have.
ALTER TABLE {table} DROP CONSTRAINT {constraint};

-- name: drop_index
-- A unique index that storage cannot have.
DROP INDEX {index};

-- name: move_table
-- The table with everything on it: indexes, triggers, policies, incoming foreign keys.
ALTER TABLE {table} SET SCHEMA rowform;

-- name: placed_rows
-- Where each old row belongs, or why it belongs nowhere. Of the rows of one key in one version the first
-- fits: active before inactive, then the latest.
SELECT place.*,
       coalesce(fault, CASE WHEN row_number() OVER (
           PARTITION BY fault, version_id, key ORDER BY is_inactive, {latest}, id DESC
       ) > 1 THEN 'double' END) AS reason
FROM (
    SELECT setting.id, setting.version_id, setting.{key} AS key, {inactive} AS is_inactive, {stamps}
           version.restaurant_id, version.version_number, version.next_number,
           coalesce(version.is_active, false) AS is_current,
           CASE
               WHEN num_nulls(setting.restaurant_id, setting.version_id) > 0 THEN 'unplaced'
               WHEN version.id IS NULL THEN 'unknown'
               WHEN version.is_stray THEN 'stray'
               WHEN version.restaurant_id <> setting.restaurant_id THEN 'foreign'
               WHEN setting.{key} IS NULL THEN 'nameless'
               WHEN {refuse_inactive} AND {inactive} THEN 'inactive'
           END AS fault
    FROM {table} AS setting
    LEFT JOIN (
        SELECT one.id, one.restaurant_id, one.version_number, one.is_active,
               restaurant.id IS NULL AS is_stray,
               lead(one.version_number) OVER (
                   PARTITION BY one.restaurant_id ORDER BY one.version_number) AS next_number
        FROM {app}.config_versions AS one
        LEFT JOIN {app}.restaurants AS restaurant ON restaurant.id = one.restaurant_id
    ) AS version ON version.id = setting.version_id
) AS place

-- name: count_rows
-- How many of a kind's rows fit, and which do not.
SELECT reason, count(*), CASE WHEN reason IS NOT NULL THEN array_agg(id::text ORDER BY id) END
FROM ({placed}) AS placed GROUP BY reason;

-- name: expect_fitting
-- Nothing has come meanwhile that would have to be decided upon first.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM ({placed}) AS placed WHERE reason IS NOT NULL) THEN
        RAISE EXCEPTION USING
            MESSAGE = format('there are rows in %s now that do not fit', {name}),
            HINT = 'Run "rowform db upgrade" again: it lists them.';
    END IF;
END
$do$;

-- name: assign_rows
-- Give each old row its range and its identity: that of the active version's row of the same key, else of
-- the newest one. Rows that do not fit are kept in no version.
UPDATE {table} AS setting
SET entity_id = given.entity_id,
    since_version = CASE WHEN given.fits THEN given.version_number END,
    until_version = CASE WHEN given.fits THEN given.next_number ELSE 0 END
FROM (
    SELECT id, version_number, next_number, reason IS NULL AS fits,
           CASE WHEN reason IS NULL THEN first_value(id) OVER (
               PARTITION BY reason, restaurant_id, key ORDER BY is_current DESC, version_number DESC
           ) ELSE id END AS entity_id
    FROM ({placed}) AS placed
) AS given
WHERE given.id = setting.id;

-- name: adopt_access
-- The view gets the owner and the privileges that the table had; storage keeps reading, without which
-- the view could not be read. Reading settings takes three columns of the versions as well.
DO $do$
DECLARE
    stored constant regclass := {table_name};
    shown constant regclass := {view_name};
    versions constant regclass := {versions_name};
    owner constant name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = stored);
    entry record;
BEGIN
    IF owner <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = shown) THEN
        EXECUTE format('GRANT USAGE ON SCHEMA rowform TO %I', owner);
        BEGIN
            EXECUTE format('ALTER VIEW %s OWNER TO %I', shown, owner);
        EXCEPTION WHEN insufficient_privilege THEN
            EXECUTE format('GRANT ALL ON %s TO %I WITH GRANT OPTION', shown, owner);
        END;
    END IF;
    FOR entry IN
        SELECT acl.privilege_type, acl.is_grantable,
               CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS role,
               CASE WHEN acl.grantee = 0 THEN 'public' ELSE pg_get_userbyid(acl.grantee) END AS role_name
        FROM pg_class AS class, aclexplode(class.relacl) AS acl
        WHERE class.oid = stored AND acl.grantee <> class.relowner
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', entry.privilege_type, shown, entry.role,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' END);
        EXECUTE format('REVOKE ALL ON %s FROM %s CASCADE', stored, entry.role);
        IF has_table_privilege(entry.role_name, shown, 'SELECT') THEN
            EXECUTE format('GRANT SELECT ON %s TO %s', stored, entry.role);
        END IF;
    END LOOP;
    FOR entry IN
        SELECT DISTINCT
               CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS role,
               CASE WHEN acl.grantee = 0 THEN 'public' ELSE pg_get_userbyid(acl.grantee) END AS role_name
        FROM pg_class AS class, aclexplode(coalesce(class.relacl, acldefault('r', class.relowner))) AS acl
        WHERE class.oid = shown AND acl.privilege_type = 'SELECT'
    LOOP
        IF NOT (has_column_privilege(entry.role_name, versions, 'id', 'SELECT')
                AND has_column_privilege(entry.role_name, versions, 'restaurant_id', 'SELECT')
                AND has_column_privilege(entry.role_name, versions, 'version_number', 'SELECT')) THEN
            EXECUTE format('GRANT SELECT (id, restaurant_id, version_number) ON %s TO %s', versions, entry.role);
        END IF;
    END LOOP;
END
$do$;

-- name: describe_view
-- Comments are shown by interfaces that show the view.
DO $do$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT CASE WHEN objsubid = 0 THEN format('VIEW %s', {view_name}::regclass)
                    ELSE format('COLUMN %s.%I', {view_name}::regclass, attname) END AS place,
               description
        FROM pg_description
        LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
        WHERE objoid = {table_name}::regclass AND classoid = 'pg_class'::regclass
    LOOP
        EXECUTE format('COMMENT ON %s IS %L', entry.place, entry.description);
    END LOOP;
END
$do$;

-- name: close_made
-- Default privileges are meant for the application's tables: nobody has any on what was made just now.
DO $do$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT DISTINCT
               format('%s %s', CASE class.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, class.oid::regclass) AS place,
               CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS role
        FROM pg_class AS class, aclexplode(class.relacl) AS acl
        WHERE class.oid IN ({made}) AND acl.grantee <> class.relowner
        UNION ALL
        -- Functions that PUBLIC may call are meant to be; all others are nobody's.
        SELECT DISTINCT format('FUNCTION %s', function.oid::regprocedure), quote_ident(pg_get_userbyid(acl.grantee))
        FROM pg_proc AS function, aclexplode(function.proacl) AS acl
        WHERE function.oid IN ({functions}) AND acl.grantee NOT IN (0, function.proowner)
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', entry.place, entry.role);
    END LOOP;
END
$do$;

-- name: all_relations
-- The tables, views and sequences of rowform's own.
SELECT oid FROM pg_class WHERE relnamespace = 'rowform'::regnamespace
UNION ALL SELECT to_regclass(name) FROM unnest({made}::text[]) AS name

-- name: these_relations
-- Relations by name.
SELECT to_regclass(name) FROM unnest({made}::text[]) AS name

-- name: all_functions
-- The functions of rowform's own.
SELECT oid FROM pg_proc WHERE pronamespace = 'rowform'::regnamespace

-- name: this_function
-- A function without arguments by name.
SELECT to_regprocedure({function})

-- name: surplus_active
-- Active versions besides the one that was created last.
SELECT id FROM (
    SELECT id, row_number() OVER (
        PARTITION BY restaurant_id ORDER BY {latest} version_number DESC) AS place
    FROM {app}.config_versions WHERE is_active AND restaurant_id IS NOT NULL
) AS version WHERE place > 1

-- name: deactivate_surplus
-- One version of a restaurant is active.
UPDATE {app}.config_versions SET is_active = false WHERE id IN ({surplus});

-- name: versions_of_nobody
-- Versions without a restaurant.
SELECT id FROM {app}.config_versions WHERE restaurant_id IS NULL

-- name: versions_of_strangers
-- Versions of restaurants that do not exist.
SELECT id FROM {app}.config_versions AS version
WHERE restaurant_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM {app}.restaurants WHERE restaurants.id = version.restaurant_id)

-- name: release_versions
-- Versions of restaurants that do not exist stay, as nobody's.
UPDATE {app}.config_versions
SET restaurant_id = NULL,
    description = concat_ws(' ', description, format('(of the restaurant %s, which does not exist)', restaurant_id))
WHERE id IN ({strangers});

-- name: double_numbers
-- Versions of a restaurant with the same number, or with none.
SELECT id FROM (
    SELECT id, restaurant_id, version_number, count(*) OVER (PARTITION BY restaurant_id, version_number) AS number
    FROM {app}.config_versions
) AS version WHERE version_number IS NULL OR number > 1 AND restaurant_id IS NOT NULL

-- name: double_ids
-- Ids that are missing or not unique.
SELECT id FROM {table} GROUP BY id HAVING count(*) > 1 OR id IS NULL

-- name: long_keys
-- Rows whose key is too long for an index.
SELECT id FROM {table} WHERE octet_length({key}) > 2500

-- name: as_list
-- The ids that a question finds.
SELECT array_agg(coalesce(id::text, 'null') ORDER BY id) FROM ({question}) AS found;

-- name: adoption_dependents
-- What of the application's refers to tables that are taken over, and would go along into storage. A
-- definition with it is made again and then means the view; all else (is_fixed) cannot be.
WITH taken AS (
    SELECT class.oid, class.relname AS kind, class.reltype, type.typarray, class.relrowsecurity
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_type AS type ON type.oid = class.reltype
    WHERE namespace.nspname = %(schema)s AND class.relname = ANY (%(names)s) AND class.relkind = 'r'
), reference AS (
    SELECT DISTINCT taken.oid, taken.kind, taken.relrowsecurity, depend.classid, depend.objid,
           depend.refclassid = 'pg_class'::regclass AS is_to_table
    FROM taken
    LEFT JOIN pg_constraint AS own ON own.conrelid = taken.oid
    JOIN pg_depend AS depend ON (depend.refclassid, depend.refobjid) IN (
        ('pg_class'::regclass, taken.oid), ('pg_type'::regclass, taken.reltype),
        ('pg_type'::regclass, taken.typarray), ('pg_constraint'::regclass, own.oid))
    WHERE depend.deptype = 'n'
)
SELECT reference.kind, 'view' AS sort, view.oid::regclass::text AS name,
       format(E'CREATE OR REPLACE VIEW %%s%%s AS\n%%s', view.oid::regclass,
              ' WITH (' || array_to_string(view.reloptions, ', ') || ')',
              rtrim(pg_get_viewdef(view.oid), ';')) AS definition,
       pg_has_role(view.relowner, 'USAGE') AS is_owned,
       NOT is_to_table AS is_fixed,
       ARRAY(
           SELECT DISTINCT CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(acl.grantee) END
           FROM aclexplode(view.relacl) AS acl
           WHERE acl.grantee <> view.relowner AND acl.privilege_type = 'SELECT'
             AND NOT coalesce('security_invoker=true' = ANY (view.reloptions), false)
             AND (reference.relrowsecurity OR NOT has_table_privilege(
                 CASE WHEN acl.grantee = 0 THEN 'public' ELSE pg_get_userbyid(acl.grantee) END,
                 reference.oid, 'SELECT'))
           ORDER BY 1
       ) AS strangers
FROM reference
JOIN pg_rewrite AS rule ON reference.classid = 'pg_rewrite'::regclass AND rule.oid = reference.objid
JOIN pg_class AS view ON view.oid = rule.ev_class AND view.relkind = 'v' AND rule.rulename = '_RETURN'
UNION ALL
SELECT reference.kind, 'function', function.oid::regprocedure::text, pg_get_functiondef(function.oid),
       pg_has_role(function.proowner, 'USAGE'), NOT is_to_table, '{{}}'
FROM reference
JOIN pg_proc AS function ON reference.classid = 'pg_proc'::regclass AND function.oid = reference.objid
WHERE function.prokind IN ('f', 'p', 'w')
UNION ALL
SELECT reference.kind, 'thing', pg_describe_object(reference.classid, reference.objid, 0), NULL, true, true, '{{}}'
FROM reference
WHERE NOT CASE reference.classid
    WHEN 'pg_proc'::regclass THEN
        EXISTS (SELECT FROM pg_proc WHERE pg_proc.oid = reference.objid AND prokind IN ('f', 'p', 'w'))
    WHEN 'pg_rewrite'::regclass THEN EXISTS (
        SELECT FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
        WHERE pg_rewrite.oid = reference.objid AND relkind = 'v' AND rulename = '_RETURN')
    WHEN 'pg_policy'::regclass THEN EXISTS (
        SELECT FROM pg_policy WHERE pg_policy.oid = reference.objid AND polrelid = reference.oid)
    WHEN 'pg_constraint'::regclass THEN EXISTS (
        SELECT FROM pg_constraint
        WHERE pg_constraint.oid = reference.objid AND (contype = 'f' OR conrelid = reference.oid))
    WHEN 'pg_trigger'::regclass THEN EXISTS (
        SELECT FROM pg_trigger WHERE pg_trigger.oid = reference.objid AND (tgrelid = reference.oid OR tgisinternal))
    WHEN 'pg_attrdef'::regclass THEN EXISTS (
        SELECT FROM pg_attrdef WHERE pg_attrdef.oid = reference.objid AND adrelid = reference.oid)
    ELSE reference.classid = 'pg_publication_rel'::regclass
        OR reference.classid = 'pg_class'::regclass AND is_to_table
END
ORDER BY 2, 3, 1;

-- name: reload_interfaces
-- PostgREST keeps a picture of the tables; nobody else listens.
NOTIFY pgrst, 'reload schema';
