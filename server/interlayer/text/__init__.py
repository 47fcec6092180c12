"""Plain text: terms, sentences, BM25, score fusion and token budgets. Pure functions, shared by both domains."""
