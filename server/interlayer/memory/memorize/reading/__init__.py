"""How content is read: by a model where there is one, and what of it neither statement nor answer holds."""
