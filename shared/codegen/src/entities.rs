//! Checks that entities do not share a prefix.

use std::{any::TypeId, collections::BTreeMap};

use protocol::{Access, contract::Build};

/// The prefixes that the framework itself uses.
const COUNTS: [&str; 2] = [store::counter::PREFIX, store::quota::PREFIX];

/// Entities with the same prefix, which would read and overwrite each other and share their grants.
pub fn faults(build: &Build) -> Vec<String> {
    // In the order of procedures, so that faults have a stable order.
    let grants = build.procedures.values().flat_map(|procedure| &procedure.grants);
    let kept: BTreeMap<(&str, &str, TypeId), Access> =
        grants.map(|grant| ((grant.entity, grant.prefix, grant.kept), grant.access)).collect();
    let mut faults = Vec::new();
    for (at, ((name, prefix, _), access)) in kept.iter().enumerate() {
        if *access != Access::Count && COUNTS.contains(prefix) {
            faults.push(format!("{name}: under `{prefix}` the store keeps counts: another prefix is needed"));
        }
        for (other, other_prefix, _) in kept.keys().skip(at + 1) {
            if prefix == other_prefix && !COUNTS.contains(prefix) {
                let message = "what is kept and granted of one would be the other's: give one of them another `PREFIX`";
                faults.push(format!("{name} and {other} are two types, both kept under `{prefix}`: {message}"));
            } else if name == other {
                let message = "documents could not tell them apart: give one of them another `NAME`";
                faults.push(format!(
                    "{name} is the name of two types, kept under `{prefix}` and `{other_prefix}`: {message}"
                ));
            }
        }
    }
    faults
}
