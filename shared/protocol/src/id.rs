//! Entity ids: UUIDs in newtypes, branded in TypeScript.

use serde::{Deserialize, Deserializer, de::Error as _};
use uuid::Uuid;

/// Declares the id of an entity: a UUIDv7 (RFC 9562) that is a branded string in TypeScript.
///
/// ```
/// # extern crate onefold_protocol as onefold;
/// onefold::id! {
///     /// Names one invoice.
///     pub struct InvoiceId;
/// }
/// let id: InvoiceId = "01890a5d-ac96-774b-bcce-b302099a8057".parse()?;
/// assert_eq!(id.to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
/// # Ok::<(), onefold::id::MalformedId>(())
/// ```
#[macro_export]
macro_rules! id {
    ($(#[doc = $docs:literal])* $visibility:vis struct $name:ident;) => {
        $(#[doc = $docs])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::__private::serde::Serialize,
        )]
        #[serde(transparent, crate = "::onefold::__private::serde")]
        $visibility struct $name($crate::__private::uuid::Uuid);

        impl ::core::convert::From<$crate::__private::uuid::Uuid> for $name {
            fn from(uuid: $crate::__private::uuid::Uuid) -> Self {
                Self(uuid)
            }
        }
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }
        impl ::core::str::FromStr for $name {
            type Err = $crate::id::MalformedId;
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                $crate::id::parse(text).map(Self)
            }
        }
        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::id::deserialize(deserializer).map(Self)
            }
        }
        impl $crate::__private::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut $crate::__private::schemars::SchemaGenerator) -> $crate::__private::schemars::Schema {
                $crate::id::schema(stringify!($name))
            }
        }
        impl $crate::__private::ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;
            fn docs() -> ::core::option::Option<::std::string::String> {
                ::core::option::Option::Some(concat!("/**\n", $(" *", $docs, "\n",)* " */\n").to_owned())
            }
            fn name(_: &$crate::__private::ts_rs::Config) -> ::std::string::String {
                stringify!($name).to_owned()
            }
            fn inline(_: &$crate::__private::ts_rs::Config) -> ::std::string::String {
                concat!("string & { readonly __brand: \"", stringify!($name), "\" }").to_owned()
            }
            fn decl(config: &$crate::__private::ts_rs::Config) -> ::std::string::String {
                ::std::format!("type {} = {};", Self::name(config), Self::inline(config))
            }
            fn output_path() -> ::core::option::Option<::std::path::PathBuf> {
                ::core::option::Option::Some(concat!(stringify!($name), ".ts").into())
            }
        }
        impl $crate::WireType for $name {}
        impl $crate::WireValue for $name {}
        impl $crate::WireKey for $name {}
        impl $crate::EntityId for $name {}
    };
}

/// The error for a text that is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedId;

impl std::fmt::Display for MalformedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an id: a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")
    }
}
impl std::error::Error for MalformedId {}

/// Parses an id in its only form: RFC 9562 section 4, with hyphens. (`uuid` alone accepts four forms.)
#[doc(hidden)]
pub fn parse(text: &str) -> Result<Uuid, MalformedId> {
    if text.len() == uuid::fmt::Hyphenated::LENGTH { text.parse().map_err(|_| MalformedId) } else { Err(MalformedId) }
}

/// Deserializes an id, see [`parse`].
#[doc(hidden)]
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    parse(&std::borrow::Cow::<'de, str>::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The JSON Schema of every id.
#[doc(hidden)]
pub fn schema(name: &str) -> schemars::Schema {
    // The pattern repeats the format for validators that ignore `format`, and for keys of maps.
    let pattern = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";
    schemars::json_schema!({"type": "string", "format": "uuid", "pattern": pattern, "title": name})
}
