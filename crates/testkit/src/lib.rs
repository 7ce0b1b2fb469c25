//! pellucid-testkit
