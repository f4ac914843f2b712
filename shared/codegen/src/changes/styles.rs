//! Whom a change concerns: those who call in one style, or in several.

use std::{fmt, ops};

/// A set of styles of API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Styles(u8);

/// Each style as the report names it, in its order.
const NAMES: [(Styles, &str); 6] = [
    (Styles::TYPESCRIPT, "tRPC and TypeScript"),
    (Styles::REST, "REST"),
    (Styles::GRAPHQL, "GraphQL"),
    (Styles::JSON_RPC, "JSON-RPC"),
    (Styles::SOAP, "SOAP"),
    (Styles::OWN, "routes of their own"),
];

impl Styles {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// tRPC, batches included, with the generated types.
    pub const TYPESCRIPT: Self = Self(1);
    /// REST, and what is made from the OpenAPI document.
    pub const REST: Self = Self(1 << 1);
    /// GraphQL documents, and what is made from the schema.
    pub const GRAPHQL: Self = Self(1 << 2);
    /// JSON-RPC, by name and by position.
    pub const JSON_RPC: Self = Self(1 << 3);
    /// SOAP, and what is made from the WSDL.
    pub const SOAP: Self = Self(1 << 4);
    /// Addresses that a standard gives a form, such as `/token`.
    pub const OWN: Self = Self(1 << 5);
    /// Everybody.
    pub const ALL: Self = Self((1 << 6) - 1);
    /// All styles of API.
    pub const IN_STYLES: Self = Self(Self::ALL.0 & !Self::OWN.0);
    /// Those who tell cases apart: an unknown value of an enumeration, variant or failure finds no branch there, or is
    /// refused by a schema that was compiled in.
    pub const EXHAUSTIVE: Self = Self(Self::TYPESCRIPT.0 | Self::GRAPHQL.0 | Self::SOAP.0);

    /// Whether nobody is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of another set are in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Each style of the set by itself, with its name.
    pub fn each(self) -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.into_iter().filter(move |(style, _)| self.contains(*style))
    }
}

impl ops::BitOr for Styles {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitAnd for Styles {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl ops::Sub for Styles {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Display for Styles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.each().map(|(_, name)| name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Styles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
