"""The process: settings, composition, the MCP server, HTTP, and the command line."""
