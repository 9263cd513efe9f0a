"""A service whose first fence is down: every question of the ORM forgets whose rows it asks for."""
