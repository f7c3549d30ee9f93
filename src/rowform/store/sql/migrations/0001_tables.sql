-- The application's tables that stay tables, as the application itself would make them. Those that
-- are there already are taken as they are and get the columns that they lack; the next migration gives
-- all of them what rowform needs.

CREATE TABLE IF NOT EXISTS {app}.restaurants ();
ALTER TABLE {app}.restaurants
    ADD COLUMN IF NOT EXISTS id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ADD COLUMN IF NOT EXISTS name varchar(255) NOT NULL,
    ADD COLUMN IF NOT EXISTS slug varchar(100) UNIQUE,
    ADD COLUMN IF NOT EXISTS timezone varchar(50) DEFAULT 'Asia/Tokyo',
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now();

CREATE TABLE IF NOT EXISTS {app}.config_versions ();
ALTER TABLE {app}.config_versions
    ADD COLUMN IF NOT EXISTS id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ADD COLUMN IF NOT EXISTS restaurant_id uuid,
    ADD COLUMN IF NOT EXISTS version_number integer NOT NULL,
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS description text,
    ADD COLUMN IF NOT EXISTS created_by uuid,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS is_locked boolean DEFAULT false;

CREATE TABLE IF NOT EXISTS {app}.config_changes ();
ALTER TABLE {app}.config_changes
    ADD COLUMN IF NOT EXISTS id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ADD COLUMN IF NOT EXISTS version_id uuid,
    ADD COLUMN IF NOT EXISTS table_name text NOT NULL,
    ADD COLUMN IF NOT EXISTS operation text NOT NULL,
    ADD COLUMN IF NOT EXISTS old_data jsonb,
    ADD COLUMN IF NOT EXISTS new_data jsonb,
    ADD COLUMN IF NOT EXISTS changed_by uuid,
    ADD COLUMN IF NOT EXISTS changed_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS reason text;

CREATE TABLE rowform.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    tool_version text NOT NULL
);
