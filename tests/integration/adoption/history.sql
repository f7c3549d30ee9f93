-- Three full copies with gaps between their numbers, the middle one active, and a restaurant without any.
-- Every version has something of its own; a setting comes back after it was gone.
UPDATE config_versions SET version_number = 2, is_active = false, created_at = '2025-01-01';
INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active, is_locked, created_at) VALUES
    ('00000000-0000-4000-8000-000000000005', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', 5, NULL, true, NULL, '2025-02-01'),
    ('00000000-0000-4000-8000-000000000009', 'e1661c71-b24f-4ee1-9e8b-7290a43c9575', 9, ' ', NULL, true, '2025-03-01');
UPDATE staff_groups SET created_at = '2025-01-01', updated_at = '2025-01-02';
INSERT INTO staff_groups (restaurant_id, version_id, name, color, group_config, created_at)
    SELECT restaurant_id, '00000000-0000-4000-8000-000000000005', name, '#ABCDEF', group_config, created_at
    FROM staff_groups WHERE name <> 'Group 9';
INSERT INTO staff_groups (restaurant_id, version_id, name, color, group_config, created_at)
    SELECT restaurant_id, '00000000-0000-4000-8000-000000000009', name, color, group_config, created_at
    FROM staff_groups WHERE version_id = '6e5c1f66-5a0e-4d6e-9b0a-6b8a5b1d9f11' AND name <> 'Group 1';
INSERT INTO daily_limits (restaurant_id, version_id, name, limit_config, penalty_weight)
    SELECT restaurant_id, '00000000-0000-4000-8000-000000000005', name, limit_config, penalty_weight FROM daily_limits;
INSERT INTO config_changes (version_id, table_name, operation, new_data, changed_at) VALUES
    ('00000000-0000-4000-8000-000000000005', 'staff_groups', 'update', '{"name": "Group 1"}', '2025-02-02'),
    ('6e5c1f66-5a0e-4d6e-9b0a-6b8a5b1d9f11', 'staff_groups', 'create', '{"name": "Group 1"}', '2025-01-02'),
    (NULL, 'staff_groups', 'import', NULL, NULL);
