"""A database's schema as text, to compare two of them, or one before and after."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

Row = tuple[Any, ...]

_CATALOG = """
SELECT 'column', c.oid::regclass::text, a.attname,
       concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                 pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = ANY (%(schemas)s::regnamespace[]) AND a.attnum > 0 AND c.relkind IN ('r', 'v')
UNION ALL
SELECT 'relation', oid::regclass::text, relkind::text,
       concat_ws(' ', reloptions, relacl, relpersistence, relrowsecurity)
FROM pg_class WHERE relnamespace = ANY (%(schemas)s::regnamespace[])
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = ANY (%(schemas)s::regnamespace[])
UNION ALL
SELECT 'index', indexrelid::regclass::text, '', pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relnamespace = ANY (%(schemas)s::regnamespace[])
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid) || tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
WHERE relnamespace = ANY (%(schemas)s::regnamespace[]) AND NOT tgisinternal
UNION ALL
SELECT 'function', oid::regprocedure::text, proacl::text, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = ANY (%(schemas)s::regnamespace[]) AND prokind = 'f'
UNION ALL
SELECT 'view', oid::regclass::text, '', pg_get_viewdef(oid)
FROM pg_class WHERE relkind = 'v' AND relnamespace = ANY (%(schemas)s::regnamespace[])
UNION ALL
SELECT 'policy', polrelid::regclass::text, polname,
       concat_ws(' ', polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid),
                 pg_get_expr(polwithcheck, polrelid))
FROM pg_policy p JOIN pg_class c ON c.oid = polrelid
WHERE relnamespace = ANY (%(schemas)s::regnamespace[])
UNION ALL
SELECT 'schema', nspname, nspacl::text, '' FROM pg_namespace WHERE oid = ANY (%(schemas)s::regnamespace[])
ORDER BY 1, 2, 3, 4
"""


def catalog(connection: Connection, application: str = "public") -> list[Row]:
    """Everything that an upgrade may make, as text."""
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname IN ('rowform', %s)", (application,)
    )
    names = [sql.Identifier(name).as_string(connection) for (name,) in rows]
    return connection.execute(_CATALOG, {"schemas": names}).fetchall()
