//! The memory: entities to and from DynamoDB items, transactions, cursors, versions.
