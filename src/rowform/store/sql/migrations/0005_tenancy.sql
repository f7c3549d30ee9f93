-- Who may see which restaurant: members, and row level security that asks them.
--
-- A role is confined if row level security applies to it at all; PostgreSQL itself exempts superusers,
-- roles with BYPASSRLS, and the owner with its members. rowform's own functions run as the owner.

-- A login role, by name, is of some restaurants, or it is a gateway that people are trusted to get in
-- by: then every transaction says itself which restaurant it is about.
CREATE TABLE rowform.members (
    role_name name NOT NULL,
    restaurant_id uuid REFERENCES {app}.restaurants (id) ON DELETE CASCADE,
    is_gateway boolean NOT NULL DEFAULT false,
    added_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT members_gateway_or_restaurant CHECK (is_gateway = (restaurant_id IS NULL)),
    CONSTRAINT members_once UNIQUE NULLS NOT DISTINCT (role_name, restaurant_id)
);

CREATE INDEX members_of_restaurant ON rowform.members (restaurant_id);

CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON rowform.members
    FOR EACH STATEMENT EXECUTE FUNCTION rowform.owner_only();

-- The restaurants of the role that logged in, which no SET ROLE changes. For a gateway it is the one that
-- the transaction names, first in a setting, else in the claims of a token; what is no UUID names none.
-- Claims below user_metadata are no proof: people edit them themselves.
CREATE FUNCTION rowform.my_restaurants() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN EXISTS (SELECT FROM rowform.members WHERE role_name = session_user AND is_gateway)
    THEN array_remove(ARRAY[rowform.as_uuid(coalesce(
             nullif(current_setting('rowform.restaurant_id', true), ''),
             rowform.claims() ->> 'restaurant_id',
             rowform.claims() -> 'app_metadata' ->> 'restaurant_id'))], NULL)
    ELSE ARRAY(SELECT restaurant_id FROM rowform.members WHERE role_name = session_user)
END;

-- The tables that are kept apart, with the column that names the restaurant, and how far they are.
CREATE FUNCTION rowform.tenancy(
    OUT relation regclass, OUT restaurant_column name, OUT is_active boolean, OUT has_policy boolean
) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT place.relation, place.restaurant_column, class.relrowsecurity,
           EXISTS (
               SELECT FROM pg_policy
               WHERE polrelid = class.oid AND polname = 'rowform_tenancy' AND NOT polpermissive
                 AND polcmd = '*' AND polroles = '{{0}}'
           )
    FROM (
        VALUES ({restaurants}::regclass, name 'id'), ({versions}::regclass, 'restaurant_id'),
               ({changes}::regclass, 'restaurant_id')
        UNION ALL
        SELECT to_regclass(format('rowform.%I', kinds.name)), 'restaurant_id' FROM rowform.kinds
    ) AS place (relation, restaurant_column)
    JOIN pg_class AS class ON class.oid = place.relation;
END;

-- Keep restaurants apart from now on; what is so already is left alone. Where nothing but grants decided
-- so far, they go on deciding within the restaurant. The application's own policies are never touched.
CREATE FUNCTION rowform.enforce_tenancy() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place record;
BEGIN
    FOR place IN SELECT * FROM rowform.tenancy() LOOP
        IF NOT place.has_policy THEN
            EXECUTE format('DROP POLICY IF EXISTS rowform_tenancy ON %s', place.relation);
            -- The sub-select is evaluated once for a query, not for each row.
            EXECUTE format(
                'CREATE POLICY rowform_tenancy ON %s AS RESTRICTIVE'
                ' USING (%I = ANY ((SELECT rowform.my_restaurants())::uuid[]))',
                place.relation, place.restaurant_column);
        END IF;
        IF NOT place.is_active THEN
            EXECUTE format('DROP POLICY IF EXISTS rowform_access ON %s', place.relation);
            EXECUTE format('CREATE POLICY rowform_access ON %s USING (true)', place.relation);
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', place.relation);
        END IF;
    END LOOP;
END
$$;

------------------------------------------------------------------- policies and the settings views

-- What a table's policies say of one command to the current role, as SQL. Permissive ones are joined by
-- OR, and without any of them nothing is allowed; restrictive ones are joined by AND.
CREATE FUNCTION rowform.policy(relation regclass, command "char", of_new_row boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, {app}, pg_temp
RETURN (
    SELECT format('(%s) AND (%s)',
                  coalesce(string_agg(condition, ' OR ') FILTER (WHERE polpermissive), 'false'),
                  coalesce(string_agg(condition, ' AND ') FILTER (WHERE NOT polpermissive), 'true'))
    FROM pg_policy,
         LATERAL (SELECT '(' || pg_get_expr(
             CASE WHEN of_new_row THEN coalesce(polwithcheck, polqual) ELSE polqual END, polrelid) || ')'
         ) AS text_of (condition)
    WHERE polrelid = relation AND polcmd IN ('*', command)
      AND EXISTS (SELECT FROM unnest(polroles) AS role WHERE role = 0 OR pg_has_role(role, 'USAGE'))
);

-- Writes to a settings view are carried out by the owner, whom no policy confines; so this comes first, as
-- the writer, and asks storage's policies what PostgreSQL would ask a table's. To them a setting is as the
-- view shows it. The application's schema is on the path because functions in its policies may rely on it,
-- and behind pg_catalog so that nobody puts an operator of his own into them. A function that fits better
-- would be taken from there all the same, and so they are called in full.
--
-- The same before a version is inserted: the restaurant's lock is not for strangers.
CREATE FUNCTION rowform.admit() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {app}, pg_temp
AS $$
DECLARE
    is_view constant boolean := TG_WHEN = 'INSTEAD OF';
    asked constant regclass := CASE
        WHEN is_view THEN pg_catalog.to_regclass(pg_catalog.format('rowform.%I', TG_TABLE_NAME))
        ELSE TG_RELID END;
    question text;
    seen jsonb;
    admitted boolean;
BEGIN
    IF NOT pg_catalog.row_security_active(asked) THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    question := pg_catalog.format(
        'SELECT (%%s) IS TRUE FROM pg_catalog.jsonb_populate_record(NULL::%s, $1) AS %I', asked, TG_TABLE_NAME);
    IF TG_OP <> 'INSERT' THEN
        seen := pg_catalog.to_jsonb(OLD) || pg_catalog.jsonb_build_object('entity_id', OLD.id);
        EXECUTE pg_catalog.format(question, rowform.policy(
            asked, CASE TG_OP WHEN 'UPDATE' THEN "char" 'w' ELSE 'd' END, false))
        INTO admitted USING seen;
        IF NOT admitted THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
    END IF;
    seen := pg_catalog.to_jsonb(NEW);
    IF is_view THEN
        seen := seen || pg_catalog.jsonb_build_object('entity_id', NEW.id);
        IF NEW.restaurant_id IS NULL THEN
            -- Then it is the version's, if the writer may see that.
            seen := seen || pg_catalog.jsonb_build_object('restaurant_id', (
                SELECT restaurant_id FROM {app}.config_versions WHERE id = NEW.version_id));
        END IF;
    END IF;
    -- Whoever updates a row must be able to see the new one as well.
    EXECUTE pg_catalog.format(question, CASE TG_OP
        WHEN 'INSERT' THEN rowform.policy(asked, 'a', true)
        ELSE rowform.policy(asked, 'w', true) || ' AND ' || rowform.policy(asked, 'r', false) END)
    INTO admitted USING seen;
    IF NOT admitted THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = pg_catalog.format(
                'new row violates row-level security policy for %s "%s"',
                CASE WHEN is_view THEN 'view' ELSE 'table' END, TG_TABLE_NAME);
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER zz_rowform_admit BEFORE INSERT ON {app}.config_versions
    FOR EACH ROW WHEN (NEW.restaurant_id IS NOT NULL AND row_security_active({versions}::regclass))
    EXECUTE FUNCTION rowform.admit();

-- A version of another restaurant must look like one that does not exist.
CREATE FUNCTION rowform.change_admitted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rowform.tenancy() WHERE relation = TG_RELID AND has_policy)
       AND NOT EXISTS (
           SELECT FROM {app}.config_versions
           WHERE id = NEW.version_id AND restaurant_id = ANY (rowform.my_restaurants())
       ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('there is no config version %s', NEW.version_id);
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER zz_rowform_admit BEFORE INSERT ON {app}.config_changes
    FOR EACH ROW WHEN (NEW.restaurant_id IS NULL AND NEW.version_id IS NOT NULL
                       AND row_security_active({changes}::regclass))
    EXECUTE FUNCTION rowform.change_admitted();

------------------------------------------------------------------------------- rowform's own books

-- They name every restaurant's versions. Privileges on all tables of a schema are easily granted.
ALTER TABLE rowform.members ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.own_writes ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.version_births ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.activations ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.reached ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowform.passed_over ENABLE ROW LEVEL SECURITY;
ALTER VIEW rowform.staged_versions SET (security_invoker = true);
ALTER VIEW rowform.fresh_versions SET (security_invoker = true);
ALTER VIEW rowform.open_versions SET (security_invoker = true);

-- Policies are asked as the caller. Everything else in the schema has privileges of its own.
REVOKE ALL ON rowform.members FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowform FROM PUBLIC;
GRANT USAGE ON SCHEMA rowform TO PUBLIC;
GRANT EXECUTE ON FUNCTION rowform.my_restaurants(), rowform.policy(regclass, "char", boolean), rowform.last_lock(uuid)
    TO PUBLIC;
