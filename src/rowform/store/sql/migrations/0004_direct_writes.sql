-- Direct writes: what happens when somebody writes to a settings view. The views' own trigger functions,
-- one for each kind, are made together with the views; here is what they share.

-- Where a write goes. The version is the one whose content the writer means; is_live says that people see
-- it, is_open that rows may be written to it right away. A row of an open version that is not the newest
-- ends at next_number, where next_id begins. is_passed_over: there is nothing to write to.
CREATE TYPE rowform.write_target AS (
    restaurant_id uuid,
    version_id uuid,
    version_number integer,
    next_id uuid,
    next_number integer,
    is_live boolean,
    is_open boolean,
    is_passed_over boolean
);

-- Whether nothing but direct writes lies between a version and the active one that came of it.
CREATE FUNCTION rowform.is_superseded_directly(version_id uuid, version_number integer, active_id uuid)
RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE back AS (
        SELECT active.id, active.base_version_id, active.version_number, active.source
        FROM {app}.config_versions AS active WHERE active.id = active_id
        UNION ALL
        SELECT base.id, base.base_version_id, base.version_number, base.source
        FROM back JOIN {app}.config_versions AS base ON base.id = back.base_version_id
        WHERE back.source ->> 'kind' = 'direct' AND base.version_number >= $2
    )
    SELECT EXISTS (SELECT FROM back WHERE back.id = $1);
END;

-- What a row's trigger wants to know of its statement. Settings will do: whoever fakes them fools himself.
-- The views show a setting once for each version. A statement that names no version means the active one
-- alone, and only one that does can mean a version by the name that it had. Of a statement inside a
-- function nothing can be read; it may name one.
CREATE FUNCTION rowform.statement_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query constant text := lower(current_query());
BEGIN
    PERFORM set_config('rowform.names_version',
                       (strpos(query, 'version_id') > 0 OR strpos(query, TG_TABLE_NAME) = 0)::text, true),
            set_config('rowform.snapshot', pg_current_snapshot()::text, true),
            set_config('rowform.made_here', '', true);
    RETURN NULL;
END
$$;

-- Whether somebody else's transaction was committed after the running statement began. Only of late: after
-- a dump and restore transaction ids begin again.
CREATE FUNCTION rowform.came_meanwhile(xid xid8, began timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN xid <> pg_current_xact_id()
   AND began > statement_timestamp() - interval '1 hour'
   AND NOT pg_visible_in_snapshot(xid, nullif(current_setting('rowform.snapshot', true), '')::pg_snapshot);

-- Whether somebody else wrote what began at a version after the running statement began.
CREATE FUNCTION rowform.written_meanwhile(version uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM rowform.version_births AS birth
    WHERE birth.version_id = version AND rowform.came_meanwhile(birth.xid, birth.made_at));

-- Whether somebody else activated a version of a restaurant after the running statement began.
CREATE FUNCTION rowform.switched_meanwhile(restaurant uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN (
    SELECT rowform.came_meanwhile(last.xid, last.activated_at)
    FROM rowform.activations AS last WHERE last.restaurant_id = restaurant ORDER BY step DESC LIMIT 1);

-- Find out what a write to a version means, holding the restaurant's lock from here on.
CREATE FUNCTION rowform.write_target(kind text, operation text, restaurant uuid, addressed uuid)
RETURNS rowform.write_target
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target rowform.write_target;
    version {app}.config_versions;
    active {app}.config_versions;
    is_named boolean :=
        operation = 'INSERT' OR current_setting('rowform.names_version', true) IS DISTINCT FROM 'false';
BEGIN
    IF addressed IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'not_null_violation',
            MESSAGE = format('%s of %s needs a version_id', operation, kind),
            HINT = 'Name the active version, or one that you made for it.';
    END IF;
    SELECT * INTO version FROM {app}.config_versions WHERE id = addressed;
    IF version.id IS NULL OR version.restaurant_id IS DISTINCT FROM coalesce(restaurant, version.restaurant_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('there is no config version %s of the restaurant %s', addressed, restaurant);
    END IF;
    PERFORM rowform.ensure_unprotected(operation, kind);
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF007',
            MESSAGE = format('settings are not written under %s', current_setting('transaction_isolation')),
            HINT = 'Begin the transaction with ISOLATION LEVEL READ COMMITTED.';
    END IF;
    PERFORM FROM {app}.restaurants WHERE id = version.restaurant_id FOR NO KEY UPDATE;
    -- Later statements: whoever waited for the lock still saw what was before.
    SELECT * INTO version FROM {app}.config_versions WHERE id = addressed;
    SELECT * INTO active FROM {app}.config_versions
    WHERE restaurant_id = version.restaurant_id AND is_active LIMIT 1;
    target.restaurant_id := version.restaurant_id;
    IF NOT is_named AND version.id IS DISTINCT FROM active.id THEN
        -- What was the active one for the statement may not be it any more.
        is_named := coalesce(rowform.switched_meanwhile(version.restaurant_id), false);
    END IF;
    IF version.id IS DISTINCT FROM active.id AND EXISTS (SELECT FROM rowform.drafts WHERE version_id = version.id) THEN
        target.is_live := false;
        target.is_open := true;
    ELSIF version.id = active.id
          -- It was the active one until this very statement wrote its first row.
          OR version.id = active.base_version_id
             AND strpos(current_setting('rowform.made_here', true), active.id::text) > 0
          OR is_named AND version.is_locked IS NOT TRUE
             AND rowform.is_superseded_directly(version.id, version.version_number, active.id) THEN
        version := active;
        target.is_live := true;
        target.is_open := EXISTS (SELECT FROM rowform.fresh_versions WHERE version_id = active.id);
    ELSIF operation = 'INSERT' THEN
        RAISE EXCEPTION USING
            ERRCODE = CASE WHEN version.is_locked THEN 'RF004' ELSE 'RF001' END,
            MESSAGE = format('version %s is %s: INSERT of %s refused', version.version_number,
                             CASE WHEN version.is_locked THEN 'locked' ELSE 'finished' END, kind),
            HINT = format('Write to the active version, which is %s.', coalesce(active.version_number::text, 'none'));
    ELSE
        IF is_named THEN
            INSERT INTO rowform.passed_over (xid, kind, restaurant_id, version_number)
            VALUES (pg_current_xact_id(), kind, version.restaurant_id, version.version_number)
            ON CONFLICT DO NOTHING;
        END IF;
        target.is_passed_over := true;
        RETURN target;
    END IF;
    IF version.is_locked THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RF004',
            MESSAGE = format('version %s is locked: %s of %s refused', version.version_number, operation, kind),
            HINT = format('Unlock it first: rowform unlock %s', version.version_number);
    END IF;
    target.version_id := version.id;
    target.version_number := version.version_number;
    IF target.is_open THEN
        SELECT later.id, later.version_number INTO target.next_id, target.next_number
        FROM {app}.config_versions AS later
        WHERE later.restaurant_id = version.restaurant_id AND later.version_number > version.version_number
        ORDER BY later.version_number LIMIT 1;
    END IF;
    RETURN target;
END
$$;

-- A statement without a version in it sees a setting once for each version. It means the newest of those
-- that mean the active one. Whether to go on; and, if an older sight of it was written before, what the
-- setting was before that.
CREATE FUNCTION rowform.reach(
    kind text, restaurant uuid, entity uuid, number integer, now_is jsonb,
    OUT proceed boolean, OUT again boolean, OUT image jsonb
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen rowform.reached;
BEGIN
    SELECT * INTO seen FROM rowform.reached AS r
    WHERE r.xid = pg_current_xact_id() AND r.kind = $1 AND r.restaurant_id = restaurant AND r.entity_id = entity;
    proceed := seen.xid IS NULL OR number >= seen.version_number;
    again := coalesce(number > seen.version_number, false);
    image := seen.image;
    IF seen.xid IS NULL THEN
        INSERT INTO rowform.reached VALUES (pg_current_xact_id(), kind, restaurant, entity, number, now_is);
    ELSIF again THEN
        UPDATE rowform.reached AS r SET version_number = number
        WHERE r.xid = pg_current_xact_id() AND r.kind = $1 AND r.restaurant_id = restaurant
          AND r.entity_id = entity;
    END IF;
END
$$;

-- The end of an UPDATE or DELETE. Finished versions that it saw besides the active one stay as they are;
-- one that it saw alone was what it meant.
CREATE FUNCTION rowform.statement_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version {app}.config_versions;
    active integer;
BEGIN
    SELECT finished.* INTO version
    FROM rowform.passed_over AS over
    JOIN {app}.config_versions AS finished
        ON finished.restaurant_id = over.restaurant_id AND finished.version_number = over.version_number
    WHERE over.xid = pg_current_xact_id_if_assigned() AND over.kind = TG_TABLE_NAME
      AND NOT EXISTS (
          SELECT FROM rowform.reached
          WHERE reached.xid = over.xid AND reached.kind = over.kind
            AND reached.restaurant_id = over.restaurant_id
      )
    LIMIT 1;
    IF FOUND THEN
        SELECT version_number INTO active FROM {app}.config_versions
        WHERE restaurant_id = version.restaurant_id AND is_active;
        RAISE EXCEPTION USING
            ERRCODE = CASE WHEN version.is_locked THEN 'RF004' ELSE 'RF001' END,
            MESSAGE = format('version %s is %s: %s of %s refused', version.version_number,
                             CASE WHEN version.is_locked THEN 'locked' ELSE 'finished' END, TG_OP, TG_TABLE_NAME),
            HINT = format('Write to the active version, which is %s.', coalesce(active::text, 'none'));
    END IF;
    DELETE FROM rowform.reached WHERE xid = pg_current_xact_id_if_assigned() AND kind = TG_TABLE_NAME;
    DELETE FROM rowform.passed_over WHERE xid = pg_current_xact_id_if_assigned() AND kind = TG_TABLE_NAME;
    RETURN NULL;
END
$$;

-- The first direct write of a transaction makes a version from the active one; the others join it.
CREATE FUNCTION rowform.direct_version(target rowform.write_target) RETURNS rowform.write_target
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made rowform.write_target := target;
    newest integer;
BEGIN
    SELECT max(version_number) INTO newest FROM {app}.config_versions WHERE restaurant_id = target.restaurant_id;
    made.version_id := gen_random_uuid();
    made.version_number := newest + 1;
    made.is_open := true;
    INSERT INTO {app}.config_versions
        (id, restaurant_id, version_number, name, created_by, is_active, is_locked, base_version_id, source)
    VALUES (made.version_id, target.restaurant_id, made.version_number, 'Direct write', rowform.actor(), false, false,
            target.version_id, rowform.writer('direct'));
    IF newest <> target.version_number THEN
        PERFORM rowform.copy_content(
            target.restaurant_id, target.version_number, made.version_id, made.version_number);
    END IF;
    UPDATE {app}.config_versions SET is_active = false WHERE id = target.version_id;
    UPDATE {app}.config_versions SET is_active = true WHERE id = made.version_id;
    PERFORM set_config('rowform.made_here', concat_ws(
        ' ', current_setting('rowform.made_here', true), made.version_id), true);
    RETURN made;
END
$$;

-- Give the newest version the content of an older one, or none. Rows that are in both go on.
CREATE FUNCTION rowform.copy_content(restaurant uuid, from_number integer, to_id uuid, to_number integer)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind record;
BEGIN
    FOR kind IN SELECT name FROM rowform.kinds LOOP
        EXECUTE format(
            'UPDATE rowform.%I SET until_version = $3 WHERE restaurant_id = $1 AND until_version IS NULL'
            ' AND ($2 IS NULL OR since_version > $2)', kind.name)
        USING restaurant, from_number, to_number;
        IF from_number IS NOT NULL THEN
            EXECUTE (
                SELECT format(
                    'INSERT INTO rowform.%1$I (id, version_id, since_version, %2$s)'
                    ' SELECT gen_random_uuid(), $3, $4, %2$s FROM rowform.%1$I'
                    ' WHERE restaurant_id = $1 AND since_version <= $2 AND until_version > $2',
                    kind.name, string_agg(quote_ident(attname), ', '))
                FROM pg_attribute
                WHERE attrelid = format('rowform.%I', kind.name)::regclass AND attnum > 0
                  AND NOT attisdropped AND attgenerated = ''
                  AND attname <> ALL ('{{id,version_id,since_version,until_version}}'))
            USING restaurant, from_number, to_id, to_number;
        END IF;
    END LOOP;
END
$$;

-- A stored row as applications see it; null if there is none.
CREATE FUNCTION rowform.shown(stored jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN stored -> 'entity_id' IS NOT NULL
            THEN stored - '{{entity_id,since_version,until_version}}'::text[]
                 || jsonb_build_object('id', stored -> 'entity_id') END;

-- The net change from one version's content to another's; null stands for none. Only rows that began or
-- ended in between are read.
CREATE FUNCTION rowform.net_change(restaurant uuid, from_id uuid, to_id uuid)
RETURNS TABLE (kind text, operation text, old_data jsonb, new_data jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    from_number constant integer := (SELECT version_number FROM {app}.config_versions WHERE id = from_id);
    to_number constant integer := (SELECT version_number FROM {app}.config_versions WHERE id = to_id);
    book record;
BEGIN
    FOR book IN SELECT name, key_column FROM rowform.kinds ORDER BY added_at, name LOOP
        RETURN QUERY EXECUTE format($sql$
            WITH low_only AS (
                SELECT stored FROM rowform.%1$I AS stored
                WHERE restaurant_id = $1 AND since_version <= least($2, $3)
                  AND until_version > least($2, $3) AND until_version <= greatest($2, $3)
            ), high_only AS (
                SELECT stored FROM rowform.%1$I AS stored
                WHERE restaurant_id = $1 AND since_version > least($2, $3) AND since_version <= greatest($2, $3)
                  AND (until_version IS NULL OR until_version > greatest($2, $3))
            ), whole AS (
                SELECT stored FROM rowform.%1$I AS stored
                WHERE ($2 IS NULL) <> ($3 IS NULL) AND restaurant_id = $1
                  AND since_version <= coalesce($2, $3)
                  AND (until_version IS NULL OR until_version > coalesce($2, $3))
            ), gone AS (
                SELECT stored FROM low_only WHERE $2 <= $3
                UNION ALL SELECT stored FROM high_only WHERE $2 > $3
                UNION ALL SELECT stored FROM whole WHERE $3 IS NULL
            ), come AS (
                SELECT stored FROM high_only WHERE $2 <= $3
                UNION ALL SELECT stored FROM low_only WHERE $2 > $3
                UNION ALL SELECT stored FROM whole WHERE $2 IS NULL
            ), met AS MATERIALIZED (
                -- A full join is never a nested loop, which a table without statistics would be joined by.
                SELECT gone.stored AS old_row, come.stored AS new_row
                FROM gone FULL JOIN come ON (gone.stored).entity_id = (come.stored).entity_id
            ), pair AS (
                SELECT old_row, new_row FROM met WHERE (old_row).id IS NOT NULL AND (new_row).id IS NOT NULL
                UNION ALL
                -- The same name under another identity is the same setting to people.
                SELECT left_over.old_row, new_comer.new_row
                FROM (SELECT old_row FROM met WHERE (new_row).id IS NULL) AS left_over
                FULL JOIN (SELECT new_row FROM met WHERE (old_row).id IS NULL) AS new_comer
                    ON (left_over.old_row).%2$I = (new_comer.new_row).%2$I
            ), image AS MATERIALIZED (
                SELECT coalesce((old_row).%2$I, (new_row).%2$I) AS key,
                       rowform.shown(to_jsonb(old_row)) AS old, rowform.shown(to_jsonb(new_row)) AS new
                FROM pair
            )
            SELECT %1$L,
                   CASE WHEN new IS NULL THEN 'DELETE' WHEN old IS NULL THEN 'INSERT' ELSE 'UPDATE' END, old, new
            FROM image
            WHERE old - $4 IS DISTINCT FROM new - $4
            ORDER BY new IS NOT NULL, old IS NULL, key
            $sql$, book.name, book.key_column)
        USING restaurant, from_number, to_number, '{{id,version_id,created_at,updated_at}}'::text[];
    END LOOP;
END
$$;

-- Audit the net change from one version's content to another's, as rows of version_id.
CREATE FUNCTION rowform.record_changes(restaurant uuid, from_id uuid, to_id uuid, version_id uuid, why text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mark constant bigint := rowform.mark();
BEGIN
    INSERT INTO {app}.config_changes
        (restaurant_id, version_id, table_name, operation, old_data, new_data, changed_by, reason)
    SELECT $1, $4, change.kind, change.operation, change.old_data, change.new_data, rowform.actor(), why
    FROM rowform.net_change(restaurant, from_id, to_id) AS change;
    PERFORM rowform.unmark(mark);
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowform FROM PUBLIC;
