-- Questions about the schema itself, and the DDL of a kind.

-- name: where_we_are
-- What must be known before any upgrade: the schema that the application uses, and whether ours exists.
-- A role called rowform has our schema on its path.
SELECT
    (SELECT name FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (name, position)
     WHERE name <> 'rowform' ORDER BY position LIMIT 1)::text AS application_schema,
    namespace.oid IS NOT NULL AS schema_exists,
    to_regclass('rowform.migrations') IS NOT NULL AS installed,
    EXISTS (SELECT FROM pg_class WHERE relnamespace = namespace.oid) AS occupied,
    ARRAY(SELECT name::text FROM unnest(current_schemas(false)) AS name WHERE name <> 'rowform') AS path
FROM (VALUES (1)) AS one (row)
LEFT JOIN pg_namespace AS namespace ON namespace.nspname = 'rowform';

-- name: migrations_done
-- The migrations that this database has had, and where the application's tables are.
SELECT
    (SELECT application_schema FROM rowform.database) AS application_schema,
    coalesce(json_object_agg(number::text, checksum) FILTER (WHERE number IS NOT NULL), '{{}}') AS checksums
FROM rowform.migrations;

-- name: relations
-- Columns, in order, of all relations in the two schemas, with their sort (relkind), and which are computed.
SELECT
    namespace.nspname AS schema_name,
    class.relname AS name,
    class.relkind::text AS sort,
    ARRAY(
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum
    ) AS columns,
    ARRAY(
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated <> ''
    ) AS computed
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
    ARRAY(SELECT name FROM rowform.kinds ORDER BY added_at, name) AS kinds,
    database.protected_at,
    database.managed_in
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
SET LOCAL client_min_messages = 'warning';
SET LOCAL row_security = off;
SELECT pg_advisory_xact_lock(7305808869231650925);

-- name: begin_look
-- Opens the transaction of a look at what an upgrade would do.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL row_security = off;

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
-- The table of a kind, as the application itself would make it, but in rowform's schema.
CREATE TABLE {table} (
    {columns}
);

-- name: kind_storage
-- What makes such a table storage. A row is one version of one setting, valid for
-- [since_version, until_version). One without since_version is in no version.
ALTER TABLE {table}
    ADD CHECK (until_version > since_version),
    ADD CHECK (since_version IS NULL OR num_nulls(restaurant_id, version_id, entity_id) = 0),
    ADD CHECK (since_version IS NOT NULL OR until_version = 0),
    ADD FOREIGN KEY (restaurant_id, version_id, since_version)
        REFERENCES {app}.config_versions (restaurant_id, id, version_number);
CREATE UNIQUE INDEX {live_key} ON {table} (restaurant_id, {key}) WHERE until_version IS NULL;
CREATE UNIQUE INDEX {live_entity} ON {table} (restaurant_id, entity_id) WHERE until_version IS NULL;
CREATE INDEX {past} ON {table} (restaurant_id, until_version, since_version) WHERE until_version IS NOT NULL;
CREATE INDEX {past_key} ON {table} (restaurant_id, {key}, until_version) WHERE until_version IS NOT NULL;
CREATE INDEX {since} ON {table} (restaurant_id, since_version);
CREATE TRIGGER zz_rowform_own BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.own_write_only();
CREATE TRIGGER zz_rowform_inserted AFTER INSERT ON {table} REFERENCING NEW TABLE AS placed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.rows_placed();
CREATE TRIGGER zz_rowform_ended BEFORE UPDATE ON {table}
    FOR EACH ROW
    WHEN ((NEW.since_version, NEW.until_version) IS DISTINCT FROM (OLD.since_version, OLD.until_version))
    EXECUTE FUNCTION rowform.row_ended();
CREATE TRIGGER zz_rowform_updated AFTER UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.rows_updated();
CREATE TRIGGER zz_rowform_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS placed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.rows_placed();
CREATE TRIGGER zz_rowform_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF002', 'rowform.%2$s keeps every version''s settings: %1$s refused',
        'The content of a finished version never changes.');

-- name: range_columns
-- The columns that storage adds.
ALTER TABLE {table}
    ADD COLUMN entity_id uuid,
    ADD COLUMN since_version integer,
    ADD COLUMN until_version integer;

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

-- name: view_defaults
-- An INSERT through the view leaves out what one into the table could.
DO $do$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT shown.attname AS name, pg_get_expr(kept.adbin, kept.adrelid) AS value
        FROM pg_attribute AS shown
        JOIN pg_attribute AS stored ON stored.attrelid = {table_name}::regclass AND stored.attname = shown.attname
        JOIN pg_attrdef AS kept ON kept.adrelid = stored.attrelid AND kept.adnum = stored.attnum
        WHERE shown.attrelid = {view_name}::regclass AND stored.attgenerated = ''
        ORDER BY shown.attnum
    LOOP
        EXECUTE format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', {view_name}::regclass, entry.name, entry.value);
    END LOOP;
END
$do$;

-- name: kind_writer
-- What a direct write to a kind's view does. OLD may be of a version that direct writes have superseded:
-- then what the writer changed is changed in the active one, and nothing else.
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target rowform.write_target;
    moved rowform.write_target;
    stored {table};
    changed {table};
    sight record;
    counted boolean := true;
    another_row boolean := TG_OP <> 'DELETE';
    mark bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        target := rowform.write_target({kind}, TG_OP, NEW.restaurant_id, NEW.version_id);
        {take}
        changed.entity_id := coalesce(NEW.id, gen_random_uuid());
        changed.created_at := NEW.created_at;
        changed.updated_at := NEW.updated_at;
    ELSE
        IF TG_OP = 'UPDATE' AND (NEW.id, NEW.restaurant_id) IS DISTINCT FROM (OLD.id, OLD.restaurant_id) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'RF001',
                MESSAGE = format('%s: a setting keeps its id and its restaurant', {kind}),
                HINT = 'Delete it, and insert another one.';
        END IF;
        target := rowform.write_target({kind}, TG_OP, OLD.restaurant_id, OLD.version_id);
        IF target.is_passed_over THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'UPDATE' AND NEW.version_id IS DISTINCT FROM OLD.version_id THEN
            moved := rowform.write_target({kind}, TG_OP, OLD.restaurant_id, NEW.version_id);
            IF moved.version_id IS DISTINCT FROM target.version_id THEN
                RAISE EXCEPTION USING
                    ERRCODE = 'RF001',
                    MESSAGE = format('%s: a setting does not move to another version', {kind}),
                    HINT = 'Insert it there.';
            END IF;
        END IF;
        SELECT * INTO stored FROM {table}
        WHERE restaurant_id = OLD.restaurant_id AND entity_id = OLD.id
          AND until_version IS NULL AND since_version <= target.version_number;
        IF NOT FOUND THEN
            SELECT * INTO stored FROM {table}
            WHERE restaurant_id = OLD.restaurant_id AND entity_id = OLD.id
              AND until_version > target.version_number AND since_version <= target.version_number;
        END IF;
        IF target.is_live THEN
            sight := rowform.reach({kind}, OLD.restaurant_id, OLD.id,
                (SELECT version_number FROM {app}.config_versions WHERE id = OLD.version_id),
                CASE WHEN OLD.version_id <> target.version_id THEN to_jsonb(stored) END);
            IF NOT sight.proceed THEN
                RETURN NULL;
            END IF;
            counted := NOT sight.again;
        END IF;
        IF stored.id IS NULL THEN
            RETURN NULL;
        END IF;
        changed := stored;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NOT counted THEN
            changed := jsonb_populate_record(stored, sight.image - '{{id,version_id,since_version,until_version}}'::text[]);
        END IF;
        -- NEW was computed from what somebody else has overwritten since.
        IF ({clash}) AND rowform.written_meanwhile(stored.version_id) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'serialization_failure',
                MESSAGE = format('somebody else changed the same field of %s "%s" at the same time', {kind}, OLD.{key}),
                HINT = 'Try again.';
        END IF;
        {merge}
        IF ({changed_content}) IS NOT DISTINCT FROM ({stored_content}) THEN
            IF NOT counted THEN
                RETURN NULL;
            END IF;
            NEW.version_id := target.version_id;
            NEW.created_at := stored.created_at;
            NEW.updated_at := stored.updated_at;
            {give}
            RETURN NEW;
        END IF;
        IF NEW.created_at IS DISTINCT FROM OLD.created_at THEN
            changed.created_at := NEW.created_at;
        END IF;
        changed.updated_at := CASE WHEN NEW.updated_at IS DISTINCT FROM OLD.updated_at THEN NEW.updated_at ELSE now() END;
    END IF;
    mark := rowform.mark();
    IF NOT target.is_open THEN
        target := rowform.direct_version(target);
        IF TG_OP <> 'INSERT' THEN
            SELECT * INTO STRICT stored FROM {table}
            WHERE restaurant_id = target.restaurant_id AND entity_id = stored.entity_id AND until_version IS NULL;
        END IF;
    END IF;
    changed.restaurant_id := target.restaurant_id;
    changed.version_id := target.version_id;
    changed.since_version := target.version_number;
    changed.until_version := target.next_number;
    IF TG_OP <> 'DELETE' AND target.next_number IS NOT NULL AND EXISTS (
        SELECT FROM {table}
        WHERE restaurant_id = target.restaurant_id AND since_version <= target.version_number
          AND (until_version IS NULL OR until_version > target.version_number)
          AND ({key} = changed.{key} AND id IS DISTINCT FROM stored.id
               OR TG_OP = 'INSERT' AND entity_id = changed.entity_id)
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'unique_violation',
            MESSAGE = format('version %s has that setting of %s already', target.version_number, {kind});
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- An id that comes back is an identity that comes back; the row is another one.
        changed.id := CASE WHEN EXISTS (SELECT FROM {table} WHERE id = changed.entity_id)
                      THEN gen_random_uuid() ELSE changed.entity_id END;
    ELSIF stored.since_version < target.version_number THEN
        UPDATE {table} SET until_version = target.version_number WHERE id = stored.id;
        changed.id := gen_random_uuid();
    ELSIF stored.until_version IS NOT DISTINCT FROM target.next_number THEN
        IF TG_OP = 'DELETE' THEN
            DELETE FROM {table} WHERE id = stored.id;
        ELSE
            UPDATE {table} SET ({columns}) = ROW({changed_columns}) WHERE id = stored.id RETURNING * INTO changed;
            another_row := false;
        END IF;
    ELSE
        UPDATE {table} SET since_version = target.next_number, version_id = target.next_id WHERE id = stored.id;
        changed.id := gen_random_uuid();
    END IF;
    IF another_row THEN
        INSERT INTO {table} (id, restaurant_id, version_id, entity_id, since_version, until_version, {columns})
        VALUES (changed.id, changed.restaurant_id, changed.version_id, changed.entity_id, changed.since_version,
                changed.until_version, {changed_columns})
        RETURNING * INTO changed;
    END IF;
    IF target.is_live THEN
        INSERT INTO {app}.config_changes
            (restaurant_id, version_id, table_name, operation, old_data, new_data, changed_by, reason)
        VALUES (target.restaurant_id, target.version_id, {kind}, TG_OP,
                CASE WHEN TG_OP <> 'INSERT' THEN rowform.shown(to_jsonb(stored)) END,
                CASE WHEN TG_OP <> 'DELETE' THEN rowform.shown(to_jsonb(changed)) END,
                rowform.actor(), rowform.reason('Direct write'));
    END IF;
    PERFORM rowform.unmark(mark);
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NOT counted THEN
        RETURN NULL;
    END IF;
    NEW.id := changed.entity_id;
    NEW.restaurant_id := changed.restaurant_id;
    NEW.version_id := changed.version_id;
    NEW.created_at := changed.created_at;
    NEW.updated_at := changed.updated_at;
    {give}
    RETURN NEW;
END
$$;

-- name: view_triggers
-- What writes to a kind's view do.
CREATE OR REPLACE TRIGGER zz_rowform_begins BEFORE INSERT OR UPDATE OR DELETE ON {view}
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.statement_begins();
CREATE OR REPLACE TRIGGER zz_rowform_admit INSTEAD OF INSERT OR UPDATE OR DELETE ON {view}
    FOR EACH ROW EXECUTE FUNCTION rowform.admit();
CREATE OR REPLACE TRIGGER zz_rowform_write INSTEAD OF INSERT OR UPDATE OR DELETE ON {view}
    FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE OR REPLACE TRIGGER zz_rowform_ended AFTER UPDATE OR DELETE ON {view}
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.statement_ended();
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
