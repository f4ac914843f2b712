//! A prefix that reaches into the keys of others.

use protocol::Entity;
use runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Thing {
    id: model::PostId,
    version: Version,
}

impl Entity for Thing {
    type Id = model::PostId;
    const NAME: &'static str = "Thing";
    const PREFIX: &'static str = "thing#a";
    fn id(&self) -> &model::PostId {
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
