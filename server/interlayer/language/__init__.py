"""What sentences say, without a model: distinctions, comparisons, evidence, pronouns, names and injected orders."""
