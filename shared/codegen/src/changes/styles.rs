//! The styles of API whose callers a change affects.

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
    /// No style.
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
    /// All styles, and paths of `http`.
    pub const ALL: Self = Self((1 << 6) - 1);
    /// All styles of API.
    pub const IN_STYLES: Self = Self(Self::ALL.0 & !Self::OWN.0);
    /// The styles with exhaustive clients: an unknown value of an enumeration, variant or failure has no branch
    /// there, or a compiled schema refuses it.
    pub const EXHAUSTIVE: Self = Self(Self::TYPESCRIPT.0 | Self::GRAPHQL.0 | Self::SOAP.0);

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set contains all of another set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Each style of the set, with its name.
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
