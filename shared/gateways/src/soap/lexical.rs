//! Converts texts of simple types (XML Schema part 2, second edition, sections 3.2 and 3.3) to JSON.

use serde_json::{Number, Value};

use super::{types::Base, xml::is_space};

/// The value of a text.
///
/// # Errors
/// The type that the text does not fit.
pub fn value(base: Base, text: &str) -> Result<Value, &'static str> {
    let collapsed = text.trim_matches(is_space);
    match base {
        Base::Text => Ok(text.into()),
        Base::Boolean => boolean(text).map(Value::Bool).ok_or("is no boolean"),
        Base::Number("double") => double(collapsed).map(Value::Number).ok_or("is no number"),
        Base::Number(_) => integer(collapsed).map(Value::Number).ok_or("is no integer"),
        // The grammar of RFC 3339 decides, as in every style. It allows a few times that `xsd:dateTime` does not.
        Base::Time => Ok(collapsed.into()),
        Base::Bytes => Ok(text.replace(is_space, "").into()),
    }
}

/// `xsd:boolean` (section 3.2.2).
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim_matches(is_space) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// `xsd:integer` and its derived types (section 3.3.13): digits with an optional sign. The procedure refuses numbers
/// out of range.
fn integer(text: &str) -> Option<Number> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // JSON has no leading zeros, and reads `-0` as a fraction.
    let digits = digits.trim_start_matches('0');
    let number = if digits.is_empty() { Some(0.into()) } else { format!("{minus}{digits}").parse().ok() };
    // More digits than any JSON number has here.
    number.or_else(|| Number::from_f64(if minus.is_empty() { f64::MAX } else { f64::MIN }))
}

/// `xsd:double` (section 3.2.5); JSON lacks `INF` and `NaN`, and the published type excludes them.
fn double(text: &str) -> Option<Number> {
    // `parse` accepts more names for them, and nothing else beyond XML Schema.
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if let Some(whole) = integer(text) {
        return whole.as_f64().filter(|number| number.abs() < f64::MAX).map(|_| whole);
    }
    Number::from_f64(text.parse().ok().filter(|_| is_decimal)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_xml_schema() {
        let (whole, real) = (Base::Number("unsignedInt"), Base::Number("double"));
        for (base, texts) in [
            (Base::Boolean, &["true", "false", "1", "0", " true\n"][..]),
            (whole, &["0", "-0", "+7", "007", " 7 ", "-1", "99999999999999999999"]),
            (real, &["0", "-0", "+1", ".5", "5.", "-1.5e3", "1E+2", "1e-400", "007.50", "\t1\n"]),
            (Base::Bytes, &["", "QUI=", " QU\nI= "]),
        ] {
            for text in texts {
                assert!(value(base, text).is_ok(), "{text}");
            }
        }
        for (base, texts) in [
            (Base::Boolean, &["TRUE", "yes", "", "01", "t rue", "+1"][..]),
            (whole, &["10.0", "1e1", "1.", "", "+", "--1", "+-1", "1 0", "0x1", "INF", "١", "1_0"]),
            (
                real,
                &[
                    "INF", "-INF", "+INF", "NaN", "inf", "infinity", "nan", "", ".", "e1", "1e", "1e400", "0x1p3",
                    "1,5", "1f",
                ],
            ),
        ] {
            for text in texts {
                assert!(value(base, text).is_err(), "{text}");
            }
        }
        assert_eq!(value(Base::Time, " 2026-01-31T12:00:00Z\n").unwrap(), "2026-01-31T12:00:00Z");
        assert_eq!(value(whole, " -007 ").unwrap(), -7);
        assert_eq!(value(real, "5.").unwrap(), 5.0);
        assert!(integer(&"9".repeat(400)).unwrap().is_f64() && double(&"9".repeat(400)).is_none());
    }
}
