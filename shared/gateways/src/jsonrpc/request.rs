//! Parses messages: one call or several, each with its method, its parameters and its id.

use std::{borrow::Cow, collections::HashSet, fmt};

use protocol::Code;
use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{INVALID_REQUEST, MAX_CALLS, PARSE_ERROR};
use crate::respond::shortened;

/// The maximum length of an id, in bytes: the response repeats it.
const MAX_ID_BYTES: usize = 1024;

/// The reserved code, our code, and the detail of an unreadable message.
pub type Unreadable = ((i32, &'static str), Code, String);

/// A message.
#[derive(Debug)]
pub enum Message<'a> {
    /// One call.
    Single(&'a RawValue),
    /// Several.
    Batch(Vec<&'a RawValue>),
}

/// Reads a message, but not its calls yet.
///
/// # Errors
/// When it is not JSON, or a batch without calls or with too many.
pub fn read(body: &[u8]) -> Result<Message<'_>, Unreadable> {
    let message: &RawValue = serde_json::from_slice(body).map_err(|error| {
        (
            PARSE_ERROR,
            Code::ParseError,
            format!("The body is no JSON: line {}, column {}.", error.line(), error.column()),
        )
    })?;
    if !message.get().starts_with('[') {
        return Ok(Message::Single(message));
    }
    match elements(message, MAX_CALLS) {
        (_, 0) => Err((INVALID_REQUEST, Code::BadRequest, "The batch is empty.".to_owned())),
        (_, count) if count > MAX_CALLS => {
            let detail = format!("A batch has at most {MAX_CALLS} calls, and this one has {count}.");
            Err((INVALID_REQUEST, Code::PayloadTooLarge, detail))
        }
        (entries, _) => Ok(Message::Batch(entries)),
    }
}

/// The first `most` elements of an array, and how many it has in all.
pub fn elements(array: &RawValue, most: usize) -> (Vec<&RawValue>, usize) {
    struct Elements(usize);

    impl<'de> Visitor<'de> for Elements {
        type Value = (Vec<&'de RawValue>, usize);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let (mut first, mut count) = (Vec::new(), 0);
            while first.len() < self.0 {
                let Some(element) = array.next_element()? else { return Ok((first, count)) };
                first.push(element);
                count += 1;
            }
            while array.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok((first, count))
        }
    }

    // A raw value is JSON; the caller has checked that it is an array.
    serde_json::Deserializer::from_str(array.get()).deserialize_seq(Elements(most)).unwrap_or_default()
}

/// One entry of a message.
#[derive(Debug)]
pub enum Entry<'a> {
    /// A call; without an id, it is a notification.
    Call {
        /// The name of the method.
        method: Cow<'a, str>,
        /// The parameters: an object or an array.
        params: Option<&'a RawValue>,
        /// The id, as it was written.
        id: Option<&'a RawValue>,
    },
    /// Anything else.
    Invalid {
        /// Why it is invalid.
        why: Cow<'static, str>,
        /// Its id, if it can be read.
        id: Option<&'a RawValue>,
    },
}

impl<'a> Entry<'a> {
    /// Parses an entry.
    pub fn read(raw: &'a RawValue) -> Self {
        if !raw.get().starts_with('{') {
            return Self::Invalid { why: "A request is an object.".into(), id: None };
        }
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let Members { version, method, params, id } = match json.deserialize_map(Reading) {
            Ok(Ok(members)) => members,
            Ok(Err(name)) => {
                let why = format!("The member {:?} of the request is given more than once.", shortened(&name));
                return Self::Invalid { why: why.into(), id: None };
            }
            Err(_) => return Self::Invalid { why: "The request cannot be read.".into(), id: None },
        };
        if id.is_some_and(|id| !is_id(id)) {
            let why = "An id is a string, a number or null, of at most 1024 bytes.";
            return Self::Invalid { why: why.into(), id: None };
        }
        let invalid = |why: &'static str| Self::Invalid { why: why.into(), id };
        if text(version).as_deref() != Some("2.0") {
            return invalid("\"jsonrpc\" must be \"2.0\".");
        }
        let Some(method) = text(method) else { return invalid("\"method\" must be a string.") };
        if params.is_some_and(|params| !params.get().starts_with(['{', '['])) {
            return invalid("\"params\" must be an object or an array.");
        }
        Self::Call { method, params, id }
    }

    /// The id for the response.
    pub fn id(&self) -> &'a RawValue {
        match self {
            Self::Call { id, .. } | Self::Invalid { id, .. } => id.unwrap_or(RawValue::NULL),
        }
    }
}

fn is_id(id: &RawValue) -> bool {
    let id = id.get();
    id.len() <= MAX_ID_BYTES
        && (id == "null" || id.starts_with(['"', '-']) || id.starts_with(|c: char| c.is_ascii_digit()))
}

fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let raw = raw?.get();
    let plain = raw.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(plain)) }
}

#[derive(Default)]
struct Members<'a> {
    version: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    /// The members, or the name of a duplicate one.
    type Value = Result<Members<'de>, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut names, mut twice) = (Members::default(), HashSet::new(), None);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value: &RawValue = map.next_value()?;
            match &*name {
                "jsonrpc" => members.version = Some(value),
                "method" => members.method = Some(value),
                "params" => members.params = Some(value),
                "id" => members.id = Some(value),
                _ => {}
            }
            if let Some(name) = names.replace(name) {
                twice.get_or_insert(name.into_owned());
            }
        }
        Ok(twice.map_or(Ok(members), Err))
    }
}
