//! The local cloud: HTTP front, embedded DynamoDB, Runtime API for the real binaries.
