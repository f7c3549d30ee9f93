-- What only the owner of the tables can decide: each finding with what leads to it.

-- staff_groups: has group_config of the type json instead of jsonb
ALTER TABLE staff_groups ALTER COLUMN group_config TYPE json USING group_config::json, ALTER COLUMN
    group_config SET DEFAULT NULL;

-- staff_groups: has id of the type text instead of uuid
ALTER TABLE staff_groups ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE text;

-- priority_rules: has priority_level of the type text instead of integer
ALTER TABLE priority_rules ALTER COLUMN priority_level TYPE text;

-- staff_groups: has color of the type public.level instead of text
CREATE TYPE level AS ENUM ('a');
ALTER TABLE staff_groups ALTER COLUMN color TYPE level USING 'a'::level;

-- staff_groups: has a column with a name of ours (since_version)
ALTER TABLE staff_groups ADD since_version int;

-- config_versions: has a column with a name of ours (source)
ALTER TABLE config_versions ADD source text;

-- config_changes: has a column with a name of ours (restaurant_id)
ALTER TABLE config_changes ADD restaurant_id uuid;

-- restaurants: has no name
ALTER TABLE restaurants DROP COLUMN name;

-- staff_groups: the rule _RETURN on materialized view public.m is tied to the table itself, which becomes rowform's storage
CREATE MATERIALIZED VIEW m AS SELECT name FROM staff_groups;

-- staff_groups: the policy p on table public.restaurants is tied to the table itself, which becomes rowform's storage
CREATE POLICY p ON restaurants USING (EXISTS (SELECT FROM staff_groups));

-- staff_groups: the rule r on table public.staff_groups is tied to the table itself, which becomes rowform's storage
CREATE RULE r AS ON DELETE TO staff_groups DO INSTEAD NOTHING;

-- staff_groups: the function public.f() is tied to the table itself, which becomes rowform's storage
CREATE FUNCTION f() RETURNS SETOF staff_groups LANGUAGE sql AS 'SELECT * FROM staff_groups';

-- staff_groups: the table public.copy is tied to the table itself, which becomes rowform's storage
CREATE TABLE copy (old staff_groups);

-- staff_groups: inherits from another table, or is inherited
CREATE TABLE child () INHERITS (staff_groups);

-- config_versions: versions of one restaurant with the same number, or without one
ALTER TABLE config_versions DROP CONSTRAINT config_versions_restaurant_id_version_number_key;
INSERT INTO config_versions (restaurant_id, version_number, is_active) VALUES
    ('e1661c71-b24f-4ee1-9e8b-7290a43c9575', 1, false);

-- staff_groups: rows whose name is longer than 2,500 bytes
UPDATE staff_groups SET name = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 90) n) WHERE
    name = 'Group 1';

-- staff_groups: wants owner in every row, which rowform does not know
ALTER TABLE staff_groups ADD owner uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE staff_groups ALTER owner DROP DEFAULT;

-- staff_groups: has identity columns (number), and a setting has a row for each of its versions
ALTER TABLE staff_groups ADD number int GENERATED ALWAYS AS IDENTITY;

-- staff_groups: ids that are missing or not unique
ALTER TABLE staff_groups DROP CONSTRAINT staff_groups_pkey;
INSERT INTO staff_groups SELECT * FROM staff_groups WHERE name = 'Group 1';

-- staff_groups: has indexes with names of ours (staff_groups_past)
CREATE INDEX staff_groups_past ON staff_groups (name);

-- staff_groups: is a view and no plain table
ALTER TABLE staff_groups RENAME TO groups;
CREATE VIEW staff_groups AS SELECT * FROM groups;
