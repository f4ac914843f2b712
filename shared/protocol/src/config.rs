//! Configuration: plain values that may differ from stage to stage, and are no secrets.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{Fault, WireInput, contract::plain, input};

/// A configuration: a `#[wire(input)]` type, so that its rules are checked and unknown members are refused.
pub trait ConfigKind: WireInput + Send + Sync {
    /// The configuration's name, in small letters with hyphens, such as `shop`.
    const NAME: &'static str;

    /// The values of the local service, of which a file or a variable may state others. They do not count in a deployed
    /// stage, which states each member that is required.
    fn local() -> Self;
}

/// A configuration that was read, of any kind.
pub type ConfigValue = Arc<dyn Any + Send + Sync>;

/// How a function reads one configuration. It does not reach the schema, which no function links.
#[derive(Clone, Copy, Debug)]
pub struct ConfigReader {
    /// The configuration's name.
    pub name: &'static str,
    read: fn(&str) -> Result<ConfigValue, Fault>,
}

impl ConfigReader {
    /// Reads and validates the configuration's JSON.
    ///
    /// # Errors
    /// All faults, member by member, in one line.
    pub fn read(&self, json: &str) -> Result<ConfigValue, String> {
        (self.read)(json).map_err(|fault| {
            let faults: Vec<_> =
                fault.fields.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
            if faults.is_empty() { fault.message } else { faults.join("; ") }
        })
    }
}

/// The need of a capability for one configuration.
#[derive(Clone, Copy)]
pub struct ConfigNeed {
    /// How it is read.
    pub reader: ConfigReader,
    /// The type of the configuration: no other one has its name.
    pub kind: TypeId,
    local: fn() -> serde_json::Result<Value>,
    schema: fn() -> Value,
}

impl ConfigNeed {
    /// The need for a configuration.
    #[must_use]
    pub const fn of<T: ConfigKind>() -> Self {
        Self {
            reader: ConfigReader {
                name: T::NAME,
                read: |json| Ok(Arc::new(input::decode::<T>(Some(json.as_bytes()))?)),
            },
            kind: TypeId::of::<T>(),
            local: || serde_json::to_value(T::local()),
            schema: schema::<T>,
        }
    }

    /// The configuration's name.
    pub const fn name(&self) -> &'static str {
        self.reader.name
    }

    /// The values of the local service.
    ///
    /// # Errors
    /// When the type's own `Serialize` fails.
    pub fn local(&self) -> serde_json::Result<Value> {
        (self.local)()
    }

    /// The JSON Schema, whole: it refers to no named type.
    pub fn schema(&self) -> Value {
        (self.schema)()
    }
}

impl fmt::Debug for ConfigNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigNeed").field(&self.name()).finish()
    }
}

impl PartialEq for ConfigNeed {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for ConfigNeed {}

fn schema<T: ConfigKind>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    plain(settings.into_generator().into_root_schema_for::<T>().into())
}
