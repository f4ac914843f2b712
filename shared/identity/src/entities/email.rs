//! E-mail addresses, and the form in which they are compared.

use std::fmt;

use protocol::{WireType, WireValue, address};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An e-mail address as its owner writes it; the same one may be written in several ways. See [`address`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// An address without validation; `garde` validates it as input.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared: equal forms are one address, and other forms are other addresses.
    pub fn comparable(&self) -> String {
        address::comparable(&self.0)
    }

    /// Whether both are one address, however each is written.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.comparable() == other.comparable()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl garde::Validate for EmailAddress {
    type Context = ();
    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        if !address::is_valid(&self.0) {
            report.append(parent(), garde::Error::new("not a valid email address"));
        }
    }
}

impl WireType for EmailAddress {}
impl WireValue for EmailAddress {}

impl JsonSchema for EmailAddress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EmailAddress".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "maxLength": address::MAX_BYTES, "pattern": address::pattern(),
            "not": {"pattern": address::TOO_LONG},
            "examples": ["ada@example.com"],
        })
    }
}
