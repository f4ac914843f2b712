//! An entity without a prefix.

use onefold::{Entity, prelude::*};

onefold::id! {
    /// Names one thing.
    pub struct ThingId;
}

/// A thing in the drawer.
#[wire]
pub struct Thing {
    /// Its id.
    id: ThingId,
    /// Grows with each change.
    version: Version,
}

impl Entity for Thing {
    type Id = ThingId;
    const NAME: &'static str = "Thing";
    const PREFIX: &'static str = "";
    fn id(&self) -> &ThingId {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// Empty the drawer.
#[procedure(mutation, auth = signed_in)]
pub async fn empty(_things: Write<Thing>) {}

fn main() {}
