//! Passwords as input types.

use std::fmt;

use protocol::{WireType, WireValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};
use ts_rs::TS;

/// A secret text as a wire type: `Debug` does not show it, and no message quotes it. It implements `Serialize` because
/// every wire type does; the contract's builder refuses it in an output.
macro_rules! secret_text {
    ($(#[$docs:meta])* $name:ident, $min_chars:expr, $max_chars:expr, $rule:literal) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq, Serialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(String);

        impl $name {
            /// The fewest characters.
            pub const MIN_CHARS: usize = $min_chars;
            /// The most characters.
            pub const MAX_CHARS: usize = $max_chars;

            /// A password without validation; `garde` validates it as input.
            pub fn new(password: impl Into<String>) -> Self {
                Self(password.into())
            }

            /// The password itself, as it was typed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // With `deserialize_string`, serde_json would quote a value of another type in its error.
                deserializer.deserialize_any(Unquoted).map(Self)
            }
        }

        impl garde::Validate for $name {
            type Context = ();
            fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
                if !(Self::MIN_CHARS..=Self::MAX_CHARS).contains(&self.0.chars().count()) {
                    report.append(parent(), garde::Error::new($rule));
                }
            }
        }

        impl WireType for $name {}
        impl WireValue for $name {}

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "format": "password",
                    "minLength": Self::MIN_CHARS,
                    "maxLength": Self::MAX_CHARS,
                    "writeOnly": true,
                })
            }
        }
    };
}

secret_text! {
    /// A password that a user chooses: 12 to 128 characters of any kind, kept exactly as they are
    /// (OWASP ASVS 5.0, V6.2). Whether it is too common is for `identity::password::weakness` to say.
    Password, 12, 128, "must have 12 to 128 characters"
}

secret_text! {
    /// A password that a user gives to sign in: whatever was typed. A rule that changed must keep
    /// nobody out.
    GivenPassword, 1, 1024, "must have 1 to 1024 characters"
}

/// Accepts a string and refuses anything else without quoting it, as serde would quote a number: a password of digits
/// is easily sent as one.
struct Unquoted;

impl Unquoted {
    fn refuse<E: de::Error>() -> Result<String, E> {
        Err(E::custom("must be a text"))
    }
}

impl<'de> Visitor<'de> for Unquoted {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_string<E: de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_i128<E: de::Error>(self, _: i128) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_u128<E: de::Error>(self, _: u128) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_unit<E: de::Error>(self) -> Result<String, E> {
        Self::refuse()
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Self::refuse()
    }
    fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Self::refuse()
    }
}

#[cfg(test)]
mod tests {
    use garde::Validate as _;
    use macros::wire;
    use protocol::input;

    use super::{GivenPassword, Password};

    #[wire(input)]
    struct Input {
        #[garde(dive)]
        password: Password,
        #[garde(dive)]
        given: Option<GivenPassword>,
    }

    fn is_good(text: impl Into<String>) -> bool {
        Password::new(text).validate().is_ok()
    }

    #[test]
    fn characters_count_and_not_bytes_and_nothing_is_cut_off() {
        assert!(is_good("a".repeat(12)) && is_good("ä".repeat(12)) && is_good("🍰".repeat(128)));
        assert!(!is_good("ä".repeat(11)) && !is_good("a".repeat(129)) && !is_good(""));
        assert!(is_good("  spaces at both ends  ") && is_good("            "));
        assert_eq!(Password::new("  Kept  as it is\u{0}").as_str(), "  Kept  as it is\u{0}");
        let given = |text: &str| GivenPassword::new(text).validate().is_ok();
        assert!(given("x") && given(&"🍰".repeat(1024)) && !given("") && !given(&"x".repeat(1025)));
    }

    #[test]
    fn it_travels_as_a_text() {
        let json = r#"{"password":"correct horse","given":"x"}"#;
        let input: Input = input::decode(Some(json.as_bytes())).unwrap();
        assert_eq!(
            (input.password.as_str(), input.given.as_ref().map(GivenPassword::as_str)),
            ("correct horse", Some("x"))
        );
        assert_eq!(serde_json::to_string(&input).unwrap(), json);
    }

    #[test]
    fn nobody_reads_it_in_what_is_shown() {
        let input = Input { password: Password::new("hunter2hunter2"), given: Some(GivenPassword::new("hunter2")) };
        let shown = format!("{input:?} {input:#?}");
        assert!(shown.contains("Password(secret)") && !shown.contains("hunter2"), "{shown}");
    }

    /// The digits stand for a secret in whatever form it was sent by mistake.
    #[test]
    fn nobody_reads_it_in_what_is_refused() {
        for wrong in [
            r#"{"password":31415926535897}"#,
            r#"{"password":-31415926535897}"#,
            r#"{"password":3.1415926535897}"#,
            r#"{"password":31415926535897932384626433832795028841}"#,
            r#"{"password":["31415926535897"]}"#,
            r#"{"password":{"31415926535897":"31415926535897"}}"#,
            r#"{"password":"3141592653"}"#,
            r#"{"password":"31415926535897","given":31415926535897}"#,
            r#"{"password":"31415926535897","#,
            r#"{"password":"31415926535897\x"}"#,
            r#"{"password":"31415926535897"} "31415926535897""#,
            r#"{"password":true}"#,
            r#"{"password":null}"#,
            r#""31415926535897""#,
            "31415926535897",
        ] {
            let fault = input::decode::<Input>(Some(wrong.as_bytes())).unwrap_err();
            let told = format!("{fault:?} {fault}");
            assert!(!told.contains("14159"), "{wrong}: {told}");
        }
    }
}
