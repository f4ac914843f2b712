//! Content negotiation: parses `Accept` and fields like it (RFC 9110 sections 12.4.2, 12.5.1 and 12.5.3).
//!
//! A malformed member is ignored, and does not affect the others. Two forms outside of the grammar are read all the
//! same, because existing clients send them, Java's `HttpURLConnection` among them: `*` for `*/*`, and `.2` for
//! `0.2`.

use std::mem;

use http::{HeaderMap, HeaderName};

/// The members of a field. Without the field, everything is equally acceptable.
#[derive(Debug)]
pub struct Accept(Vec<Range>);

/// One member.
#[derive(Debug)]
struct Range {
    /// A media type, a coding, or a pattern, in lower case.
    name: String,
    /// Whether it has parameters, such as `application/json;indent=2`.
    has_parameters: bool,
    /// The quality in thousandths.
    quality: u16,
}

/// How much something is wanted. Of two with the same quality, the more specific one counts for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// The quality in thousandths; never zero.
    pub quality: u16,
    /// How specific the member is that names it.
    pub specificity: Specificity,
}

/// How specifically something is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Specificity {
    /// The field is missing.
    Missing,
    /// `*/*`.
    Any,
    /// `text/*`.
    Group,
    /// The type with parameters, which are ignored. The types of responses have no variants, and JSON defines no
    /// parameters (RFC 8259 section 11).
    Form,
    /// The exact name.
    Named,
}

impl Accept {
    /// Parses all lines of a field.
    pub fn of(headers: &HeaderMap, field: HeaderName) -> Self {
        let lines = headers.get_all(field).iter();
        Self(lines.flat_map(|line| split(line.as_bytes(), b',')).filter_map(Range::read).collect())
    }

    /// The weight of a type or a coding, from the most specific member that matches. None when it is not acceptable.
    pub fn weight(&self, name: &str) -> Option<Weight> {
        if self.0.is_empty() {
            return Some(Weight { quality: 1_000, specificity: Specificity::Missing });
        }
        let fitting = self.0.iter().filter_map(|range| Some((range.specificity_for(name)?, range.quality)));
        let (specificity, quality) = fitting.max()?;
        (quality > 0).then_some(Weight { quality, specificity })
    }

    /// Whether something is named, and wanted more than each of the others: browsers prefer HTML so, where programs
    /// get JSON.
    pub fn prefers(&self, name: &str, others: &[&str]) -> bool {
        let weight = self.weight(name).filter(|weight| weight.specificity >= Specificity::Form);
        weight.is_some() && others.iter().all(|other| weight > self.weight(other))
    }
}

impl Range {
    fn read(text: &[u8]) -> Option<Self> {
        let mut parts = split(text, b';').map(|part| str::from_utf8(part).map(str::trim));
        let name = parts.next()?.ok().filter(|name| !name.is_empty() && name.bytes().all(is_of_name))?;
        let (mut quality, mut has_parameters) = (None, false);
        for part in parts {
            let part = part.ok()?;
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if name.eq_ignore_ascii_case("q") {
                quality = quality.or(Some(thousandths(value)?));
            } else {
                // That is the charset of responses.
                has_parameters |= !part.is_empty() && !part.eq_ignore_ascii_case("charset=utf-8");
            }
        }
        let quality = quality.unwrap_or(1_000);
        // A client that refuses one variant accepts others.
        (quality > 0 || !has_parameters).then(|| Self { name: name.to_ascii_lowercase(), has_parameters, quality })
    }

    fn specificity_for(&self, name: &str) -> Option<Specificity> {
        let group = self.name.strip_suffix('*').filter(|group| group.ends_with('/'));
        match (self.name.as_str(), group) {
            ("*" | "*/*", _) => Some(Specificity::Any),
            (_, Some(group)) => name.starts_with(group).then_some(Specificity::Group),
            (own, None) if own != name => None,
            _ if self.has_parameters => Some(Specificity::Form),
            _ => Some(Specificity::Named),
        }
    }
}

/// Whether a byte belongs to a token (RFC 9110 section 5.6.2) or is the slash of a media type.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&byte)
}

/// `0.5` to 500. A positive value is at least 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if text.len() <= usize::from(text.contains('.')) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_zero = fraction.bytes().all(|byte| byte == b'0');
    match whole {
        "" | "0" if is_zero => Some(0),
        "" | "0" => Some(format!("{fraction:0<3.3}").parse::<u16>().ok()?.max(1)),
        "1" if is_zero => Some(1_000),
        _ => None,
    }
}

/// The parts of a text between separators. A quoted string belongs to one part (RFC 9110 section 5.6.4).
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |byte| {
        let was_escaped = mem::take(&mut is_escaped);
        match byte {
            b'"' if !was_escaped => is_quoted = !is_quoted,
            b'\\' if is_quoted && !was_escaped => is_escaped = true,
            _ => {}
        }
        *byte == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    fn accept(lines: &[&str]) -> Accept {
        let lines = lines.iter().map(|line| (header::ACCEPT, HeaderValue::from_bytes(line.as_bytes()).unwrap()));
        Accept::of(&lines.collect(), header::ACCEPT)
    }

    /// The quality of JSON, in thousandths.
    fn json(lines: &[&str]) -> u16 {
        accept(lines).weight("application/json").map_or(0, |weight| weight.quality)
    }

    #[test]
    fn what_names_a_type_most_closely_says_how_much_it_is_wanted() {
        for (line, quality) in [
            ("application/json", 1_000),
            ("Application/JSON", 1_000),
            ("*/*", 1_000),
            ("application/*;q=0.25", 250),
            ("application/json;q=0", 0),
            ("application/json;q=0.000, */*", 0),
            ("*/*;q=0, application/json;q=0.001", 1),
            ("application/*;q=0, */*", 0),
            ("*/*, application/*;q=0.5, application/json;q=0.2", 200),
            ("text/html, application/xml;q=0.9", 0),
            ("text/*", 0),
            ("application/jso, application/json5", 0),
        ] {
            assert_eq!(json(&[line]), quality, "{line}");
        }
        assert_eq!(json(&["text/html", "application/json;q=0.5"]), 500, "lines are one list");
        assert_eq!(json(&["*/*;q=0.1", "application/*;q=0.3"]), 300);
    }

    #[test]
    fn what_says_nothing_forbids_nothing() {
        for lines in [&[][..], &[""], &[" , ,"], &["", ""]] {
            let weight = accept(lines).weight("application/json").unwrap();
            assert_eq!((weight.quality, weight.specificity), (1_000, Specificity::Missing), "{lines:?}");
        }
    }

    #[test]
    fn a_weight_is_a_number_up_to_one() {
        for (weight, quality) in [
            ("q=0.5", 500),
            ("Q=0.5", 500),
            (" q=0.123 ", 123),
            ("q=1.000", 1_000),
            ("q=1.", 1_000),
            ("q=0.", 0),
            ("q=.2", 200),
            ("q=0.12345", 123),
            ("q=0.0001", 1),
            ("q=0.5;q=0.1", 500),
        ] {
            assert_eq!(json(&[&format!("application/json;{weight}, text/html")]), quality, "{weight}");
        }
        // What cannot be read is as good as left out.
        for weight in ["q=2", "q=1.001", "q=-1", "q=", "q", "q=.", "q=a", "q=0.5x", "q= 0.5", "q=1e0", "q=+1"] {
            assert_eq!(json(&[&format!("application/json;{weight}, text/html")]), 0, "{weight}");
            assert_eq!(json(&[&format!("application/json;{weight}, */*;q=0.3")]), 300, "{weight}");
        }
    }

    #[test]
    fn parameters_do_not_keep_a_type_away() {
        for (line, quality) in [
            ("application/json; charset=utf-8", 1_000),
            ("application/json;odata=verbose", 1_000),
            ("application/json;profile=\"a,b;q=0\\\"\";q=0.5", 500),
            ("application/json;indent=2;q=0.1, application/json;q=0.7", 700),
            ("application/json;indent=2;q=0, application/json", 1_000),
            ("application/json;indent=2;q=0, */*;q=0.4", 400),
            ("application/json;charset=utf-8;q=0, */*", 0),
            ("text/html;level=\"application/json\"", 0),
        ] {
            assert_eq!(json(&[line]), quality, "{line}");
        }
    }

    #[test]
    fn what_is_malformed_does_not_spoil_the_rest() {
        for line in
            ["a b, application/json", "application/json, \u{e4}", "@, application/json, ;;", "=, application/json;;"]
        {
            assert_eq!(json(&[line]), 1_000, "{line}");
        }
        assert_eq!(json(&["text/html;a=\"b", "application/json"]), 1_000, "a quotation ends with its line");
        // Java's `HttpURLConnection`.
        assert_eq!(json(&["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"]), 200);
    }

    #[test]
    fn codings_are_read_in_the_same_way() {
        let gzip = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
            Accept::of(&headers, header::ACCEPT_ENCODING)
                .weight("gzip")
                .filter(|weight| weight.specificity > Specificity::Missing)
        };
        for taken in ["gzip", "br, GZIP;q=0.1", "*", "deflate, *;q=0.5"] {
            assert!(gzip(taken).is_some(), "{taken}");
        }
        for other in ["", "br", "gzip;q=0", "*, gzip;q=0", "gzip;q=0, *"] {
            assert!(gzip(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_browser_names_html_and_likes_it_better() {
        let prefers =
            |line: &str| accept(&[line]).prefers("text/html", &["application/json", "application/problem+json"]);
        for browser in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html",
            "text/html, */*",
            "application/json;q=0.1, Text/HTML;q=0.9",
            "text/html;level=1",
        ] {
            assert!(prefers(browser), "{browser}");
        }
        for program in [
            "*/*",
            "text/*",
            "",
            "application/json, text/plain, */*",
            "text/html, application/json",
            "application/problem+json, text/html;q=0.9",
            "text/html;q=0, */*;q=0.1",
        ] {
            assert!(!prefers(program), "{program}");
        }
    }
}
