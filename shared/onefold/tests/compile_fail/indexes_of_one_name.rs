//! Two indexes of one name, of which only the first would be read.

use onefold::{Entity, Index, prelude::*};

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
    const PREFIX: &'static str = "thing";
    const INDEXES: &'static [Index<Self>] =
        &[Index { name: "kind", shards: 1, entry: |_| None }, Index { name: "kind", shards: 1, entry: |_| None }];
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
