-- What happens to a database over the years: a group twice in one version, and one deleted softly.
INSERT INTO staff_groups (restaurant_id, version_id, name, color, is_active)
SELECT restaurant_id, version_id, name, '#000000', true FROM staff_groups WHERE name = 'Group 9'
UNION ALL
SELECT restaurant_id, version_id, 'Summer temps', NULL, false FROM staff_groups WHERE name = 'Group 9';
