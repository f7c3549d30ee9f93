-- What an application has grown around its tables.
ALTER TABLE daily_limits ALTER COLUMN penalty_weight TYPE numeric(5, 2), ALTER COLUMN is_hard_constraint SET NOT NULL;
ALTER TABLE staff_groups ALTER COLUMN color TYPE varchar(7);
ALTER TABLE staff_groups ADD COLUMN legacy_id integer DEFAULT 7, ADD COLUMN note text,
    ADD COLUMN shout text GENERATED ALWAYS AS (upper(name)) STORED;
COMMENT ON TABLE staff_groups IS 'Who works with whom';
CREATE TABLE shifts (id serial PRIMARY KEY, group_id uuid REFERENCES staff_groups (id));
INSERT INTO shifts (group_id) SELECT id FROM staff_groups;
CREATE VIEW active_groups WITH (security_barrier) AS
    SELECT sg.id, sg.name, v.version_number FROM staff_groups sg
    JOIN config_versions v ON v.id = sg.version_id WHERE v.is_active AND sg.is_active;
CREATE FUNCTION group_count() RETURNS bigint LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT count(*) FROM staff_groups; END;
ALTER TABLE priority_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON priority_rules USING (true);
CREATE TABLE fired (what text);
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO fired VALUES (TG_TABLE_NAME || ' ' || TG_OP); RETURN NEW; END$$;
CREATE TRIGGER log_versions AFTER UPDATE ON config_versions FOR EACH ROW EXECUTE FUNCTION fired();
CREATE TRIGGER log_groups AFTER INSERT ON staff_groups FOR EACH ROW EXECUTE FUNCTION fired();
ALTER TABLE staff_groups ENABLE ALWAYS TRIGGER log_groups;
CREATE TRIGGER asleep BEFORE UPDATE ON daily_limits FOR EACH ROW EXECUTE FUNCTION fired();
ALTER TABLE daily_limits DISABLE TRIGGER asleep;
CREATE PUBLICATION realtime FOR TABLE staff_groups;
