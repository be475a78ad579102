//! What the daemon calls back for: files, credentials, health.
