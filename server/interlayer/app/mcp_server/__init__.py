"""The MCP server: the process behind it, its transports, schemas, callers and change notices."""
