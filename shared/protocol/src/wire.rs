//! Which types travel, and the few that Rust does not have.
//!
//! The rules are those of the design's table "Types across the wire": what a JavaScript number
//! cannot hold, what JSON cannot say and what TypeScript cannot tell apart is refused when the
//! service is compiled.

use std::{collections::BTreeMap, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
    ser::Error as _,
};
use ts_rs::TS;

/// A type that can stand in an input, an output or a failure.
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
    /// How a value looks where there is only text: in an address.
    const FORM: Form = Form::Text;
}

/// How a value of a type is written in an address, which knows texts only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is: texts, ids, times, enums without data.
    Text,
    /// A number, as JSON writes it.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any number of values: the name is repeated.
    List(&'static Form),
    /// Whatever else: as JSON.
    Json,
}

/// A field of an input, for those who read inputs from addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// How its value is written in an address.
    pub form: Form,
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
travels_as!(Number: i8, i16, i32, u8, u16, u32);
travels_as!(Json: ());
impl WireKey for String {}
impl<T: WireValue> WireType for Option<T> {
    const FORM: Form = T::FORM;
}
impl<T: WireType> WireType for Vec<T> {
    const FORM: Form = Form::List(&T::FORM);
}
impl<T: WireType> WireValue for Vec<T> {}
impl<T: WireType> WireType for Box<T> {
    const FORM: Form = T::FORM;
}
impl<T: WireValue> WireValue for Box<T> {}
impl<K: WireKey, V: WireType> WireType for BTreeMap<K, V> {
    const FORM: Form = Form::Json;
}
impl<K: WireKey, V: WireType> WireValue for BTreeMap<K, V> {}

/// For newtypes over a text: display and wire form are the same, and parsing checks.
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

/// What is wrong with a text that should be of a certain form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub(crate) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for Malformed {}

/// A time, RFC 3339 in UTC to the millisecond, in the years 0 to 9999.
///
/// Its text has a fixed width, so that it sorts as the time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
#[ts(type = "string & { readonly __brand: \"Timestamp\" }")]
pub struct Timestamp(i64);

/// The years 0 to 9999 in milliseconds of the Unix epoch. The last day is missing: jiff's range ends
/// where any time zone can still show it, at 9999-12-30T22:00:00Z.
const TIMESTAMP_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_207_200_000;

impl Timestamp {
    /// From milliseconds since 1970, held to the range of the type.
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        Self(unix_ms.clamp(*TIMESTAMP_MS.start(), *TIMESTAMP_MS.end()))
    }

    /// Milliseconds since 1970.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// This time and some milliseconds more.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_unix_ms(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed("not a time as RFC 3339 writes it, such as 2026-01-31T12:00:00.000Z");
        // jiff reads more forms than RFC 3339 has; the date's and the zone's places are fixed here.
        let b = text.as_bytes();
        let zone = matches!(b.last(), Some(b'Z' | b'z')) || b.len() > 6 && matches!(b[b.len() - 6], b'+' | b'-');
        if b.len() < 20 || b[4] != b'-' || !matches!(b[10], b'T' | b't') || !zone {
            return Err(malformed);
        }
        let time: jiff::Timestamp = text.parse().map_err(|_| malformed)?;
        let unix_ms = time.as_millisecond();
        if TIMESTAMP_MS.contains(&unix_ms) { Ok(Self(unix_ms)) } else { Err(malformed) }
    }
}
text_newtype!(Timestamp);

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "description": "A time, RFC 3339 in UTC to the millisecond."})
    }
}

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
        Self::new(i64::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("the number is larger than 2^53 - 1"))
    }
}
travels_as!(Number: SafeInteger);

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

/// How many characters a [`Decimal`] may have.
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

/// A floating-point number that is a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, TS)]
#[ts(type = "number")]
pub struct Finite(f64);

impl Finite {
    /// The number, unless it is NaN or infinite.
    pub fn new(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(number))
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
        // The last group says exactly which bits it does not use: they are zero.
        let pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
        json_schema!({"type": "string", "contentEncoding": "base64", "pattern": pattern})
    }
}

/// The version of a stored entity; each write makes the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Version(pub u32);
travels_as!(Number: Version);

/// Where the next page begins: sealed, for one caller and one query only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "string & { readonly __brand: \"Cursor\" }")]
pub struct Cursor(#[schemars(length(max = 4096))] pub String);
travels!(Cursor);

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
travels_as!(Number: PageSize);

impl PageSize {
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
}
impl<T: WireType> WireValue for Page<T> {}

/// A field of a PATCH: absent leaves the value as it is. `Patch<Option<T>>` takes null as a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub enum Patch<T> {
    /// The field was absent.
    #[default]
    Keep,
    /// The field was present.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field was absent.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Puts the new value, if there is one, in place of the old.
    pub fn apply(self, target: &mut T) {
        if let Self::Set(value) = self {
            *target = value;
        }
    }

    /// The new value, if there is one.
    pub const fn as_set(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }
}
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(serializer),
            Self::Keep => Err(S::Error::custom("`Patch::Keep` is an absent field; `#[wire]` leaves it out")),
        }
    }
}
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Set)
    }
}
impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// `garde` rules on a [`Patch`] hold for the value that is set.
mod patch_rules {
    use garde::{
        error::Error,
        rules::{length, range},
    };

    use super::Patch;

    impl<T: length::simple::Simple> length::simple::Simple for Patch<T> {
        fn validate_length(&self, min: usize, max: usize) -> Result<(), Error> {
            self.as_set().map_or(Ok(()), |value| value.validate_length(min, max))
        }
    }
    impl<T: length::chars::Chars> length::chars::Chars for Patch<T> {
        fn validate_num_chars(&self, min: usize, max: usize) -> Result<(), Error> {
            self.as_set().map_or(Ok(()), |value| value.validate_num_chars(min, max))
        }
    }
    impl<T: range::Bounds> range::Bounds for Patch<T> {
        type Size = T::Size;
        const MIN: Self::Size = T::MIN;
        const MAX: Self::Size = T::MAX;
        fn validate_bounds(&self, lower: Self::Size, upper: Self::Size) -> Result<(), range::OutOfBounds> {
            self.as_set().map_or(Ok(()), |value| value.validate_bounds(lower, upper))
        }
    }
}

impl<T: Validate> Validate for Patch<T> {
    type Context = T::Context;
    fn validate_into(
        &self,
        context: &Self::Context,
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        if let Self::Set(value) = self {
            value.validate_into(context, parent, report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_width_and_sort_as_text() {
        let texts: Vec<String> =
            [i64::MIN, -1, 0, 1_735_689_600_000, i64::MAX].map(|ms| Timestamp::from_unix_ms(ms).to_string()).to_vec();
        assert_eq!(texts[2], "1970-01-01T00:00:00.000Z");
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 24), "{texts:?}");
        for text in &texts {
            assert_eq!(&text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_rfc_3339_is_a_time() {
        assert_eq!("2026-01-31T13:00:00+01:00".parse::<Timestamp>().unwrap().to_string(), "2026-01-31T12:00:00.000Z");
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "20260131T120000Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31 12:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

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

    #[test]
    fn a_patch_tells_absent_from_null() {
        #[derive(Deserialize)]
        struct Change {
            #[serde(default)]
            age: Patch<Option<u32>>,
        }
        let age = |json| serde_json::from_str::<Change>(json).unwrap().age;
        assert_eq!(age("{}"), Patch::Keep);
        assert_eq!(age(r#"{"age": null}"#), Patch::Set(None));
        assert_eq!(age(r#"{"age": 3}"#), Patch::Set(Some(3)));
    }
}
