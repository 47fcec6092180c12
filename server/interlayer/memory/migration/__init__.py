"""Migration of stored memory to another schema: plan, record and migrator."""
