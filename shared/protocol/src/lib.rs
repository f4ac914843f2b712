//! The wire: procedures, error codes, entities, envelopes of each API style. No AWS, no tokio.
