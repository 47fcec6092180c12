"""Published sets: proposals, versions, approval, receipts, and the store they live in."""
