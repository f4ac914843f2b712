//! A list by an index that is never written.

use onefold::{Entity, Index, Listing, prelude::*};

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
    const INDEXES: &'static [Index<Self>] = &[Index { name: "kind", shards: 1, entry: |_| None }];
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

impl Thing {
    pub const BY_KIND: Listing<Self> = Listing::of("kind");
    pub const BY_PLACE: Listing<Self> = Listing::of("place");
}

// An associated constant is looked at where it is used.
const _: Listing<Thing> = Thing::BY_KIND;
const _: Listing<Thing> = Thing::BY_PLACE;

fn main() {}
