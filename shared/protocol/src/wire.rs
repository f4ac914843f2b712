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

use crate::input::Faults;

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

    /// Notes all that is wrong with a value that should be of this type. What has parts looks at each of them.
    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        faults.value::<Self>(value);
    }
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

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        if !value.is_null() {
            T::examine(value, faults);
        }
    }
}
impl<T: WireType> WireType for Vec<T> {
    const FORM: Form = Form::List(&T::FORM);

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        faults.items(value, T::examine);
    }
}
impl<T: WireType> WireValue for Vec<T> {}
impl<T: WireType> WireType for Box<T> {
    const FORM: Form = T::FORM;

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        T::examine(value, faults);
    }
}
impl<T: WireValue> WireValue for Box<T> {}
impl<K: WireKey, V: WireType> WireType for BTreeMap<K, V> {
    const FORM: Form = Form::Json;

    fn examine(value: &mut serde_json::Value, faults: &mut Faults) {
        faults.entries::<K>(value, V::examine);
    }
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

/// The years 0 to 9999 in milliseconds of the Unix epoch.
const TIMESTAMP_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// The grammar of RFC 3339 section 5.6, but for the days that a month has and the minutes that have a 61st second.
const DATE_TIME: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:\
    ([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+\\-]([01][0-9]|2[0-3]):[0-5][0-9])$";

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
        let since = jiff::SignedDuration::from_millis(self.0);
        let time = EPOCH.checked_add(since).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}Z")
    }
}

/// When Unix time began.
const EPOCH: jiff::civil::DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// A number of some digits at the start of a text, within bounds, and what follows it.
fn digits(text: &str, count: usize, bounds: std::ops::RangeInclusive<i16>) -> Option<(i16, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    bounds.contains(&number).then_some((number, rest))
}

/// The milliseconds since 1970 of a `date-time` of RFC 3339 section 5.6. A 61st second is the one that follows it;
/// digits beyond the third of a fraction are cut off.
fn date_time(text: &str) -> Option<i64> {
    let (year, rest) = digits(text, 4, 0..=9999)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2, 1..=12)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2, 1..=31)?;
    let (hour, rest) = digits(rest.strip_prefix(['T', 't'])?, 2, 0..=23)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 0..=59)?;
    let (second, mut rest) = digits(rest.strip_prefix(':')?, 2, 0..=60)?;
    let mut ms = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, zone) = fraction.split_at(length);
        ms = format!("{fraction:0<3}").get(..3).filter(|_| length > 0)?.parse().ok()?;
        rest = zone;
    }
    let offset = match rest.strip_prefix(['Z', 'z']) {
        Some("") => 0,
        Some(_) => return None,
        None => {
            let (hours, minutes) = digits(rest.strip_prefix(['+', '-'])?, 2, 0..=23)?;
            let (minutes, "") = digits(minutes.strip_prefix(':')?, 2, 0..=59)? else { return None };
            let minutes = i64::from(hours) * 60 + i64::from(minutes);
            if rest.starts_with('-') { -minutes } else { minutes }
        }
    };
    let date = jiff::civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let days = date.to_datetime(jiff::civil::Time::midnight()).duration_since(EPOCH).as_hours() / 24;
    let minutes = days * 24 * 60 + i64::from(hour) * 60 + i64::from(minute) - offset;
    // Leap seconds are put in at the end of a day in UTC (appendix D).
    if second == 60 && minutes.rem_euclid(24 * 60) != 24 * 60 - 1 {
        return None;
    }
    Some((minutes * 60 + i64::from(second)) * 1000 + ms)
}

impl FromStr for Timestamp {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let unix_ms = date_time(text).filter(|unix_ms| TIMESTAMP_MS.contains(unix_ms));
        unix_ms.map(Self).ok_or(Malformed("not a time as RFC 3339 writes it, such as 2026-01-31T12:00:00.000Z"))
    }
}
text_newtype!(Timestamp);

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The pattern says it again for validators that take `format` for a remark.
        let description = "A time, RFC 3339 in UTC to the millisecond.";
        json_schema!({"type": "string", "format": "date-time", "pattern": DATE_TIME, "description": description})
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
        Self::new(i64::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("expected an integer from -(2^53 - 1) to 2^53 - 1"))
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

    /// RFC 3339 section 5.6.
    #[test]
    fn the_grammar_decides_what_a_time_is() {
        for (text, read) in [
            ("2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00.000Z"),
            ("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"),
            ("2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.100Z"),
            ("2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00.123Z"),
            ("2026-01-31T12:00:00.12345678901234567890123456789-00:00", "2026-01-31T12:00:00.123Z"),
            ("2026-01-31T00:30:00+23:59", "2026-01-30T00:31:00.000Z"),
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("1998-12-31T23:59:60.5Z", "1999-01-01T00:00:00.500Z"),
            ("1998-12-31T15:59:60-08:00", "1999-01-01T00:00:00.000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().map(|time| time.to_string()).as_deref(), Ok(read), "{text}");
        }
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00+01:00",
            "2026-01-31T12:00Z",
            "2026-01-31T12Z",
            "20260131T120000Z",
            "2026-W05-6T12:00:00Z",
            "2026-031T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2023-02-29T12:00:00Z",
            "2026-00-10T12:00:00Z",
            "2026-13-10T12:00:00Z",
            "2026-01-00T12:00:00Z",
            "2026-01-31 12:00:00Z",
            "2026-01-31_12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:60Z",
            "2026-01-31T23:59:61Z",
            "1998-12-31T23:58:60Z",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+01",
            "2026-01-31T12:00:00+0100",
            "2026-01-31T12:00:00+1:00",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00+01:60",
            "2026-01-31T12:00:00+01:00:30",
            "2026-01-31T12:00:00Z[UTC]",
            "2026-01-31T12:00:00+01:00[Europe/Berlin]",
            "2026-01-31T12:00:00ZZ",
            "2026-01-31T12:00:00 Z",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z ",
            "+2026-01-31T12:00:00Z",
            "-2026-01-31T12:00:00Z",
            "002026-01-31T12:00:00Z",
            "2026-1-31T12:00:00Z",
            "2026-01-31T1:00:00Z",
            "2026-01-31T12:00:00\u{2212}01:00",
            "2026-01-3\u{0661}T12:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
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
