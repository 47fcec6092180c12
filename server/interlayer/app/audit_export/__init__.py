"""The audit trail as lines, for whoever verifies it and for security tools."""
