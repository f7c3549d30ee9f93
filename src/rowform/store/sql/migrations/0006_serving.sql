-- Live servers: a role that serves many restaurants, one at a time, and needs no other rights for it.

-- The restaurant that somebody means: by id if it is a UUID, else by slug; without a name, the only one.
CREATE FUNCTION rowform.find_restaurant(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN wanted IS NULL THEN (
        SELECT (array_agg(found.id))[1] FROM (SELECT id FROM {app}.restaurants LIMIT 2) AS found
        HAVING count(*) = 1)
    WHEN rowform.as_uuid(wanted) IS NOT NULL THEN (
        SELECT id FROM {app}.restaurants WHERE id = rowform.as_uuid(wanted))
    ELSE (SELECT id FROM {app}.restaurants WHERE slug = wanted)
END;

-- What is active in some restaurants, and in those that some versions are of; and for how many seconds.
CREATE FUNCTION rowform.live_versions(
    of_restaurants uuid[], of_versions uuid[],
    OUT restaurant_id uuid, OUT slug text, OUT timezone text, OUT version_id uuid, OUT is_locked boolean,
    OUT name text, OUT description text, OUT age double precision
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT restaurant.id, restaurant.slug::text, restaurant.timezone::text, version.id,
           coalesce(version.is_locked, false), version.name, version.description,
           -- An adopted version may be active since minus infinity, from which no time can be subtracted.
           (extract(epoch FROM clock_timestamp()) - (
               SELECT extract(epoch FROM max(activation.activated_at)) FROM rowform.activations AS activation
               WHERE activation.version_id = version.id))::double precision
    FROM {app}.restaurants AS restaurant
    LEFT JOIN {app}.config_versions AS version ON version.restaurant_id = restaurant.id AND version.is_active
    WHERE restaurant.id = ANY (of_restaurants || ARRAY(
        SELECT other.restaurant_id FROM {app}.config_versions AS other WHERE other.id = ANY (of_versions)));
END;

-- Clients show whether the active version is locked: they hear of it as they hear of an activation.
CREATE FUNCTION rowform.tell_lock() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rowform', NEW.id::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER zz_rowform_tell_lock AFTER UPDATE ON {app}.config_versions
    FOR EACH ROW WHEN (NEW.is_active AND OLD.is_active AND OLD.is_locked IS DISTINCT FROM NEW.is_locked)
    EXECUTE FUNCTION rowform.tell_lock();

-- Whoever serves a restaurant's versions and audit trail may read what rowform's own books say of them.
CREATE POLICY rowform_reading ON rowform.activations FOR SELECT USING (
    (SELECT has_function_privilege('rowform.live_versions(uuid[], uuid[])'::regprocedure, 'EXECUTE'))
    AND restaurant_id = ANY ((SELECT rowform.my_restaurants())::uuid[]));
CREATE POLICY rowform_reading ON rowform.version_births FOR SELECT USING (
    (SELECT has_function_privilege('rowform.live_versions(uuid[], uuid[])'::regprocedure, 'EXECUTE'))
    AND EXISTS (
        SELECT FROM {app}.config_versions AS version
        WHERE version.id = version_id AND version.restaurant_id = ANY ((SELECT rowform.my_restaurants())::uuid[])));
CREATE POLICY rowform_reading ON rowform.drafts FOR SELECT USING (
    (SELECT has_function_privilege('rowform.live_versions(uuid[], uuid[])'::regprocedure, 'EXECUTE'))
    AND EXISTS (
        SELECT FROM {app}.config_versions AS version
        WHERE version.id = version_id AND version.restaurant_id = ANY ((SELECT rowform.my_restaurants())::uuid[])));
CREATE POLICY rowform_reading ON rowform.notes FOR SELECT USING (
    (SELECT has_function_privilege('rowform.live_versions(uuid[], uuid[])'::regprocedure, 'EXECUTE'))
    AND EXISTS (
        SELECT FROM {app}.config_changes AS change
        WHERE change.seq = notes.seq AND change.restaurant_id = ANY ((SELECT rowform.my_restaurants())::uuid[])));

-- Let a login role serve: read settings and versions of the one restaurant that each transaction names.
-- Again after an upgrade that added a kind.
CREATE FUNCTION rowform.allow_serving(server name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place record;
    home constant text := (SELECT application_schema FROM rowform.database);
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I, rowform TO %I', home, server);
    FOR place IN
        SELECT relation FROM rowform.tenancy()
        UNION ALL
        SELECT to_regclass(format('%I.%I', home, kinds.name)) FROM rowform.kinds
        UNION ALL
        VALUES ('rowform.database'::regclass), ('rowform.kinds'), ('rowform.migrations'),
               ('rowform.activations'), ('rowform.version_births'), ('rowform.drafts'), ('rowform.notes'),
               ('rowform.staged_versions')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %I', place.relation, server);
    END LOOP;
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION rowform.find_restaurant(text), rowform.live_versions(uuid[], uuid[]),'
        ' rowform.tenancy() TO %I', server);
    INSERT INTO rowform.members (role_name, is_gateway) VALUES (server, true) ON CONFLICT DO NOTHING;
END
$$;

-- Both know of all restaurants: they are for whom allow_serving names, and not for everybody behind a gateway.
REVOKE ALL ON FUNCTION rowform.find_restaurant(text), rowform.live_versions(uuid[], uuid[]),
    rowform.allow_serving(name), rowform.tell_lock() FROM PUBLIC;
