-- Versions, the audit trail and rowform's own books. {app} is the application's schema.

CREATE TABLE {app}.restaurants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    slug varchar(100) UNIQUE,
    timezone varchar(50) DEFAULT 'Asia/Tokyo',
    is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE {app}.config_versions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    restaurant_id uuid NOT NULL REFERENCES {app}.restaurants (id),
    version_number integer NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamptz DEFAULT now(),
    is_active boolean DEFAULT true,
    is_locked boolean DEFAULT false,
    base_version_id uuid CHECK (base_version_id <> id),
    source jsonb NOT NULL DEFAULT '{{}}',
    UNIQUE (restaurant_id, version_number),
    UNIQUE (restaurant_id, id),
    UNIQUE (restaurant_id, id, version_number),
    FOREIGN KEY (restaurant_id, base_version_id) REFERENCES {app}.config_versions (restaurant_id, id)
);

CREATE UNIQUE INDEX config_versions_one_active ON {app}.config_versions (restaurant_id) WHERE is_active;

CREATE TABLE {app}.config_changes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    version_id uuid,
    table_name text NOT NULL,
    operation text NOT NULL,
    old_data jsonb,
    new_data jsonb,
    changed_by uuid,
    changed_at timestamptz DEFAULT now(),
    reason text,
    restaurant_id uuid,
    seq bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {app}.config_changes_seq_seq),
    -- A null in a composite foreign key switches the check off.
    CONSTRAINT config_changes_restaurant_check CHECK (version_id IS NULL OR restaurant_id IS NOT NULL),
    FOREIGN KEY (restaurant_id, version_id) REFERENCES {app}.config_versions (restaurant_id, id)
);

CREATE UNIQUE INDEX config_changes_seq ON {app}.config_changes (seq);
CREATE UNIQUE INDEX config_changes_in_order ON {app}.config_changes (restaurant_id, seq);
CREATE INDEX config_changes_by_table ON {app}.config_changes (restaurant_id, table_name, seq);
CREATE INDEX config_changes_by_version ON {app}.config_changes (version_id);

-- One row: which database this is, and where the application's tables are.
CREATE TABLE rowform.database (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    application_schema text NOT NULL,
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);

CREATE TABLE rowform.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    tool_version text NOT NULL
);

CREATE TABLE rowform.kinds (
    name text PRIMARY KEY,
    key_column text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    tool_version text NOT NULL
);

-- A transaction that writes settings inserts its mark first and deletes it last. Nobody else ever
-- sees a mark, and none outlives its transaction, so that it need not survive a crash either.
CREATE UNLOGGED TABLE rowform.own_writes (
    xid xid8 PRIMARY KEY DEFAULT pg_current_xact_id()
);

-- Which transaction made a version. Every version has its row for ever, and so none can be forged
-- later. The time is compared as well, because transaction ids start again after dump and restore.
CREATE TABLE rowform.version_births (
    version_id uuid PRIMARY KEY REFERENCES {app}.config_versions (id),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    made_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);

CREATE INDEX version_births_xid ON rowform.version_births (xid);

-- The versions that this very transaction may fill: made in it, and the newest of their restaurant.
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
