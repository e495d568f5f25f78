"""A roster on disk: snapshots and OneRoster bundles."""
