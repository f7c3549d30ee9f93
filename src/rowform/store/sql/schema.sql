-- Questions about the schema itself, and the DDL of a kind.

-- name: where_we_are
-- What must be known before any upgrade: the schema that the application uses, and whether ours exists.
-- A role called rowform has our schema on its path.
SELECT
    (SELECT name FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (name, position)
     WHERE name <> 'rowform' ORDER BY position LIMIT 1)::text AS application_schema,
    namespace.oid IS NOT NULL AS schema_exists,
    to_regclass('rowform.migrations') IS NOT NULL AS installed,
    EXISTS (SELECT FROM pg_class WHERE relnamespace = namespace.oid) AS occupied
FROM (VALUES (1)) AS one (row)
LEFT JOIN pg_namespace AS namespace ON namespace.nspname = 'rowform';

-- name: migrations_done
-- The migrations that this database has had, and where the application's tables are.
SELECT
    (SELECT application_schema FROM rowform.database) AS application_schema,
    coalesce(json_object_agg(number::text, checksum) FILTER (WHERE number IS NOT NULL), '{{}}') AS checksums
FROM rowform.migrations;

-- name: relations
-- Columns, in order, of all relations in the two schemas, with their sort (relkind).
SELECT
    namespace.nspname AS schema_name,
    class.relname AS name,
    class.relkind::text AS sort,
    ARRAY(
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum
    ) AS columns
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind <> 'i'
  AND ((namespace.nspname = 'rowform' AND class.relname = ANY (%(kinds)s))
       OR (namespace.nspname = %(application_schema)s AND class.relname = ANY (%(names)s)));

-- name: has_rows
-- Whether a kind's table holds anything.
SELECT EXISTS (SELECT FROM {table}) AS filled;

-- name: database_row
-- Which database this is.
SELECT id::text AS id, application_schema FROM rowform.database;

-- name: database_status
-- What db status says about the database as a whole.
SELECT
    database.id::text AS id,
    database.application_schema,
    (SELECT max(number) FROM rowform.migrations) AS schema_version,
    ARRAY(SELECT name FROM rowform.kinds ORDER BY added_at, name) AS kinds
FROM rowform.database;

-- name: restaurant_status
-- Every restaurant with its versions counted, and which one is active.
SELECT
    restaurant.id::text AS id,
    restaurant.slug,
    restaurant.name,
    count(version.id) AS versions,
    max(version.version_number) AS newest,
    max(version.version_number) FILTER (WHERE version.is_active) AS active_number,
    max(version.name) FILTER (WHERE version.is_active) AS active_name,
    coalesce(bool_or(version.is_locked) FILTER (WHERE version.is_active), false) AS active_locked
FROM {app}.restaurants AS restaurant
LEFT JOIN {app}.config_versions AS version ON version.restaurant_id = restaurant.id
GROUP BY restaurant.id
ORDER BY restaurant.slug, restaurant.id;

-- name: live_counts
-- How many settings of one kind each restaurant's active version has.
SELECT version.restaurant_id::text AS restaurant_id, {kind} AS kind, count(*) AS settings
FROM {app}.config_versions AS version
JOIN {view} AS setting ON setting.version_id = version.id AND setting.restaurant_id = version.restaurant_id
WHERE version.is_active
GROUP BY version.restaurant_id;

-- name: begin_upgrade
-- Opens the one transaction of an upgrade; a second upgrade waits here.
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock(7305808869231650925);

-- name: safe_path
-- No name is looked up where others may have put something.
SET LOCAL search_path = pg_catalog, pg_temp;

-- name: make_schema
-- The schema that holds everything of rowform's that applications do not name.
CREATE SCHEMA rowform;

-- name: record_migration
-- Written down in the transaction that it happened in.
INSERT INTO rowform.migrations (number, name, checksum, tool_version)
VALUES ({number}, {title}, {checksum}, {tool_version});

-- name: record_database
-- The database's one row.
INSERT INTO rowform.database (application_schema) VALUES ({schema});

-- name: record_kind
-- Lists a kind as present.
INSERT INTO rowform.kinds (name, key_column, tool_version) VALUES ({kind}, {key}, {tool_version})
ON CONFLICT (name) DO NOTHING;

-- name: kind_table
-- A kind's storage. A row is one version of one setting, valid for [since_version, until_version).
CREATE TABLE {table} (
    {columns},
    entity_id uuid NOT NULL,
    since_version integer NOT NULL,
    until_version integer,
    CHECK (until_version > since_version),
    FOREIGN KEY (restaurant_id, version_id, since_version)
        REFERENCES {app}.config_versions (restaurant_id, id, version_number)
);
CREATE UNIQUE INDEX {live_key} ON {table} (restaurant_id, {key}) WHERE until_version IS NULL;
CREATE UNIQUE INDEX {live_entity} ON {table} (restaurant_id, entity_id) WHERE until_version IS NULL;
CREATE INDEX {past} ON {table} (restaurant_id, until_version, since_version) WHERE until_version IS NOT NULL;
CREATE INDEX {past_key} ON {table} (restaurant_id, {key}, until_version) WHERE until_version IS NOT NULL;
CREATE INDEX {version} ON {table} (version_id);
CREATE TRIGGER zz_rowform_own BEFORE INSERT OR UPDATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.own_write_only();
CREATE TRIGGER zz_rowform_inserted AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.rows_inserted();
CREATE TRIGGER zz_rowform_ended BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN (NEW.updated_at IS DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION rowform.row_ended();
CREATE TRIGGER zz_rowform_updated AFTER UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.rows_updated();
CREATE TRIGGER zz_rowform_delete BEFORE DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF002', 'rowform.%2$s keeps every version''s settings: %1$s refused',
        'The content of a finished version never changes.');
REVOKE ALL ON {table} FROM PUBLIC;

-- name: kind_column
-- A column that a kind has gained.
ALTER TABLE {table} ADD COLUMN {column};

-- name: kind_view
-- Every version in full, under the seed's name. Two branches, because an OR would read all history.
CREATE OR REPLACE VIEW {view} WITH (security_invoker = true) AS
    SELECT {columns}
    FROM {app}.config_versions AS version
    JOIN {table} AS setting ON setting.restaurant_id = version.restaurant_id
        AND setting.since_version <= version.version_number
        AND setting.until_version IS NULL
    UNION ALL
    SELECT {columns}
    FROM {app}.config_versions AS version
    JOIN {table} AS setting ON setting.restaurant_id = version.restaurant_id
        AND setting.since_version <= version.version_number
        AND setting.until_version > version.version_number;

-- name: view_default
-- An INSERT through the view leaves out what one into the seed's table could.
ALTER VIEW {view} ALTER COLUMN {column} SET DEFAULT {value};

-- name: view_triggers
-- Settings are not written through the views.
CREATE OR REPLACE TRIGGER zz_rowform_write INSTEAD OF INSERT OR UPDATE OR DELETE ON {view}
    FOR EACH ROW EXECUTE FUNCTION rowform.refuse(
        'RF001', '%2$s is managed by rowform: %1$s refused',
        'Settings are managed in Git: change the YAML and run "rowform apply".');
