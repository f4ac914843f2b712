//! REST: a procedure's own route, such as `GET /v1/orders/{id}`.
//!
//! The input and the output travel as they are, in the terms of HTTP (RFC 9110):
//!
//! - GET and DELETE take the input from the address: path and query parameters, a list as a repeated name, a
//!   structure as JSON. POST, PUT and PATCH take a JSON object as body; path parameters are fields of it. PATCH is a
//!   merge patch (RFC 7396): an absent field stays as it is, null is a value.
//! - An output is answered with 200, no output with 204. The procedure's declaration adds to that ([`RestAnswer`]),
//!   unless its author declines a part: a POST that creates something answers 201, with its address in `Location`;
//!   the `version` of an output is its `ETag`; a page has a `Link` to the next one (RFC 8288).
//! - `If-None-Match` asks for another version, else 304; `If-Match` for one of the named ones, else 412. In a change,
//!   `If-Match` is the input's field `version`; when that is no longer the stored version, the conflict is a failed
//!   precondition, 412. If it names several versions, they are tried one after the other.
//! - Errors are problems (RFC 9457), with the code, the typed failure and the faults of fields as members.
//!
//! Of several reasons to refuse a request, the answer states the first of these:
//!
//! 1. the method: 501 when no standard has it, else 405;
//! 2. the size (413), the conditions (400, 412), the body's coding and type (415), the place of the input (400);
//! 3. the caller and their permissions: 401, 403, 429;
//! 4. the input, with all of its faults together: 400;
//! 5. the client does not accept JSON: 406, where an output would be sent. A client that accepts only problems
//!    therefore gets those above as problems, and for a query also those below. A query has run by then; a mutation has
//!    not, so that nothing is done whose output cannot be sent;
//! 6. the failures of the procedure itself.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header, request::Parts};
use protocol::{
    Code, Cursor, Fault, Field, FieldFault, Form, Kind, RestAnswer,
    accept::Accept,
    fault::{AcceptedBody, shortened},
    input::MAX_FAULTS,
    media_type, trpc,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    Entry, Output,
    reply::{self, Address, Reading, methods_at},
};

/// The methods of REST routes, for preflights.
pub const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const JSON: HeaderValue = HeaderValue::from_static(media_type::JSON);
/// The value of `Vary`.
const ACCEPT: HeaderValue = HeaderValue::from_static("accept");

/// The route that matched, as an extension of a request to a procedure's REST route.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The path's parameters by name, decoded.
    pub parameters: Vec<(String, String)>,
}

/// All methods of the request's path as a value of `Allow`, including those of other procedures, as an extension of a
/// request to an address outside of `/trpc/`. Without it, the procedure's own methods are all.
#[derive(Clone, Debug)]
pub struct Allowed(pub Arc<str>);

/// The conditions of a request (RFC 9110 section 13.1), and whether its client accepts JSON.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    /// The versions that `If-Match` names, of which one is expected.
    if_match: Option<Vec<u32>>,
    /// The value of `If-None-Match`, its lines joined.
    if_none_match: Option<String>,
    /// Whether the client does not accept JSON.
    refuses_json: bool,
}

impl Conditions {
    /// Whether a fault means that the stored version is not the expected one.
    pub(crate) fn is_unmet(&self, fault: &Fault) -> bool {
        let is_of_version = fault.failure.as_ref().is_none_or(|failure| failure.get("version").is_some());
        self.if_match.is_some() && fault.code == Code::Conflict && is_of_version
    }

    /// The fault as the client gets it: a version conflict in a request with `If-Match` is a failed precondition.
    fn translate(&self, fault: Fault) -> Fault {
        if self.is_unmet(&fault) { Fault { code: Code::PreconditionFailed, ..fault } } else { fault }
    }
}

/// Reads a request: its input as JSON, or none, and its conditions. When it names several versions, there is one
/// input for each: at most one of them is stored, and the others change nothing.
///
/// # Errors
/// 400, 405, 412, 413 and 415.
pub(crate) fn read(entry: &Entry, address: &Address, parts: &Parts, body: Bytes) -> Result<Reading, Fault> {
    let (own, _) = entry.rest().unwrap_or_default();
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    if method != own {
        return Err(Fault::method_not_supported(parts.method.as_str(), methods_at(own, &parts.extensions)));
    }
    if body.len() > trpc::MAX_INPUT_BYTES || parts.uri.query().is_some_and(|q| q.len() > trpc::MAX_INPUT_BYTES) {
        return Err(trpc::too_large());
    }
    let fields = entry.spec.fields;
    let conditions = conditions(method, entry.spec.rest_answer, &parts.headers)?;
    let by_body = matches!(method, "POST" | "PUT" | "PATCH");
    if by_body || !body.is_empty() {
        trpc::expect_uncoded(&parts.headers)?;
    }
    if by_body && !body.is_empty() {
        expect_json(method, &parts.headers)?;
    }
    let query = query(parts.uri.query().unwrap_or_default())?;
    if by_body && !query.is_empty() {
        let message = format!("{method} takes its input from the body");
        let fault = |(name, _): &Pair<'_>| FieldFault { path: shortened(name), message: message.clone() };
        return Err(Fault::invalid(query.iter().take(MAX_FAULTS).map(fault).collect()));
    }
    if !by_body && !body.is_empty() {
        return Err(Fault::bad_request(format!("{method} takes its input from the address, and no body.")));
    }
    let in_path = address.parameters.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
    let texts: Vec<Pair<'_>> = in_path.chain(query).collect();
    let input = |version: Option<u32>| {
        let members = members(fields, &texts, version.map(|version| ("version", version.to_string())));
        match (members.is_empty(), body.is_empty()) {
            (true, true) => Ok(None),
            (true, false) => Ok(Some(body.clone())),
            (false, true) => Ok(Some(format!("{{{members}}}").into())),
            (false, false) => with_members(&members, &body).map(Some),
        }
    };
    // The latest version is the most likely one.
    let expected = conditions.if_match.as_ref().filter(|_| method != "GET");
    let inputs = match expected {
        Some(versions) => versions.iter().rev().map(|version| input(Some(*version))).collect::<Result<_, _>>()?,
        None => vec![input(None)?],
    };
    let is_held_back = conditions.refuses_json && entry.spec.has_output && entry.spec.kind == Kind::Mutation;
    Ok(Reading { inputs, conditions, is_held_back })
}

/// A name and a value from an address, decoded.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a query string.
fn query(text: &str) -> Result<Vec<Pair<'_>>, Fault> {
    let malformed = || Fault::bad_request("The address is not percent-encoded UTF-8.");
    let decode = |text| trpc::percent_decode(text, true).ok_or_else(malformed);
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| Ok((decode(k)?, decode(v)?))).collect()
}

/// `"id":"…","limit":20` from texts. A text that does not fit its field stays a text, and a field that is no list
/// appears twice if it is given twice: the procedure then reports what it expected.
fn members(fields: &[Field], texts: &[Pair<'_>], version: Option<(&str, String)>) -> String {
    let mut texts_by_name: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, text) in texts {
        let place = *places.entry(name).or_insert(texts_by_name.len());
        match texts_by_name.get_mut(place) {
            Some((_, values)) => values.push(text),
            None => texts_by_name.push((name, vec![text])),
        }
    }
    let mut members: Vec<String> = Vec::new();
    for (name, values) in texts_by_name {
        let form = fields.iter().find(|field| field.name == name).map_or(Form::Text, |field| field.form);
        let member = |value| format!("{}:{value}", quoted(name));
        match form {
            Form::List(form) => {
                let values: Vec<_> = values.iter().map(|text| value(*form, text)).collect();
                members.push(member(format!("[{}]", values.join(","))));
            }
            form => members.extend(values.iter().map(|text| member(value(form, text)))),
        }
    }
    members.extend(version.map(|(name, value)| format!("{}:{value}", quoted(name))));
    members.join(",")
}

/// A text as the JSON value of a form.
fn value(form: Form, text: &str) -> String {
    let is_json = match form {
        Form::Text | Form::List(_) => false,
        Form::Boolean => return boolean(text).map_or_else(|| quoted(text), |value| value.to_string()),
        Form::Integer | Form::Number => {
            text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && is_one_value(text)
        }
        Form::Json => is_one_value(text),
    };
    if is_json { text.to_owned() } else { quoted(text) }
}

/// A boolean in any case: Python's clients write `True`.
fn boolean(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|value| text.eq_ignore_ascii_case(if *value { "true" } else { "false" }))
}

fn is_one_value(text: &str) -> bool {
    text.trim() == text && serde_json::from_str::<&RawValue>(text).is_ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A body with path parameters added as members, behind its own, so that positions in JSON errors stay correct. A
/// name that both have appears twice, and the procedure refuses it.
fn with_members(members: &str, body: &[u8]) -> Result<Bytes, Fault> {
    const SPACES: [char; 4] = [' ', '\t', '\n', '\r'];
    let text = std::str::from_utf8(body).ok().map(|text| text.trim_end_matches(SPACES));
    let object = text.filter(|text| text.trim_start_matches(SPACES).starts_with('{'));
    let object = object.ok_or_else(|| Fault::bad_request("The body has to be one JSON object."))?;
    // The procedure refuses a truncated body.
    let Some(own) = object.strip_suffix('}') else { return Ok(object.to_owned().into()) };
    let separator = if own.trim_matches(SPACES) == "{" { "" } else { "," };
    Ok(format!("{own}{separator}{members}}}").into())
}

/// The maximum number of versions that a change may name.
const MAX_VERSIONS: usize = 10;

/// The conditions of a request. The procedure itself checks those of a change, in the transaction that makes it; some
/// of them cannot be evaluated there.
fn conditions(method: &str, answer: RestAnswer, headers: &HeaderMap) -> Result<Conditions, Fault> {
    let reads = method == "GET";
    let failed = |message: &str| Fault::new(Code::PreconditionFailed, message);
    let mut conditions = Conditions {
        if_match: None,
        if_none_match: listed(headers, &header::IF_NONE_MATCH),
        refuses_json: Accept::of(headers, header::ACCEPT).weight(media_type::JSON).is_none(),
    };
    match conditions.if_none_match.as_deref().map(str::trim) {
        Some("*") if !reads => {
            return Err(failed("If-None-Match names whatever is there, and only what is there is changed."));
        }
        Some(_) if !reads => {
            return Err(Fault::bad_request("If-None-Match is understood with GET and HEAD; of others its `*`."));
        }
        _ => {}
    }
    let Some(tags) = listed(headers, &header::IF_MATCH).filter(|tags| tags.trim() != "*") else {
        return Ok(conditions);
    };
    if !reads && !answer.if_match {
        return Err(Fault::bad_request(
            "If-Match is understood with GET and HEAD, and where the input has a `version`.",
        ));
    }
    let versions = versions(&tags);
    if versions.is_empty() {
        return Err(failed("If-Match names no version that there is."));
    }
    if versions.len() > MAX_VERSIONS {
        return Err(Fault::bad_request(format!("If-Match names more than {MAX_VERSIONS} versions.")));
    }
    conditions.if_match = Some(versions);
    Ok(conditions)
}

/// The lines of a header, joined with commas.
fn listed(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// The versions among entity tags. Tags are compared strongly: any other tag matches no stored version.
fn versions(tags: &str) -> Vec<u32> {
    let version = |tag: &str| {
        let version = tag.strip_prefix('"')?.strip_suffix('"')?.parse::<u32>().ok()?;
        (tag == format!("\"{version}\"")).then_some(version)
    };
    let mut versions: Vec<u32> = tags.split(',').filter_map(|tag| version(tag.trim())).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

fn expect_json(method: &str, headers: &HeaderMap) -> Result<(), Fault> {
    let is_patch = method == "PATCH" && media_type::is_utf8(headers, media_type::MERGE_PATCH);
    if is_patch || media_type::is_utf8(headers, media_type::JSON) {
        return Ok(());
    }
    let content_type = media_type::stated(headers);
    let message = format!("The content-type {content_type:?} is not read here; use application/json in UTF-8.");
    let taken = match method {
        "PATCH" => AcceptedBody::Patch,
        "POST" => AcceptedBody::JsonByPost,
        _ => AcceptedBody::Json,
    };
    Err(Fault::unsupported(message, taken))
}

/// The fault of a request whose client does not accept the output's media type.
pub(crate) fn not_acceptable() -> Fault {
    Fault::new(Code::NotAcceptable, "Answers are application/json, which the Accept header leaves out.")
}

/// The fields of an output that the answer repeats in headers.
#[derive(Default, Deserialize)]
struct HeaderFields<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    next: Option<&'a RawValue>,
}

impl<'a> HeaderFields<'a> {
    /// Reads an output, if its declaration puts any of its fields into headers.
    fn of(answer: RestAnswer, output: &'a [u8]) -> Self {
        let is_sent = answer.location || answer.etag || answer.link;
        if is_sent { serde_json::from_slice(output).unwrap_or_default() } else { Self::default() }
    }
}

/// The value of a field, if it goes into a header: none for null.
fn value_of<T: DeserializeOwned>(is_sent: bool, field: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(field.filter(|_| is_sent)?.get()).ok()
}

/// The answer to a call that succeeded.
///
/// # Errors
/// The call's own fault, 412 and 406. An answer without a body is never unacceptable (RFC 9110 sections 12.5.1 and
/// 15.3.5).
pub(crate) fn success(
    entry: &Entry,
    address: &Address,
    conditions: &Conditions,
    outcome: Result<Output, Fault>,
) -> Result<Response<Bytes>, Fault> {
    let output = match outcome {
        Ok(Output::Json(output)) => output,
        Ok(_) => return Ok(plain(StatusCode::NO_CONTENT)),
        Err(fault) => return Err(conditions.translate(fault)),
    };
    let answer = entry.spec.rest_answer;
    let fields = HeaderFields::of(answer, &output);
    let version: Option<u32> = value_of(answer.etag, fields.version);
    let etag = version.map(|version| format!("\"{version}\""));
    let is_read = [Method::GET, Method::HEAD].contains(&address.method);
    if is_read
        && conditions.if_match.as_ref().is_some_and(|versions| !version.is_some_and(|own| versions.contains(&own)))
    {
        return Err(Fault::new(Code::PreconditionFailed, "What is there has no version that If-Match names."));
    }
    let matches = conditions.if_none_match.as_ref().is_some_and(|tags| etag_matches(tags, etag.as_deref()));
    let id: Option<String> = value_of(answer.location, fields.id);
    let location = id.map(|id| format!("{}/{}", address.uri.path().trim_end_matches('/'), encoded(&id)));
    let next: Option<String> = value_of(answer.link, fields.next);
    let link = next.map(|next| format!("<{}>; rel=\"next\"", at_cursor(&address.uri, &next)));
    let mut response = match matches {
        true => plain(StatusCode::NOT_MODIFIED),
        false if conditions.refuses_json => return Err(not_acceptable()),
        false => {
            let status = StatusCode::from_u16(answer.status(true)).unwrap_or(StatusCode::OK);
            reply::response(status, JSON, ACCEPT, output)
        }
    };
    for (name, value) in [(header::ETAG, etag), (header::LOCATION, location), (header::LINK, link)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// The address with another cursor.
fn at_cursor(uri: &Uri, cursor: &str) -> String {
    let is_cursor = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        trpc::percent_decode(name, true).is_some_and(|name| name == Cursor::FIELD)
    };
    let pairs = uri.query().unwrap_or_default().split('&');
    let kept = pairs.filter(|pair| !pair.is_empty() && !is_cursor(pair)).map(str::to_owned);
    let query: Vec<String> = kept.chain([format!("{}={}", Cursor::FIELD, encoded(cursor))]).collect();
    format!("{}?{}", uri.path(), query.join("&"))
}

/// Whether `If-None-Match` names a tag (RFC 9110 section 13.1.2, compared weakly). An output without a tag is always
/// sent: no client can have it already.
pub fn etag_matches(tags: &str, etag: Option<&str>) -> bool {
    let Some(etag) = etag else { return false };
    tags.trim() == "*" || tags.split(',').any(|tag| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()) == etag)
}

/// A text, percent-encoded as a part of an address (RFC 3986 section 2.1).
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Turns the response to a GET into that to a HEAD: the same without the body (RFC 9110 section 9.3.2).
pub fn without_body(response: &mut Response<Bytes>) {
    let length = HeaderValue::from(response.body().len());
    if !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    *response.body_mut() = Bytes::new();
}

/// A response without a body.
fn plain(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::VARY, ACCEPT);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
