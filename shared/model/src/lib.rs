//! The nouns: entities, ids and roles. No I/O, no AWS.
