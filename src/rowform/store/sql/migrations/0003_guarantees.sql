-- What the database itself guarantees about versions, settings and the audit trail.
--
-- Errors: RF001 direct write to a settings view, RF002 stored settings, RF003 version rows,
-- RF004 locked version, RF005 audit trail, RF006 restaurant with a history, RF007 rowform's own
-- books, RF008 a transaction that would end half-done.
--
-- Functions that read or write are SECURITY DEFINER with a fixed search_path. Those that check the
-- caller, or only refuse, run as the caller. Our triggers sort behind the application's.

CREATE FUNCTION rowform.is_marked() RETURNS boolean
LANGUAGE sql STABLE
-- No EXISTS: that would drop the order, and walk through the dead.
RETURN (
    SELECT number FROM rowform.own_writes
    WHERE xid = pg_current_xact_id_if_assigned() ORDER BY xid DESC, number DESC LIMIT 1
) IS NOT NULL;

-- Arguments: SQLSTATE, message (%1$s the operation, %2$s the table), hint.
CREATE FUNCTION rowform.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = TG_ARGV[0],
        MESSAGE = format(TG_ARGV[1], TG_OP, TG_TABLE_NAME),
        HINT = TG_ARGV[2];
END
$$;

---------------------------------------------------------------------------- rowform's own books

-- Privileges are not enough: they may have been granted in bulk, or by default.
CREATE FUNCTION rowform.owner_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF007',
            MESSAGE = format('rowform.%s belongs to rowform: %s refused', TG_TABLE_NAME, TG_OP),
            HINT = 'Connect as the role that ran "rowform db upgrade", or as a member of it.';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.database
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.migrations
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.kinds
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR DELETE ON rowform.own_writes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT ON rowform.version_births
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.drafts
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT ON rowform.activations
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT ON rowform.notes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.reached
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.passed_over
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();

CREATE TRIGGER refuse BEFORE UPDATE OR TRUNCATE ON rowform.own_writes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF007', 'rowform.own_writes marks running transactions: %1$s refused',
        'A mark comes and goes with its transaction.');
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON rowform.version_births
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF007', 'rowform.version_births is kept for ever: %1$s refused',
        'It says which transaction made a version.');
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON rowform.activations
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF007', 'rowform.activations is kept for ever: %1$s refused',
        'It says what a rollback goes back to.');
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON rowform.notes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF007', 'rowform.notes is kept for ever: %1$s refused',
        'It says which audit rows others have written.');

-- A mark is for this transaction alone, and that one must see what others committed meanwhile.
CREATE FUNCTION rowform.mark_made() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.xid <> pg_current_xact_id() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF007', MESSAGE = 'a mark for another transaction is refused';
    END IF;
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF007',
            MESSAGE = format('settings are not written under %s', current_setting('transaction_isolation')),
            HINT = 'Begin the transaction with ISOLATION LEVEL READ COMMITTED.';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER zz_rowform_mark BEFORE INSERT ON rowform.own_writes
    FOR EACH ROW EXECUTE FUNCTION rowform.mark_made();

-- Begin and end a piece of work that is rowform's own. Marks may lie within each other.
CREATE FUNCTION rowform.mark() RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO rowform.own_writes DEFAULT VALUES RETURNING number;
END;

CREATE FUNCTION rowform.unmark(mark bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM rowform.own_writes WHERE xid = pg_current_xact_id() AND number = mark;
END;

CREATE FUNCTION rowform.mark_left() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rowform.own_writes WHERE xid = NEW.xid AND number = NEW.number) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF008',
            MESSAGE = 'the transaction ends before rowform has finished writing',
            HINT = 'Delete the mark in rowform.own_writes before COMMIT.';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER zz_rowform_mark_left AFTER INSERT ON rowform.own_writes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rowform.mark_left();

------------------------------------------------------------------------------------- who writes

CREATE FUNCTION rowform.as_uuid(value text) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN value ~* '^[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}$'
            THEN value::uuid END;

-- The claims of PostgREST's JSON Web Token; null if there are none, if they are no object, or longer than any
-- header may be.
CREATE FUNCTION rowform.claims() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found jsonb;
BEGIN
    IF length(coalesce(current_setting('request.jwt.claims', true), '')) NOT BETWEEN 1 AND 65536 THEN
        RETURN NULL;
    END IF;
    found := current_setting('request.jwt.claims', true)::jsonb;
    RETURN CASE WHEN jsonb_typeof(found) = 'object' THEN found END;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

-- Who writes, as a version's source says it. All of it but the login role explains and permits nothing.
CREATE FUNCTION rowform.writer(kind text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(jsonb_build_object(
    'kind', kind,
    'database_user', session_user,
    'role', nullif(nullif(current_setting('role', true), 'none'), session_user),
    'application_name', nullif(current_setting('application_name', true), ''),
    'claims', rowform.claims(),
    'reason', nullif(current_setting('rowform.reason', true), '')));

-- Who to note as the one that changed something: a UUID, if there is one.
CREATE FUNCTION rowform.actor() RETURNS uuid
LANGUAGE sql STABLE
RETURN coalesce(rowform.as_uuid(current_setting('rowform.actor', true)),
                rowform.as_uuid(rowform.claims() ->> 'sub'));

-- Why, in the caller's words; else who, in ours.
CREATE FUNCTION rowform.reason(what text) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(
    nullif(current_setting('rowform.reason', true), ''),
    format('%s by %s', what, concat_ws(', ',
        coalesce(rowform.claims() ->> 'email', rowform.claims() ->> 'sub'),
        nullif(nullif(current_setting('role', true), 'none'), session_user),
        session_user,
        nullif(current_setting('application_name', true), ''))));

-- Refuses a direct write while settings are managed elsewhere alone. The lock lasts until the writer's
-- transaction ends: "db protect" waits for those that found nothing to stop them, and who comes later
-- waits for it. Comes before the restaurant's lock, so that nobody waits for both the other way round.
CREATE FUNCTION rowform.ensure_unprotected(operation text, place text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    book rowform.database;
BEGIN
    LOCK TABLE rowform.database IN ROW SHARE MODE;
    -- A later statement: whoever waited still saw what was before.
    SELECT * INTO book FROM rowform.database WHERE protected_at IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF001',
            MESSAGE = format('settings are managed in %s: %s of %s refused',
                             coalesce(book.managed_in, 'Git'), operation, place),
            HINT = 'Change the YAML there and run "rowform apply". Direct writes come back with'
                   ' "rowform db unprotect".';
    END IF;
END
$$;

------------------------------------------------------------------------------------ restaurants

CREATE FUNCTION rowform.restaurant_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM {app}.config_versions WHERE restaurant_id = OLD.id)
       OR EXISTS (SELECT FROM {app}.config_changes WHERE restaurant_id = OLD.id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF006',
            MESSAGE = format('the restaurant %s has a history: DELETE refused', coalesce(OLD.slug, OLD.id::text)),
            HINT = format('Only "rowform db purge -r %s" deletes a restaurant and its history.',
                          coalesce(OLD.slug, OLD.id::text));
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER zz_rowform_delete BEFORE DELETE ON {app}.restaurants
    FOR EACH ROW EXECUTE FUNCTION rowform.restaurant_deleted();
CREATE TRIGGER zz_rowform_truncate BEFORE TRUNCATE ON {app}.restaurants
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF006', 'restaurants may have a history: TRUNCATE refused',
        'Only "rowform db purge" deletes a restaurant and its history.');

-------------------------------------------------------------------------------- config_versions

CREATE FUNCTION rowform.version_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest integer;
BEGIN
    IF NEW.restaurant_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'not_null_violation', MESSAGE = 'a config version needs a restaurant_id';
    END IF;
    IF NOT rowform.is_marked() THEN
        PERFORM rowform.ensure_unprotected(TG_OP, TG_TABLE_NAME);
    END IF;
    PERFORM FROM {app}.restaurants WHERE id = NEW.restaurant_id FOR NO KEY UPDATE;
    -- A later statement: the one that waits for the lock still sees what was before.
    IF NOT rowform.is_marked() THEN
        NEW.source := rowform.writer('application');
        NEW.created_by := coalesce(NEW.created_by, rowform.actor());
        SELECT id INTO NEW.base_version_id FROM {app}.config_versions
        WHERE restaurant_id = NEW.restaurant_id AND is_active;
    END IF;
    SELECT max(version_number) INTO newest FROM {app}.config_versions WHERE restaurant_id = NEW.restaurant_id;
    -- The same number is the unique constraint's business.
    IF NEW.version_number < greatest(newest, 1) AND NOT EXISTS (
        SELECT FROM {app}.config_versions
        WHERE restaurant_id = NEW.restaurant_id AND version_number = NEW.version_number
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF003',
            MESSAGE = format('version %s cannot follow version %s', NEW.version_number, coalesce(newest, 0)),
            HINT = 'Version numbers only grow; the first one is at least 1.';
    END IF;
    NEW.name := coalesce(nullif(btrim(NEW.name), ''), format('Version %s', NEW.version_number));
    RETURN NEW;
END
$$;

-- An application's version starts empty, as it always did, and is its own to fill until it is activated.
CREATE FUNCTION rowform.version_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    active {app}.config_versions;
    was uuid;
    mark bigint;
BEGIN
    INSERT INTO rowform.version_births (version_id) VALUES (NEW.id);
    SELECT * INTO active FROM {app}.config_versions
    WHERE restaurant_id = NEW.restaurant_id AND is_active AND id <> NEW.id;
    IF NOT rowform.is_marked() THEN
        mark := rowform.mark();
        INSERT INTO rowform.drafts (version_id) VALUES (NEW.id);
        PERFORM rowform.copy_content(NEW.restaurant_id, NULL, NEW.id, NEW.version_number);
        PERFORM rowform.unmark(mark);
    ELSIF active.id IS NULL AND NOT EXISTS (
        -- What is activated later is audited then.
        SELECT FROM rowform.own_writes WHERE xid = pg_current_xact_id_if_assigned() AND stages
    ) THEN
        -- Whoever deactivated the last one left an empty restaurant behind, from which the audit goes on.
        SELECT version_id INTO was FROM rowform.activations
        WHERE restaurant_id = NEW.restaurant_id ORDER BY step DESC LIMIT 1;
        IF FOUND THEN
            PERFORM rowform.record_changes(NEW.restaurant_id, was, NULL, was, 'Deactivated before');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION rowform.version_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (NEW.id, NEW.restaurant_id, NEW.version_number, NEW.created_at, NEW.created_by, NEW.base_version_id,
        NEW.source)
       IS DISTINCT FROM (OLD.id, OLD.restaurant_id, OLD.version_number, OLD.created_at, OLD.created_by,
                         OLD.base_version_id, OLD.source) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF003',
            MESSAGE = format('version %s says for ever where it came from: UPDATE refused', OLD.version_number),
            HINT = 'Only name, description and is_locked may be edited.';
    END IF;
    IF (NEW.is_active, NEW.is_locked) IS NOT DISTINCT FROM (OLD.is_active, OLD.is_locked) THEN
        RETURN NEW;
    END IF;
    IF NEW.is_active IS DISTINCT FROM OLD.is_active AND NOT rowform.is_marked() THEN
        PERFORM rowform.ensure_unprotected(TG_OP, TG_TABLE_NAME);
    END IF;
    PERFORM FROM {app}.restaurants WHERE id = OLD.restaurant_id FOR NO KEY UPDATE;
    IF NEW.is_active IS NOT DISTINCT FROM OLD.is_active THEN
        RETURN NEW;
    END IF;
    -- OLD is the row as it is now, whatever the caller's snapshot shows; so unlocking in the same
    -- statement does not help.
    IF OLD.is_active AND OLD.is_locked THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF004',
            MESSAGE = format('version %s is active and locked', OLD.version_number),
            HINT = format('Unlock it first: rowform unlock %s', OLD.version_number);
    END IF;
    RETURN NEW;
END
$$;

-- A row of the audit trail about a version itself.
CREATE FUNCTION rowform.record_version(
    old_row {app}.config_versions, new_row {app}.config_versions, why text
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mark constant bigint := rowform.mark();
BEGIN
    INSERT INTO {app}.config_changes
        (version_id, restaurant_id, table_name, operation, old_data, new_data, changed_by, reason)
    VALUES (new_row.id, new_row.restaurant_id, 'config_versions', 'UPDATE',
            CASE WHEN old_row.id IS NOT NULL THEN to_jsonb(old_row) - 'source' END, to_jsonb(new_row) - 'source',
            rowform.actor(), why);
    PERFORM rowform.unmark(mark);
END
$$;

-- When, and why, a version was locked last.
CREATE FUNCTION rowform.last_lock(version uuid) RETURNS TABLE (reason text, locked_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT change.reason, change.changed_at FROM {app}.config_changes AS change
    WHERE change.version_id = version AND change.table_name = 'config_versions'
      AND change.old_data ->> 'id' = change.new_data ->> 'id'
      AND (change.new_data ->> 'is_locked')::boolean
      AND (change.old_data ->> 'is_locked')::boolean IS NOT TRUE
      AND NOT EXISTS (SELECT FROM rowform.notes WHERE notes.seq = change.seq)
    ORDER BY change.seq DESC LIMIT 1;
END;

CREATE FUNCTION rowform.version_locked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rowform.record_version(
        OLD, NEW, rowform.reason(CASE WHEN NEW.is_locked THEN 'Locked' ELSE 'Unlocked' END));
    RETURN NULL;
END
$$;

-- Whoever fills a version and activates it in one transaction writes its audit; all else is audited
-- here, as the net change of what people see.
CREATE FUNCTION rowform.version_activated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was rowform.activations;
    step_back bigint;
    replaced_row {app}.config_versions;
    why text;
    returns constant boolean := EXISTS (SELECT FROM rowform.activations WHERE version_id = NEW.id);
BEGIN
    SELECT * INTO was FROM rowform.activations
    WHERE restaurant_id = NEW.restaurant_id ORDER BY step DESC LIMIT 1;
    SELECT earlier.step INTO step_back
    FROM rowform.own_writes AS mark JOIN rowform.activations AS earlier ON earlier.step = mark.back_to
    WHERE mark.xid = pg_current_xact_id_if_assigned() AND earlier.version_id = NEW.id;
    INSERT INTO rowform.activations (restaurant_id, version_id, replaced)
    VALUES (NEW.restaurant_id, NEW.id,
            CASE WHEN step_back IS NULL THEN was.step
                 ELSE (SELECT replaced FROM rowform.activations WHERE step = step_back) END);
    IF returns
       OR EXISTS (SELECT FROM rowform.drafts WHERE version_id = NEW.id)
       OR NOT EXISTS (
           SELECT FROM rowform.version_births
           WHERE version_id = NEW.id AND xid = pg_current_xact_id_if_assigned()
             AND made_at = transaction_timestamp()
       ) THEN
        SELECT * INTO replaced_row FROM {app}.config_versions WHERE id = was.version_id;
        why := rowform.reason(CASE WHEN step_back IS NULL THEN 'Activated' ELSE 'Rolled back' END);
        IF NOT returns AND NEW.source ->> 'commit' IS NOT NULL THEN
            why := format('%s: version %s of commit %s%s', why, NEW.version_number,
                          left(NEW.source ->> 'commit', 7),
                          CASE WHEN NEW.source ->> 'dirty' = 'true' THEN '+' END);
        END IF;
        PERFORM rowform.record_version(replaced_row, NEW, why);
        PERFORM rowform.record_changes(NEW.restaurant_id, was.version_id, NEW.id, NEW.id, why);
    END IF;
    DELETE FROM rowform.drafts WHERE version_id = NEW.id;
    PERFORM pg_notify('rowform', NEW.id::text);
    RETURN NULL;
END
$$;

-- Deferred to COMMIT, because off then on is two statements. An application may leave none active, and
-- its people should find out why.
CREATE FUNCTION rowform.version_deactivated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM {app}.config_versions WHERE restaurant_id = NEW.restaurant_id AND is_active) THEN
        PERFORM rowform.record_version(OLD, NEW, rowform.reason('Deactivated'));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER zz_rowform_insert BEFORE INSERT ON {app}.config_versions
    FOR EACH ROW EXECUTE FUNCTION rowform.version_inserted();
CREATE TRIGGER zz_rowform_made AFTER INSERT ON {app}.config_versions
    FOR EACH ROW EXECUTE FUNCTION rowform.version_made();
CREATE TRIGGER zz_rowform_made_active AFTER INSERT ON {app}.config_versions
    FOR EACH ROW WHEN (NEW.is_active) EXECUTE FUNCTION rowform.version_activated();
CREATE TRIGGER zz_rowform_update BEFORE UPDATE ON {app}.config_versions
    FOR EACH ROW EXECUTE FUNCTION rowform.version_updated();
CREATE TRIGGER zz_rowform_locked AFTER UPDATE ON {app}.config_versions
    FOR EACH ROW WHEN (NEW.is_locked IS DISTINCT FROM OLD.is_locked)
    EXECUTE FUNCTION rowform.version_locked();
CREATE TRIGGER zz_rowform_activated AFTER UPDATE ON {app}.config_versions
    FOR EACH ROW WHEN (NEW.is_active AND OLD.is_active IS NOT TRUE)
    EXECUTE FUNCTION rowform.version_activated();
CREATE CONSTRAINT TRIGGER zz_rowform_deactivated AFTER UPDATE ON {app}.config_versions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.is_active AND NEW.is_active IS NOT TRUE)
    EXECUTE FUNCTION rowform.version_deactivated();
CREATE TRIGGER zz_rowform_delete BEFORE DELETE OR TRUNCATE ON {app}.config_versions
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF003', 'config versions are kept for ever: %1$s refused',
        'Only "rowform db purge" deletes a restaurant and its history.');

--------------------------------------------------------------------------------- config_changes

-- COPY and OVERRIDING SYSTEM VALUE get round GENERATED ALWAYS.
CREATE FUNCTION rowform.change_numbered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.seq := nextval({sequence});
    RETURN NEW;
END
$$;

-- setval() could turn it back, and new rows would sort before old ones.
CREATE FUNCTION rowform.changes_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest bigint;
BEGIN
    SELECT max(seq) INTO newest FROM {app}.config_changes;
    IF newest > (SELECT last_value FROM {app}.config_changes_seq_seq) THEN
        PERFORM setval({sequence}, newest);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION rowform.change_placed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT restaurant_id INTO NEW.restaurant_id FROM {app}.config_versions WHERE id = NEW.version_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('there is no config version %s', NEW.version_id);
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION rowform.change_unversioned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM {app}.restaurants WHERE id = NEW.restaurant_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('there is no restaurant %s', NEW.restaurant_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER zz_rowform_insert BEFORE INSERT ON {app}.config_changes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.changes_inserted();
CREATE TRIGGER zz_rowform_number BEFORE INSERT ON {app}.config_changes
    FOR EACH ROW EXECUTE FUNCTION rowform.change_numbered();
CREATE TRIGGER zz_rowform_place BEFORE INSERT ON {app}.config_changes
    FOR EACH ROW WHEN (NEW.restaurant_id IS NULL AND NEW.version_id IS NOT NULL)
    EXECUTE FUNCTION rowform.change_placed();
-- Rows with a version are checked by the foreign key; a second one would cost every row.
CREATE TRIGGER zz_rowform_restaurant AFTER INSERT ON {app}.config_changes
    FOR EACH ROW WHEN (NEW.restaurant_id IS NOT NULL AND NEW.version_id IS NULL)
    EXECUTE FUNCTION rowform.change_unversioned();
-- What others log must not be taken for what happened to the settings.
CREATE FUNCTION rowform.changes_noted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT rowform.is_marked() THEN
        INSERT INTO rowform.notes SELECT seq FROM new_rows;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER zz_rowform_noted AFTER INSERT ON {app}.config_changes REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.changes_noted();
CREATE TRIGGER zz_rowform_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {app}.config_changes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF005', 'the audit trail is append-only: %1$s of config_changes refused',
        'A mistake is corrected by another row.');

---------------------------------------------------------------- settings: storage and their views

-- First of all, so that an intruder reads this and not the complaint of some index.
CREATE FUNCTION rowform.own_write_only() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT rowform.is_marked() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF002',
            MESSAGE = format('rowform.%s is written by rowform alone: %s refused', TG_TABLE_NAME, TG_OP),
            HINT = 'Settings are managed in Git: change the YAML and run "rowform apply".';
    END IF;
    RETURN NULL;
END
$$;

-- Statement-level: ten thousand rows cost one check.
CREATE FUNCTION rowform.rows_placed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT
        FROM (SELECT DISTINCT version_id, restaurant_id, since_version, until_version FROM placed_rows) AS target
        LEFT JOIN rowform.open_versions AS open
            ON open.version_id = target.version_id
            AND open.restaurant_id = target.restaurant_id
            AND open.version_number = target.since_version
            AND open.next_number IS NOT DISTINCT FROM target.until_version
        WHERE open.version_id IS NULL
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF002',
            MESSAGE = CASE WHEN TG_OP = 'INSERT'
                THEN format('rowform.%s: rows begin only at the newest version, made in the same transaction',
                            TG_TABLE_NAME)
                ELSE format('rowform.%s keeps every version''s settings: DELETE refused', TG_TABLE_NAME) END,
            HINT = 'The content of a finished version never changes.';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION rowform.rows_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    places constant text[] := '{{id,restaurant_id,version_id,entity_id,since_version,until_version}}';
    changed record;
    legal boolean := true;
BEGIN
    -- All but the rows that only end. Compared as images: for = the numbers 1.0 and 1.00 are equal. A
    -- full join is never a nested loop, which a plan made for one row and kept for ten thousand could be.
    FOR changed IN
        SELECT to_jsonb(old_row) AS old, to_jsonb(new_row) AS new
        FROM old_rows AS old_row FULL JOIN new_rows AS new_row ON old_row.id = new_row.id
        WHERE new_row.id IS NULL
           OR old_row.id IS NULL
           OR new_row.until_version IS NOT DISTINCT FROM old_row.until_version
           OR jsonb_populate_record(new_row, '{{"until_version": null}}') *<> old_row
    LOOP
        -- A row of one open version alone may be edited; one that goes on may begin at the next.
        legal := legal AND EXISTS (
            SELECT
            FROM rowform.open_versions AS open
            WHERE open.version_id = (changed.old ->> 'version_id')::uuid
              AND open.restaurant_id = (changed.old ->> 'restaurant_id')::uuid
              AND open.version_number = (changed.old ->> 'since_version')::integer
              AND CASE WHEN (SELECT bool_and(changed.new -> place = changed.old -> place)
                             FROM unnest(places) AS place)
                  THEN (changed.old ->> 'until_version')::integer IS NOT DISTINCT FROM open.next_number
                  ELSE (changed.new ->> 'since_version')::integer = open.next_number
                       AND changed.new - '{{version_id,since_version}}'::text[]
                           = changed.old - '{{version_id,since_version}}'::text[]
                  END
        );
    END LOOP;
    IF NOT legal OR EXISTS (
        SELECT
        FROM (
            SELECT DISTINCT new_row.restaurant_id, new_row.until_version
            FROM old_rows AS old_row FULL JOIN new_rows AS new_row ON old_row.id = new_row.id
            WHERE new_row.until_version IS DISTINCT FROM old_row.until_version
        ) AS target
        LEFT JOIN rowform.fresh_versions AS fresh
            ON fresh.restaurant_id = target.restaurant_id
            AND fresh.version_number = target.until_version
        WHERE fresh.version_id IS NULL
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF002',
            MESSAGE = format('rowform.%s: rows only end, at the newest version, made in the same transaction',
                             TG_TABLE_NAME),
            HINT = 'The content of a finished version never changes.';
    END IF;
    RETURN NULL;
END
$$;

-- To begin or end elsewhere is no change of the setting, whatever the application's own triggers think.
CREATE FUNCTION rowform.row_ended() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version_id constant uuid := NEW.version_id;
    since_version constant integer := NEW.since_version;
    until_version constant integer := NEW.until_version;
BEGIN
    NEW := OLD;
    NEW.version_id := version_id;
    NEW.since_version := since_version;
    NEW.until_version := until_version;
    RETURN NEW;
END
$$;

REVOKE ALL ON SCHEMA rowform FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA rowform FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowform FROM PUBLIC;
