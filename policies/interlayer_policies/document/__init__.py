"""The policy file: front matter, sections, rules, and their parsing."""
