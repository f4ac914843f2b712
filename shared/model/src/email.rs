//! E-mail addresses.

use std::fmt;

use protocol::{WireType, WireValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The longest address that mail can be sent to (RFC 5321 section 4.5.3.1.3, without the brackets).
const MAX_BYTES: usize = 254;

/// The addresses that `garde` accepts, for the JSON Schema: a negated class stands for all other scripts.
const PATTERN: &str = concat!(
    r#"^[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+(\.[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+)*@"#,
    r#"[^\x00-/:-@\[-`{-\x7f]([^\x00-\x20"(),.:;<>@\[\\\]\x7f]*[^\x00-/:-@\[-`{-\x7f])?"#,
    r#"(\.[^\x00-/:-@\[-`{-\x7f]([^\x00-\x20"(),.:;<>@\[\\\]\x7f]*[^\x00-/:-@\[-`{-\x7f])?)+$"#
);

/// An e-mail address as its owner writes it. Two that differ only in case are the same address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// An address that is not checked yet; `garde` checks it where it comes in.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared: two that have the same are one address, and no others are. Letters
    /// beyond ASCII keep their case, or one that only lower-cases into ASCII would join two mailboxes.
    pub fn comparable(&self) -> String {
        self.0.to_ascii_lowercase()
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
        let options =
            email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
        // Quoted names are in the standard, and nearly nowhere else.
        let odd = self.0.chars().any(|c| c.is_control() || c == '"');
        if odd || self.0.len() > MAX_BYTES || email_address::EmailAddress::parse_with_options(&self.0, options).is_err()
        {
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
        // Words of RFC 5322 atoms (letters of any script with RFC 6531), at a domain of two labels or more.
        json_schema!({"type": "string", "format": "idn-email", "maxLength": MAX_BYTES, "pattern": PATTERN})
    }
}

#[cfg(test)]
mod tests {
    use garde::Validate;

    use super::EmailAddress;

    #[test]
    fn only_the_case_of_ascii_letters_makes_no_other_address() {
        let is_same = |one: &str, other: &str| EmailAddress::new(one).is_same_as(&EmailAddress::new(other));
        assert!(is_same("Tilda@Example.com", "tilda@example.COM"));
        assert!(!is_same("eri\u{212a}@example.com", "erik@example.com"));
        assert!(!is_same("ada@example.com", "bob@example.com"));
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["ada@example.com", "a.b+c@mail.example.co.uk", "jürgen@müller.example"] {
            assert!(EmailAddress::new(good).validate().is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "Ada <ada@example.com>",
            "a b@example.com",
            "a@[127.0.0.1]",
            "\"a b\"@example.com",
            "a\u{1}@example.com",
            &long,
        ] {
            assert!(EmailAddress::new(bad).validate().is_err(), "{bad}");
        }
    }
}
