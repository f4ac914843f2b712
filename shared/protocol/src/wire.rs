//! Wire types: the Rust types that inputs, outputs and failures may have, and the few that Rust lacks.
//!
//! A value is refused at compile time if a JavaScript number cannot hold it, JSON cannot express it, or TypeScript
//! cannot tell it apart from another one.

use std::{collections::BTreeMap, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use ts_rs::TS;

use crate::input::Faults;

/// A type that inputs, outputs and failures may contain.
///
/// `#[wire]` implements it for structs and enums whose fields all have it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not travel over the wire",
    label = "not a wire type",
    note = "structs and enums: put `#[wire]` on them",
    note = "u64, i64, u128, i128, usize, isize: use u32/i32, `SafeInteger` (53 bits) or `Decimal`, because a JavaScript number loses their digits",
    note = "f32, f64: use `Finite`, because JSON has no NaN; Option<Option<T>>: use `Patch<Option<T>>` in an input; maps: keys are `String` or an id"
)]
pub trait WireType: Serialize + DeserializeOwned + JsonSchema + TS + 'static {
    /// The form of a value in an address, which consists of text.
    const FORM: Form = Form::Text;

    /// Whether null is a valid value.
    const NULLABLE: bool = false;

    /// The fields of an object, in the order of their declaration; empty for other types.
    const FIELDS: &'static [Field] = &[];

    /// Whether [`WireType::examine`] checks the validation rules of nested values, so that the caller need not.
    const HOLDS_RULES: bool = false;

    /// Reports all faults of a value that should have this type. Types with parts examine each part.
    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        faults.value::<Self>(value);
    }
}

/// The form of a type's values in an address, which consists of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The value as it is: texts, ids, times, enums without data.
    Text,
    /// An integer, as JSON writes it.
    Integer,
    /// A number, as JSON writes it.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any number of values: the parameter is repeated.
    List(&'static Form),
    /// Anything else: as JSON.
    Json,
}

/// A field, for code that reads inputs from addresses and writes outputs to headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// The form of its value in an address.
    pub form: Form,
    /// Whether null is a valid value.
    pub is_nullable: bool,
}

/// A [`WireType`] other than an `Option`, so that `Option<Option<T>>` is refused.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand inside an `Option`",
    note = "if it is an `Option` itself: JSON cannot tell `Some(None)` from `None`; use `Patch<Option<T>>` in an input",
    note = "if it is a number of 64 bits or more, or a float: use u32/i32, `SafeInteger`, `Decimal` or `Finite`; if it is your own type: put `#[wire]` on it"
)]
pub trait WireValue: WireType {}

/// A type that can be the key of a map: it is a string in JSON.
pub trait WireKey: WireValue + Ord {}

macro_rules! travels {
    ($($t:ty),* $(,)?) => { $( impl WireType for $t {} impl WireValue for $t {} )* };
}
macro_rules! travels_as {
    ($form:ident: $($t:ty),* $(,)?) => {
        $( impl WireType for $t { const FORM: Form = Form::$form; } impl WireValue for $t {} )*
    };
}
travels!(String);
travels_as!(Boolean: bool);
travels_as!(Integer: i8, i16, i32, u8, u16, u32);
travels_as!(Json: ());
impl WireKey for String {}
impl<T: WireValue> WireType for Option<T> {
    const FORM: Form = T::FORM;
    const NULLABLE: bool = true;
    const HOLDS_RULES: bool = T::HOLDS_RULES;

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        if !value.is_null() {
            T::examine(value, faults);
        }
    }
}
impl<T: WireType> WireType for Vec<T> {
    const FORM: Form = Form::List(&T::FORM);
    const HOLDS_RULES: bool = T::HOLDS_RULES;

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        faults.items(value, T::examine);
    }
}
impl<T: WireType> WireValue for Vec<T> {}
impl<T: WireType> WireType for Box<T> {
    const FORM: Form = T::FORM;
    const NULLABLE: bool = T::NULLABLE;
    const FIELDS: &'static [Field] = T::FIELDS;
    const HOLDS_RULES: bool = T::HOLDS_RULES;

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        T::examine(value, faults);
    }
}
impl<T: WireValue> WireValue for Box<T> {}
impl<K: WireKey, V: WireType> WireType for BTreeMap<K, V> {
    const FORM: Form = Form::Json;
    const HOLDS_RULES: bool = V::HOLDS_RULES;

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        faults.entries::<K>(value, V::examine);
    }
}
impl<K: WireKey, V: WireType> WireValue for BTreeMap<K, V> {}

/// Implements serde for a newtype over a text: display and wire form are the same, and parsing validates.
macro_rules! text_newtype {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
        travels!($name);
    };
}

mod patch;
mod timestamp;

pub use self::{patch::Patch, timestamp::Timestamp};

/// The error for a text that does not have the form of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub(crate) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for Malformed {}

/// A whole number that a JavaScript number holds exactly: at most 2^53 - 1 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
#[ts(type = "number")]
pub struct SafeInteger(i64);

impl SafeInteger {
    /// The greatest, `Number.MAX_SAFE_INTEGER`.
    pub const MAX: Self = Self((1 << 53) - 1);
    /// The least, `Number.MIN_SAFE_INTEGER`.
    pub const MIN: Self = Self(-((1 << 53) - 1));

    /// The number, if it is in range.
    pub fn new(number: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Serialize for SafeInteger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}
impl<'de> Deserialize<'de> for SafeInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("expected an integer from -(2^53 - 1) to 2^53 - 1"))
    }
}
travels_as!(Integer: SafeInteger);

impl JsonSchema for SafeInteger {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SafeInteger".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": Self::MIN.0, "maximum": Self::MAX.0})
    }
}

/// A decimal number of any size and precision, as text: digits, at most one point, perhaps a minus.
#[derive(Clone, Debug, PartialEq, Eq, Hash, TS)]
#[ts(type = "string & { readonly __brand: \"Decimal\" }")]
pub struct Decimal(String);

/// The maximum length of a [`Decimal`], in characters.
const MAX_DECIMAL_CHARS: usize = 64;

impl FromStr for Decimal {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if text.len() <= MAX_DECIMAL_CHARS && digits(whole) && digits(fraction) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed("not a decimal number of at most 64 characters, such as -12.50"))
        }
    }
}
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
text_newtype!(Decimal);

impl JsonSchema for Decimal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "maxLength": MAX_DECIMAL_CHARS})
    }
}

/// A floating-point number that is a number. Zero has no sign: `-0` and `0` are one number of JSON Schema, and not all
/// styles can tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, TS)]
#[ts(type = "number")]
pub struct Finite(f64);

impl Finite {
    /// The number, unless it is NaN or infinite.
    pub fn new(number: f64) -> Option<Self> {
        // IEEE 754-2019, section 6.3: -0 + 0 is 0.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}
impl Serialize for Finite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}
impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a finite number"))
    }
}
travels_as!(Number: Finite);

impl JsonSchema for Finite {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Finite".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number"})
    }
}

/// Bytes, base64 in JSON (RFC 4648 section 4, with padding).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, TS)]
#[ts(type = "string & { readonly __brand: \"Base64\" }", rename = "Base64")]
pub struct Base64(pub Vec<u8>);

impl FromStr for Base64 {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        BASE64.decode(text).map(Self).map_err(|_| Malformed("not base64 (RFC 4648 section 4)"))
    }
}
impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}
text_newtype!(Base64);

impl JsonSchema for Base64 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Base64".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The pattern of the last group requires that its unused bits are zero.
        let pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
        json_schema!({"type": "string", "contentEncoding": "base64", "pattern": pattern})
    }
}

/// The version of a stored entity; each write makes the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Version(pub u32);
travels_as!(Integer: Version);

/// Where the next page begins: sealed, for one caller and one query only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "string & { readonly __brand: \"Cursor\" }")]
pub struct Cursor(#[schemars(length(max = 4096))] pub String);
travels!(Cursor);

impl Cursor {
    /// The field of an input that states where its page begins.
    pub const FIELD: &'static str = "cursor";
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().nth(4096).is_some() { Err(D::Error::custom("not a cursor")) } else { Ok(Self(text)) }
    }
}

/// How many entries a page may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS, Validate)]
#[serde(transparent)]
#[garde(transparent)]
#[ts(type = "number")]
pub struct PageSize(
    #[garde(range(min = 1, max = PageSize::MAX))]
    #[schemars(range(min = 1, max = 100))]
    pub u32,
);
travels_as!(Integer: PageSize);

impl PageSize {
    /// The field of an input that states how many entries the caller wants.
    pub const FIELD: &'static str = "limit";
    /// The most entries that one page has.
    pub const MAX: u32 = 100;
}
impl Default for PageSize {
    fn default() -> Self {
        Self(20)
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The entries, in the order that was asked for.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end of the list and only there.
    pub next: Option<Cursor>,
}
impl<T: WireType> WireType for Page<T> {
    const FORM: Form = Form::Json;
    const FIELDS: &'static [Field] = &[
        Field { name: "items", form: <Vec<T> as WireType>::FORM, is_nullable: false },
        Field { name: "next", form: <Option<Cursor> as WireType>::FORM, is_nullable: true },
    ];
}
impl<T: WireType> WireValue for Page<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_or_are_refused() {
        assert!(serde_json::from_str::<SafeInteger>("9007199254740991").is_ok());
        assert!(serde_json::from_str::<SafeInteger>("9007199254740992").is_err());
        assert!(serde_json::from_str::<Finite>("1e999").is_err());
        assert!("-12.50".parse::<Decimal>().is_ok());
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1,5"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
