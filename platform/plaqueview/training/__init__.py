"""Retraining: frozen snapshots of approved versions, runs, the gate that a candidate passes, promotion and rollback."""
