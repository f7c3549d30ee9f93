-- What people look at: one restaurant, with the rights of a role that row level security holds.

-- name: browse_restaurant
-- The restaurant that the transaction is about, and where its settings are managed.
SELECT restaurant.slug::text, restaurant.name::text, restaurant.timezone::text, database.managed_in
FROM {app}.restaurants AS restaurant CROSS JOIN rowform.database AS database
WHERE restaurant.id = %(restaurant)s;
