-- Statements about who may see which restaurant.

-- name: tenancy
-- The tables that are kept apart, and how far they are.
SELECT relation::text, is_active AND has_policy AS is_enforced
FROM rowform.tenancy() ORDER BY relation::text;

-- name: enforce_tenancy
-- Keep restaurants apart; what is so already is left alone.
SELECT rowform.enforce_tenancy();

-- name: any_settings
-- Whether an application is there already.
SELECT EXISTS (SELECT FROM unnest(%(relations)s::text[]) AS name WHERE to_regclass(name) IS NOT NULL);

-- name: members
-- Who is of which restaurants, or a gateway.
SELECT member.role_name::text AS role,
       bool_or(member.is_gateway) AS is_gateway,
       array_remove(array_agg(coalesce(restaurant.slug, restaurant.id::text) ORDER BY restaurant.slug), NULL)
           AS restaurants,
       EXISTS (SELECT FROM pg_roles WHERE rolname = member.role_name) AS exists
FROM rowform.members AS member
LEFT JOIN {app}.restaurants AS restaurant ON restaurant.id = member.restaurant_id
GROUP BY member.role_name
ORDER BY member.role_name;

-- name: forced
-- Tables whose owner is confined as well; rowform's own functions run as the owner.
SELECT class.oid::regclass::text AS relation
FROM unnest(%(relations)s::text[]) AS name
JOIN pg_class AS class ON class.oid = to_regclass(name)
JOIN pg_roles AS owner ON owner.oid = class.relowner
WHERE class.relforcerowsecurity AND NOT owner.rolsuper AND NOT owner.rolbypassrls
ORDER BY relation;

-- name: unmapped
-- Login roles that have privileges on settings, of their own or through others, and no restaurant. Those
-- that no policy holds anyway do not count, neither here nor there.
WITH place AS (
    SELECT class.oid, class.relowner, class.relacl
    FROM unnest(%(relations)s::text[]) AS name JOIN pg_class AS class ON class.oid = to_regclass(name)
), grantee AS (
    SELECT acl.grantee FROM place, aclexplode(place.relacl) AS acl
    WHERE acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    UNION
    SELECT acl.grantee
    FROM place JOIN pg_attribute AS attribute ON attribute.attrelid = place.oid, aclexplode(attribute.attacl) AS acl
    UNION
    SELECT oid FROM pg_roles WHERE rolname IN ('pg_read_all_data', 'pg_write_all_data')
)
SELECT role.rolname::text AS role,
       array_agg(coalesce(other.rolname, 'PUBLIC')::text ORDER BY other.rolname) AS through
FROM pg_roles AS role
JOIN grantee ON grantee.grantee = 0 OR pg_has_role(role.oid, grantee.grantee, {can_act_as})
LEFT JOIN pg_roles AS other ON other.oid = grantee.grantee
WHERE role.rolcanlogin AND NOT role.rolsuper AND NOT role.rolbypassrls
  AND NOT coalesce(other.rolsuper OR other.rolbypassrls, false)
  AND role.rolname <> ALL (%(members)s::text[])
  AND has_database_privilege(role.oid, current_database(), 'CONNECT')
  AND NOT EXISTS (SELECT FROM place WHERE pg_has_role(role.oid, place.relowner, 'USAGE'))
GROUP BY role.rolname
ORDER BY role.rolname;

-- name: bypassing
-- Every role that policies do not hold, and why. PUBLIC stands for all.
WITH place AS (
    SELECT class.oid, class.relname, class.relowner, class.relacl
    FROM unnest(%(relations)s::text[]) AS name JOIN pg_class AS class ON class.oid = to_regclass(name)
), direct (oid, rank, reason) AS (
    SELECT oid, 1, 'superuser' FROM pg_roles WHERE rolsuper
    UNION ALL
    SELECT oid, 2, 'BYPASSRLS' FROM pg_roles WHERE rolbypassrls AND NOT rolsuper
    UNION ALL
    SELECT relowner, 3, CASE WHEN count(*) = (SELECT count(*) FROM place) THEN 'owner of the tables'
                             ELSE 'owner of ' || string_agg(DISTINCT relname, ', ') END
    FROM place GROUP BY relowner
    UNION ALL
    SELECT acl.grantee, 4, 'TRIGGER on ' || string_agg(DISTINCT place.relname, ', ')
    FROM place, aclexplode(place.relacl) AS acl
    WHERE acl.privilege_type = 'TRIGGER' AND acl.grantee <> place.relowner
    GROUP BY acl.grantee
    UNION ALL
    SELECT acl.grantee, 5, 'EXECUTE on functions that run as rowform''s owner'
    FROM pg_proc AS function, aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) AS acl
    WHERE function.pronamespace = to_regnamespace('rowform') AND function.prosecdef
      AND function.proname <> 'my_restaurants' AND acl.grantee <> function.proowner
    GROUP BY acl.grantee
    UNION ALL
    SELECT oid, 6, 'reaches the server''s files' FROM pg_roles
    WHERE rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
), reason AS (
    SELECT oid, rank, reason FROM direct
    UNION ALL
    SELECT role.oid, 7, 'may act as ' || string_agg(DISTINCT other.rolname, ', ')
    FROM pg_roles AS role
    JOIN pg_roles AS other ON other.oid IN (SELECT oid FROM direct) AND other.oid <> role.oid
        AND pg_has_role(role.oid, other.oid, {can_act_as})
    WHERE NOT role.rolsuper
    GROUP BY role.oid
    UNION ALL
    -- From PostgreSQL 16 on this needs the other role's ADMIN OPTION.
    SELECT oid, 8, 'CREATEROLE' FROM pg_roles
    WHERE rolcreaterole AND NOT rolsuper AND current_setting('server_version_num')::integer < 160000
)
SELECT coalesce(role.rolname, 'PUBLIC')::text AS role,
       coalesce(role.rolcanlogin, false) AS can_login,
       array_agg(reason.reason ORDER BY reason.rank) AS reasons
FROM reason LEFT JOIN pg_roles AS role ON role.oid = reason.oid
WHERE role.rolname IS NULL OR role.rolname !~ '^pg_'
GROUP BY role.rolname, role.rolcanlogin
ORDER BY role.rolname;

-- name: routes
-- Views and functions of others that reach settings with the rights of an owner whom no policy holds.
WITH place AS (
    SELECT class.oid, class.relowner
    FROM unnest(%(relations)s::text[]) AS name JOIN pg_class AS class ON class.oid = to_regclass(name)
), free AS (
    SELECT oid FROM pg_roles AS role
    WHERE rolsuper OR rolbypassrls
       OR EXISTS (SELECT FROM place WHERE pg_has_role(role.oid, place.relowner, 'USAGE'))
)
SELECT format('%%s %%s', CASE relation.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
              relation.oid::regclass) AS route
FROM pg_class AS relation
WHERE relation.relkind IN ('v', 'm')
  AND relation.relnamespace <> to_regnamespace('rowform')
  AND (relation.relkind = 'm' OR NOT EXISTS (
      SELECT FROM pg_options_to_table(relation.reloptions)
      WHERE option_name = 'security_invoker' AND option_value::boolean))
  AND relation.relowner IN (SELECT oid FROM free)
  AND EXISTS (SELECT FROM aclexplode(relation.relacl) WHERE grantee <> relation.relowner)
  AND EXISTS (
      SELECT FROM pg_rewrite JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
      WHERE ev_class = relation.oid AND refclassid = 'pg_class'::regclass AND refobjid <> relation.oid
        AND refobjid IN (SELECT oid FROM place))
UNION ALL
SELECT format('function %%s', function.oid::regprocedure)
FROM pg_proc AS function
WHERE function.prosecdef AND function.prorettype <> 'trigger'::regtype
  AND function.pronamespace NOT IN ('rowform'::regnamespace, 'pg_catalog'::regnamespace)
  AND function.proowner IN (SELECT oid FROM free)
  AND EXISTS (
      SELECT FROM aclexplode(coalesce(function.proacl, acldefault('f', function.proowner)))
      WHERE grantee <> function.proowner)
  AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE classid = 'pg_proc'::regclass AND objid = function.oid AND deptype = 'e')
ORDER BY 1;

-- name: foreign_policies
-- The application's own policies. Those that read id or version_id mean storage's, which are others.
SELECT class.oid::regclass::text AS relation,
       policy.polname::text AS name,
       policy.polpermissive AS is_permissive,
       CASE policy.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                          WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
       ARRAY(SELECT CASE role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(role)::text END
             FROM unnest(policy.polroles) AS role ORDER BY 1) AS roles,
       pg_get_expr(policy.polqual, policy.polrelid) AS using_expression,
       pg_get_expr(policy.polwithcheck, policy.polrelid) AS check_expression,
       ARRAY(SELECT DISTINCT attname::text
             FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
             WHERE classid = 'pg_policy'::regclass AND objid = policy.oid
               AND refclassid = 'pg_class'::regclass AND refobjid = class.oid
               AND class.relnamespace = to_regnamespace('rowform') AND attname IN ('id', 'version_id')
             ORDER BY 1) AS storage_ids
FROM unnest(%(relations)s::text[]) AS relation
JOIN pg_class AS class ON class.oid = to_regclass(relation)
JOIN pg_policy AS policy ON policy.polrelid = class.oid
WHERE policy.polname NOT IN ('rowform_tenancy', 'rowform_access')
ORDER BY 1, 2;

-- name: can_act_as
-- The privileges on a role that let another one act as it; the word SET came with PostgreSQL 16.
CASE WHEN current_setting('server_version_num')::integer >= 160000
     THEN 'USAGE, SET, USAGE WITH ADMIN OPTION' ELSE 'MEMBER' END
