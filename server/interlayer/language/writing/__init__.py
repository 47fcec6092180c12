"""How values are written: the marks of numbers and dates, and telephone numbers."""
