//! Batches: several calls in one request, `/trpc/a,b?batch=1`, with one response. The official client also sends
//! batches of one, on the procedure's own path.

use std::fmt;

use http::{HeaderMap, HeaderName, header};
use serde::{
    Deserializer as _,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use crate::{Fault, input, media_type};

/// The form of a batch's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchFormat {
    /// A JSON array, in the order of the calls.
    Array,
    /// JSON Lines, in the order in which the calls ended: for clients that stream.
    Lines,
}

impl BatchFormat {
    /// The form that a request asks for; none when it is no batch. As in the official server, only `batch=1` makes a
    /// batch.
    pub fn of(query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        let is_batch = super::values(query, "batch").any(|value| value == "1");
        is_batch.then(|| if wants_lines(headers) { Self::Lines } else { Self::Array })
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Array => media_type::JSON,
            Self::Lines => media_type::JSON_LINES,
        }
    }
}

const TRPC_ACCEPT: HeaderName = HeaderName::from_static("trpc-accept");

fn wants_lines(headers: &HeaderMap) -> bool {
    match headers.get(TRPC_ACCEPT) {
        Some(value) => value == media_type::JSON_LINES,
        None => {
            let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|part| part.trim() == media_type::JSON_LINES)
        }
    }
}

/// Reads the inputs of a batch with this many calls, `{"0":…,"2":…}`. Other keys are ignored.
///
/// # Errors
/// `BAD_REQUEST` when the text is not such an object, or has a duplicate key.
pub fn inputs(raw: Option<&[u8]>, calls: usize) -> Result<Vec<Option<&RawValue>>, Fault> {
    let Some(raw) = raw else { return Ok(vec![None; calls]) };
    let mut json = serde_json::Deserializer::from_slice(raw);
    let read = json.deserialize_map(Inputs(calls)).and_then(|inputs| json.end().map(|()| inputs));
    read.map_err(|error| {
        let message = error.to_string();
        Fault::bad_request(match error.classify() {
            // serde's message may quote the value.
            Category::Data if message.starts_with(TWICE) => format!("{message}."),
            Category::Data => "The input of a batch is a JSON object, by the numbers of the calls.".to_owned(),
            _ => input::unreadable(&error),
        })
    })
}

/// The beginning of the message about a call with two inputs.
const TWICE: &str = "The input of a batch has more than one for the call ";

struct Inputs(usize);

impl<'de> Visitor<'de> for Inputs {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut inputs = vec![None; self.0];
        while let Some(key) = map.next_key::<Key>()? {
            let known = key.0.and_then(|place| Some((place, inputs.get_mut(place)?)));
            let Some((place, input)) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if input.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("{TWICE}{place}")));
            }
        }
        Ok(inputs)
    }
}

/// The index of a call, as JavaScript writes it; none for any other key.
struct Key(Option<usize>);

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let place = text.parse().ok();
        Ok(Self(place.filter(|place: &usize| place.to_string() == *text)))
    }
}

/// Collects the responses of a batch.
#[derive(Debug)]
pub struct Answers {
    form: BatchFormat,
    /// Index and envelope of each call, in the order in which the calls ended.
    ended: Vec<(usize, Vec<u8>)>,
    status: Option<u16>,
}

impl Answers {
    /// Creates an empty collection.
    pub const fn new(form: BatchFormat) -> Self {
        Self { form, ended: Vec::new(), status: None }
    }

    /// Adds the envelope of a call that ended.
    pub fn add(&mut self, place: usize, status: u16, mut envelope: Vec<u8>) {
        // JSON allows any whitespace between tokens, and a line must not contain a line break.
        for byte in &mut envelope {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.status = match self.status {
            None => Some(status),
            Some(known) if known == status => Some(known),
            Some(_) => Some(207),
        };
        self.ended.push((place, envelope));
    }

    /// The status and the body of the whole response: the common status of all calls, or 207; lines always have 200.
    pub fn finish(mut self) -> (u16, Vec<u8>) {
        match self.form {
            BatchFormat::Array => {
                self.ended.sort_by_key(|(place, _)| *place);
                let envelopes: Vec<_> = self.ended.into_iter().map(|(_, envelope)| envelope).collect();
                (self.status.unwrap_or(200), [b"[", envelopes.join(&b',').as_slice(), b"]"].concat())
            }
            BatchFormat::Lines => (200, lines(&self.ended)),
        }
    }
}

/// The stream format of `@trpc/server`: a head, in which each call is a pending value, and one line for each that
/// ended. The last line ends with a line break, or the client waits for the rest of it.
fn lines(ended: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut places: Vec<_> = ended.iter().map(|(place, _)| *place).collect();
    places.sort_unstable();
    let head: Vec<_> = places.iter().map(|place| format!(r#""{place}":[[0],[null,0,{place}]]"#)).collect();
    let mut body = format!("{{{}}}\n", head.join(",")).into_bytes();
    for (place, envelope) in ended {
        body.extend(format!("[{place},0,[[").bytes());
        body.extend(envelope);
        body.extend(b"]]]\n");
    }
    body
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_batch_1_is_a_batch() {
        for (query, form) in [
            (Some("batch=1"), Some(BatchFormat::Array)),
            (Some("input=%7B%7D&batch=1"), Some(BatchFormat::Array)),
            (Some("b%61tch=1"), Some(BatchFormat::Array)),
            (Some("batch=0"), None),
            (Some("batch"), None),
            (Some("notbatch=1"), None),
            (None, None),
        ] {
            assert_eq!(BatchFormat::of(query, &HeaderMap::new()), form, "{query:?}");
        }
    }

    #[test]
    fn lines_are_asked_for_by_either_header() {
        let form = |headers: &[(&'static str, &'static str)]| {
            let pairs = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            BatchFormat::of(Some("batch=1"), &pairs.collect()).unwrap()
        };
        assert_eq!(form(&[("trpc-accept", "application/jsonl")]), BatchFormat::Lines);
        assert_eq!(form(&[("accept", "text/html, application/jsonl")]), BatchFormat::Lines);
        assert_eq!(form(&[("accept", "*/*")]), BatchFormat::Array);
        assert_eq!(form(&[("trpc-accept", "other"), ("accept", "application/jsonl")]), BatchFormat::Array);
    }

    fn read(raw: &str, calls: usize) -> Result<Vec<Option<String>>, Fault> {
        let inputs = inputs(Some(raw.as_bytes()), calls)?;
        Ok(inputs.into_iter().map(|input| input.map(|input| input.get().to_owned())).collect())
    }

    #[test]
    fn inputs_have_the_numbers_of_their_calls() {
        assert_eq!(
            read(r#"{"2": {"a" :1}, "0":null, "7":1, "01":2, "x":3}"#, 3).unwrap(),
            [Some("null".into()), None, Some(r#"{"a" :1}"#.into())]
        );
        assert_eq!(inputs(None, 2).unwrap().len(), 2);
    }

    #[test]
    fn inputs_that_are_none_are_refused() {
        let deep = "[".repeat(100_000);
        for raw in ["", "[]", "1", "null", r#"{"0":1"#, r#"{"0":1}2"#, r#"{"0":1,"0":2}"#, "{\"0\":\u{1}}", &deep] {
            assert_eq!(read(raw, 1).unwrap_err().code, crate::Code::BadRequest, "{raw:.20}");
        }
        assert!(inputs(Some(b"{\"0\":\"\xff\"}"), 1).is_err());
    }

    #[test]
    fn what_is_wrong_with_inputs_is_told_with_the_place() {
        let message = |raw: &str| read(raw, 2).unwrap_err().message;
        let no_json = "The input is not JSON that can be read: ";
        assert_eq!(message("{nope"), format!("{no_json}key must be a string at line 1 column 2."));
        assert_eq!(message("{\"0\":\n{\"a\" 1}}"), format!("{no_json}expected `:` at line 2 column 6."));
        assert_eq!(message("{} 2"), format!("{no_json}trailing characters at line 1 column 4."));
        assert_eq!(message("[]"), "The input of a batch is a JSON object, by the numbers of the calls.");
        let twice = "The input of a batch has more than one for the call 1 at line 1 column 13.";
        assert_eq!(message(r#"{"1":1,"1":2}"#), twice);
    }

    #[test]
    fn an_array_has_the_order_of_the_calls_and_the_status_of_all() {
        let answer = |statuses: [u16; 2]| {
            let mut answers = Answers::new(BatchFormat::Array);
            answers.add(1, statuses[1], b"{\"b\":1}".to_vec());
            answers.add(0, statuses[0], b"{\"a\":\n1}".to_vec());
            answers.finish()
        };
        assert_eq!(answer([200, 200]), (200, b"[{\"a\": 1},{\"b\":1}]".to_vec()));
        assert_eq!(answer([400, 400]).0, 400);
        assert_eq!(answer([200, 404]).0, 207);
    }

    #[test]
    fn lines_have_the_order_in_which_calls_ended() {
        let mut answers = Answers::new(BatchFormat::Lines);
        answers.add(1, 404, b"{\"error\":1}".to_vec());
        answers.add(0, 200, b"{\"result\":{}}\n".to_vec());
        let (status, body) = answers.finish();
        assert_eq!(status, 200);
        let lines =
            "{\"0\":[[0],[null,0,0]],\"1\":[[0],[null,0,1]]}\n[1,0,[[{\"error\":1}]]]\n[0,0,[[{\"result\":{}} ]]]\n";
        assert_eq!(String::from_utf8(body).unwrap(), lines);
    }
}
