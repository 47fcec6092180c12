"""The one grammar of quantities: numerals, magnitudes, ranges, percentages, currencies and other units."""
