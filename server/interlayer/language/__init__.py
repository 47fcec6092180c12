"""What sentences say, without a model: distinctions, contradictions, evidence, pronouns, names and injected orders."""
