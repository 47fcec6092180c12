"""Rule files that teams already have: where they lie, what in them obliges, and the policies that they become."""
