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
RETURN EXISTS (SELECT FROM rowform.own_writes WHERE xid = pg_current_xact_id_if_assigned());

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

CREATE TRIGGER refuse BEFORE UPDATE OR TRUNCATE ON rowform.own_writes
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF007', 'rowform.own_writes marks running transactions: %1$s refused',
        'A mark comes and goes with its transaction.');
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON rowform.version_births
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.refuse(
        'RF007', 'rowform.version_births is kept for ever: %1$s refused',
        'It says which transaction made a version.');

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

CREATE FUNCTION rowform.mark_left() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rowform.own_writes WHERE xid = NEW.xid) THEN
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
    PERFORM FROM {app}.restaurants WHERE id = NEW.restaurant_id FOR NO KEY UPDATE;
    -- A later statement: the one that waits for the lock still sees what was before.
    IF NOT rowform.is_marked() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF003',
            MESSAGE = 'config versions are made by rowform alone: INSERT refused',
            HINT = 'Settings are managed in Git: change the YAML and run "rowform apply".';
    END IF;
    SELECT max(version_number) INTO newest FROM {app}.config_versions WHERE restaurant_id = NEW.restaurant_id;
    IF NEW.version_number <= coalesce(newest, 0) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF003',
            MESSAGE = format('version %s cannot follow version %s', NEW.version_number, coalesce(newest, 0)),
            HINT = 'Version numbers only grow; the first one is at least 1.';
    END IF;
    NEW.name := coalesce(nullif(btrim(NEW.name), ''), format('Version %s', NEW.version_number));
    RETURN NEW;
END
$$;

CREATE FUNCTION rowform.version_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rowform.version_births (version_id) VALUES (NEW.id);
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
    IF NOT rowform.is_marked() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF003',
            MESSAGE = 'versions are activated by rowform alone: UPDATE of is_active refused',
            HINT = format('Run "rowform activate %s".', OLD.version_number);
    END IF;
    RETURN NEW;
END
$$;

-- The annotations come from settings of the transaction: they explain, they permit nothing.
CREATE FUNCTION rowform.version_locked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO {app}.config_changes
        (version_id, restaurant_id, table_name, operation, old_data, new_data, changed_by, reason)
    VALUES (NEW.id, NEW.restaurant_id, 'config_versions', 'UPDATE',
            to_jsonb(OLD) - 'source', to_jsonb(NEW) - 'source',
            nullif(current_setting('rowform.actor', true), '')::uuid,
            coalesce(nullif(current_setting('rowform.reason', true), ''),
                     CASE WHEN NOT rowform.is_marked() THEN format('SQL by %s', session_user) END));
    RETURN NULL;
END
$$;

CREATE FUNCTION rowform.version_activated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rowform', NEW.id::text);
    RETURN NULL;
END
$$;

-- Deferred to COMMIT, because off then on is two statements. A restaurant that had settings and
-- then has no active version would look empty to its application.
CREATE FUNCTION rowform.version_deactivated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM {app}.config_versions WHERE restaurant_id = NEW.restaurant_id AND is_active) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF008',
            MESSAGE = format('version %s was deactivated and no other activated', NEW.version_number),
            HINT = 'Activate the other version in the same transaction.';
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
CREATE FUNCTION rowform.rows_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT
        FROM (SELECT DISTINCT version_id, restaurant_id, since_version FROM new_rows) AS target
        LEFT JOIN rowform.fresh_versions AS fresh
            ON fresh.version_id = target.version_id
            AND fresh.restaurant_id = target.restaurant_id
            AND fresh.version_number = target.since_version
        WHERE fresh.version_id IS NULL
    ) OR EXISTS (SELECT FROM new_rows WHERE until_version IS NOT NULL) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF002',
            MESSAGE = format('rowform.%s: rows begin only at the newest version, made in the same transaction',
                             TG_TABLE_NAME),
            HINT = 'The content of a finished version never changes.';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION rowform.rows_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The row as it was, with no end yet. Compared as images: for = the numbers 1.0 and 1.00 are equal. A full join is never a nested
    -- loop, which a plan made for one row and kept for ten thousand could be.
    IF EXISTS (
        SELECT
        FROM old_rows AS old_row FULL JOIN new_rows AS new_row ON old_row.id = new_row.id
        WHERE new_row.id IS NULL
           OR jsonb_populate_record(new_row, '{{"until_version": null}}') *<> old_row
    ) OR EXISTS (
        SELECT
        FROM (SELECT DISTINCT restaurant_id, until_version FROM new_rows) AS target
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

-- Ending a row is no change of the setting, whatever the application's own triggers think.
CREATE FUNCTION rowform.row_ended() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := OLD.updated_at;
    RETURN NEW;
END
$$;

REVOKE ALL ON SCHEMA rowform FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA rowform FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowform FROM PUBLIC;
