-- Everything that --fix decides, once each, on top of history.sql.
INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active, created_at) VALUES
    ('00000000-0000-4000-8000-000000000011', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', 11, 'Twice', true, '2025-02-15'),
    ('00000000-0000-4000-8000-000000000020', NULL, 1, 'Nobody''s', true, '2025-04-01'),
    ('00000000-0000-4000-8000-000000000031', '5b0c1f7a-2d64-4c0e-9a53-0c6d1f1a7e02', 1, 'Momiji', true, '2025-04-01');
ALTER TABLE config_versions DROP CONSTRAINT config_versions_restaurant_id_fkey;
INSERT INTO config_versions (id, restaurant_id, version_number, name) VALUES
    ('00000000-0000-4000-8000-000000000040', '99999999-9999-4999-8999-999999999999', 1, 'Lost');
ALTER TABLE staff_groups DROP CONSTRAINT staff_groups_restaurant_id_fkey,
    DROP CONSTRAINT staff_groups_version_id_fkey;
ALTER TABLE staff_groups ALTER COLUMN name DROP NOT NULL;
INSERT INTO staff_groups (id, restaurant_id, version_id, name, is_active, updated_at) VALUES
    ('a0000000-0000-4000-8000-000000000001', NULL, '00000000-0000-4000-8000-000000000005', 'No restaurant', true, now()),
    ('a0000000-0000-4000-8000-000000000002', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', NULL, 'No version', true, now()),
    ('a0000000-0000-4000-8000-000000000003', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '99999999-0000-4000-8000-000000000000', 'Unknown version', true, now()),
    ('a0000000-0000-4000-8000-000000000004', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000031', 'Foreign version', true, now()),
    ('a0000000-0000-4000-8000-000000000005', '99999999-9999-4999-8999-999999999999', '00000000-0000-4000-8000-000000000040', 'Unknown restaurant', true, now()),
    ('a0000000-0000-4000-8000-000000000006', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000005', NULL, true, now()),
    ('a0000000-0000-4000-8000-000000000007', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000005', 'Deleted', false, now()),
    ('a0000000-0000-4000-8000-000000000008', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000005', 'Maybe', NULL, now()),
    -- Soft-deleted twins of a row that is there; the later one is younger than that.
    ('a0000000-0000-4000-8000-000000000009', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000005', 'Group 2', false, '2027-01-01'),
    -- Two of a key, both active: the one that was updated last stays.
    ('a0000000-0000-4000-8000-00000000000a', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000005', 'Double', true, '2025-05-01'),
    ('a0000000-0000-4000-8000-00000000000b', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', '00000000-0000-4000-8000-000000000005', 'Double', true, '2025-06-01');
CREATE UNIQUE INDEX one_model ON ml_model_configs (restaurant_id, model_name);
