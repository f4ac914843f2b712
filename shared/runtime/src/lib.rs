//! The door: Lambda entry, context, who is calling, capabilities, telemetry.
