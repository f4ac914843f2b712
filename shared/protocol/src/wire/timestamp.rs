//! Timestamps in the grammar of RFC 3339.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ts_rs::TS;

use super::{Malformed, WireType, WireValue};

/// A time, RFC 3339 in UTC to the millisecond, in the years 0 to 9999.
///
/// Its text has a fixed width, so that it sorts as the time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
#[ts(type = "string & { readonly __brand: \"Timestamp\" }")]
pub struct Timestamp(i64);

/// The years 0 to 9999 in milliseconds of the Unix epoch.
const TIMESTAMP_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// The grammar of RFC 3339 section 5.6, except for the days of each month and the minutes with a leap second.
const DATE_TIME: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:\
    ([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+\\-]([01][0-9]|2[0-3]):[0-5][0-9])$";

impl Timestamp {
    /// Creates a time from milliseconds since 1970, clamped to the range of the type.
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        Self(unix_ms.clamp(*TIMESTAMP_MS.start(), *TIMESTAMP_MS.end()))
    }

    /// Milliseconds since 1970.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// This time plus a number of milliseconds.
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

/// The beginning of Unix time.
const EPOCH: jiff::civil::DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// A number of `count` digits at the start of a text, within bounds, and the rest of the text.
fn digits(text: &str, count: usize, bounds: std::ops::RangeInclusive<i16>) -> Option<(i16, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    bounds.contains(&number).then_some((number, rest))
}

/// The milliseconds since 1970 of a `date-time` of RFC 3339 section 5.6. A leap second counts as the next second;
/// digits beyond milliseconds are cut off.
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
    // Leap seconds are inserted at the end of a day in UTC (appendix D).
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
        // The pattern repeats the format for validators that ignore `format`. Neither can express the bounds where
        // another zone's year is not UTC's.
        let description = "A time, RFC 3339 in UTC to the millisecond, in the years 0 to 9999 of UTC.";
        json_schema!({"type": "string", "format": "date-time", "pattern": DATE_TIME, "description": description})
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
}
