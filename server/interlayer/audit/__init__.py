"""The audit trail: chained events, receipts sealed into Merkle segments, and their verification."""
