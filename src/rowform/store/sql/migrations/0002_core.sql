-- Versions, the audit trail and rowform's own books. {app} is the application's schema.

-- A foreign key that cascades would take the history along; composite ones keep restaurants apart.
DO $do$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS referencing, conname
        FROM pg_constraint
        WHERE contype = 'f'
          AND conrelid IN (to_regclass({versions}), to_regclass({changes}))
          AND confrelid IN (to_regclass({restaurants}), to_regclass({versions}))
          AND ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey))
              <@ ARRAY['restaurant_id', 'version_id']
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.referencing, found.conname);
    END LOOP;
END
$do$;

ALTER TABLE {app}.config_versions
    ADD COLUMN base_version_id uuid CHECK (base_version_id <> id),
    ADD COLUMN source jsonb NOT NULL DEFAULT '{{}}';
UPDATE {app}.config_versions
SET source = '{{"kind": "adopted"}}',
    name = CASE WHEN btrim(coalesce(name, '')) = '' THEN format('Version %s', version_number) ELSE name END;
DO $do$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_index
        WHERE indrelid = to_regclass({versions}) AND indisunique AND indpred IS NULL AND indexprs IS NULL
          AND ARRAY(SELECT attname::text FROM pg_attribute
                    WHERE attrelid = indrelid AND attnum = ANY (indkey[0:indnkeyatts - 1]) ORDER BY attname)
              = '{{restaurant_id,version_number}}'
    ) THEN
        ALTER TABLE {app}.config_versions ADD UNIQUE (restaurant_id, version_number);
    END IF;
END
$do$;
ALTER TABLE {app}.config_versions
    ALTER COLUMN name SET NOT NULL,
    ALTER COLUMN version_number SET NOT NULL,
    ADD UNIQUE (restaurant_id, id),
    ADD UNIQUE (restaurant_id, id, version_number),
    ADD FOREIGN KEY (restaurant_id) REFERENCES {app}.restaurants (id),
    ADD FOREIGN KEY (restaurant_id, base_version_id) REFERENCES {app}.config_versions (restaurant_id, id),
    -- Not a unique index: that would object to one statement that switches from one to the other.
    ADD CONSTRAINT config_versions_one_active EXCLUDE USING btree (restaurant_id WITH =) WHERE (is_active)
        DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE {app}.config_changes
    ADD COLUMN restaurant_id uuid,
    ADD COLUMN seq bigint;
UPDATE {app}.config_changes AS change
SET restaurant_id = placed.restaurant_id, seq = placed.seq
FROM (
    SELECT one.id, version.restaurant_id,
           row_number() OVER (ORDER BY one.changed_at NULLS FIRST, one.ctid) AS seq
    FROM {app}.config_changes AS one
    LEFT JOIN {app}.config_versions AS version ON version.id = one.version_id
) AS placed
WHERE placed.id = change.id;
ALTER TABLE {app}.config_changes
    ALTER COLUMN seq SET NOT NULL,
    ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {app}.config_changes_seq_seq);
SELECT setval({sequence}, max(seq)) FROM {app}.config_changes HAVING count(*) > 0;
ALTER TABLE {app}.config_changes
    -- A null in a composite foreign key switches the check off. Old rows may have one.
    ADD CONSTRAINT config_changes_restaurant_check CHECK (version_id IS NULL OR restaurant_id IS NOT NULL)
        NOT VALID,
    ADD FOREIGN KEY (restaurant_id, version_id) REFERENCES {app}.config_versions (restaurant_id, id);

CREATE UNIQUE INDEX config_changes_seq ON {app}.config_changes (seq);
CREATE UNIQUE INDEX config_changes_in_order ON {app}.config_changes (restaurant_id, seq);
CREATE INDEX config_changes_by_table ON {app}.config_changes (restaurant_id, table_name, seq);
CREATE INDEX config_changes_by_version ON {app}.config_changes (version_id, changed_at);

-- One row: which database this is, where the application's tables are, and since when direct writes
-- are refused; managed_in is what people then read. given_paths are the application's functions that
-- got a search_path when its tables were taken over.
CREATE TABLE rowform.database (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    application_schema text NOT NULL,
    protected_at timestamptz,
    managed_in text,
    given_paths text[] NOT NULL DEFAULT '{{}}',
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);

CREATE TABLE rowform.kinds (
    name text PRIMARY KEY,
    key_column text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    tool_version text NOT NULL
);

-- A transaction that writes settings inserts its mark first and deletes it last. Nobody else ever
-- sees a mark, and none outlives its transaction, so that it need not survive a crash either.
-- A rollback says which activation it goes back to; stages says that a version is made to be activated later.
CREATE UNLOGGED TABLE rowform.own_writes (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- Ten thousand direct writes in one transaction leave as many dead marks: the living one is the last.
    number bigint GENERATED ALWAYS AS IDENTITY,
    back_to bigint,
    stages boolean NOT NULL DEFAULT false,
    PRIMARY KEY (xid, number)
);

-- Which transaction made a version. Every version has its row for ever, and so none can be forged
-- later. The time is compared as well, because transaction ids start again after dump and restore.
CREATE TABLE rowform.version_births (
    version_id uuid PRIMARY KEY REFERENCES {app}.config_versions (id),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    made_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);

CREATE INDEX version_births_xid ON rowform.version_births (xid);

-- Versions that an application made itself and has not activated yet.
CREATE TABLE rowform.drafts (
    version_id uuid PRIMARY KEY REFERENCES {app}.config_versions (id)
);

-- Every activation, and which earlier one it replaced: what a rollback goes back to.
CREATE TABLE rowform.activations (
    step bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    restaurant_id uuid NOT NULL,
    version_id uuid NOT NULL,
    replaced bigint REFERENCES rowform.activations (step),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    activated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (restaurant_id, version_id) REFERENCES {app}.config_versions (restaurant_id, id)
);

CREATE INDEX activations_in_order ON rowform.activations (restaurant_id, step);
CREATE INDEX activations_by_version ON rowform.activations (version_id);
-- What refers to a row is looked for when a restaurant is purged.
CREATE INDEX activations_by_replaced ON rowform.activations (replaced) WHERE replaced IS NOT NULL;
CREATE INDEX config_versions_by_base ON {app}.config_versions (base_version_id) WHERE base_version_id IS NOT NULL;

-- The rows of config_changes that others wrote: what the application logs itself.
CREATE TABLE rowform.notes (
    seq bigint PRIMARY KEY
);

-- What the running statement has reached through a settings view: a setting, by the newest version that
-- it was seen in, and what it was; and restaurants of which it also saw versions that are finished.
CREATE UNLOGGED TABLE rowform.reached (
    xid xid8 NOT NULL,
    kind text NOT NULL,
    restaurant_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    version_number integer NOT NULL,
    image jsonb,
    PRIMARY KEY (xid, kind, restaurant_id, entity_id)
);
CREATE UNLOGGED TABLE rowform.passed_over (
    xid xid8 NOT NULL,
    kind text NOT NULL,
    restaurant_id uuid NOT NULL,
    version_number integer NOT NULL,
    PRIMARY KEY (xid, kind, restaurant_id)
);

INSERT INTO rowform.version_births (version_id, xid, made_at)
SELECT id, '3', '-infinity' FROM {app}.config_versions;
INSERT INTO rowform.notes SELECT seq FROM {app}.config_changes;
INSERT INTO rowform.activations (restaurant_id, version_id, xid, activated_at)
SELECT restaurant_id, id, '3', coalesce(created_at, '-infinity') FROM {app}.config_versions WHERE is_active AND restaurant_id IS NOT NULL;

-- Versions that were made complete, and that have never been active.
CREATE VIEW rowform.staged_versions AS
    SELECT version.id AS version_id, version.restaurant_id, version.version_number
    FROM {app}.config_versions AS version
    JOIN rowform.version_births AS birth ON birth.version_id = version.id AND birth.made_at > '-infinity'
    WHERE NOT EXISTS (SELECT FROM rowform.drafts WHERE drafts.version_id = version.id)
      AND NOT EXISTS (SELECT FROM rowform.activations WHERE activations.version_id = version.id);

-- The versions that this very transaction has made and nobody has followed yet.
CREATE VIEW rowform.fresh_versions AS
    SELECT version.id AS version_id, version.restaurant_id, version.version_number
    FROM rowform.version_births AS birth
    JOIN {app}.config_versions AS version ON version.id = birth.version_id
    WHERE birth.xid = pg_current_xact_id_if_assigned()
      AND birth.made_at = transaction_timestamp()
      AND NOT EXISTS (
          SELECT FROM {app}.config_versions AS newer
          WHERE newer.restaurant_id = version.restaurant_id
            AND newer.version_number > version.version_number
      );

-- The versions that may still be filled. A row of such a version ends where the next version begins.
CREATE VIEW rowform.open_versions AS
    SELECT version_id, restaurant_id, version_number, NULL::integer AS next_number
    FROM rowform.fresh_versions
    UNION
    SELECT version.id, version.restaurant_id, version.version_number,
           (SELECT min(later.version_number) FROM {app}.config_versions AS later
            WHERE later.restaurant_id = version.restaurant_id
              AND later.version_number > version.version_number)
    FROM rowform.drafts AS draft
    JOIN {app}.config_versions AS version ON version.id = draft.version_id;
