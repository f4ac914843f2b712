//! `call`: one call of a procedure from the shell.

use std::{
    fmt, fs, io,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use bytes::Bytes;
use clap::Args;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use protocol::{
    Cause, FieldFault, Kind, media_type,
    trpc::{BASE_PATH, MAX_INPUT_BYTES, too_large},
};
use runtime::{Callers, Entry, Service};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{claims, data::Running};

/// The default address of `cargo run`.
const LOCAL_URL: &str = "http://127.0.0.1:9000";
/// How long one call may take. The HTTP API of a deployed service gives up after 30 s.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest response body that is read, in bytes; a function's is at most 6 MB.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The longest URL that every server on the way accepts, in bytes.
const MAX_ADDRESS_BYTES: usize = 6_000;
/// How much of a response that is not the service's own is shown, in characters.
const MAX_SHOWN: usize = 200;

/// What to call, and as whom.
#[derive(Args)]
pub struct CallOptions {
    /// Its name: DOMAIN.PROCEDURE
    procedure: String,
    /// The input as JSON; @FILE reads it from a file, - from standard input
    #[arg(allow_hyphen_values = true)]
    input: Option<String>,
    /// Where the service is; the one that runs with the data folder if left out, else http://127.0.0.1:9000
    #[arg(long)]
    url: Option<String>,
    /// The deployed stage that is called, whose key signs the token; it needs --url as well
    #[arg(long, requires = "url")]
    pub stage: Option<String>,
    /// The caller's role; may be repeated; that of those who run the service if left out
    #[arg(long = "role", conflicts_with_all = ["token", "public"])]
    pub roles: Vec<String>,
    /// Who the caller is; a new id if left out
    #[arg(long, conflicts_with_all = ["token", "public"], value_parser = claims::subject)]
    pub subject: Option<String>,
    /// A token that was signed before
    #[arg(long, conflicts_with = "public")]
    token: Option<String>,
    /// Without saying who is calling
    #[arg(long)]
    public: bool,
}

/// The exit code for wrong usage: nothing was called.
pub const USAGE_ERROR: u8 = 2;

/// The service to call.
pub struct Target {
    url: String,
    /// The hint for a failed call when the service was guessed: none was stated, and none runs with this folder.
    hint: Option<String>,
}

impl CallOptions {
    /// Finds the service to call; `data` is the folder of the service that is meant if no address is stated.
    ///
    /// # Errors
    /// When the running services cannot be listed.
    pub fn target(&self, service: &Service, data: Option<PathBuf>) -> Result<Target, Cause> {
        let (url, hint) = match (&self.url, data) {
            (Some(url), _) => (url.clone(), None),
            (None, None) => (LOCAL_URL.to_owned(), None),
            (None, Some(data)) => {
                let is_meant = |running: &Running| running.service == service.definition.name;
                match Running::all(&data)?.into_iter().find(is_meant) {
                    Some(running) => (running.url, None),
                    None => (LOCAL_URL.to_owned(), Some(no_service_hint(&data))),
                }
            }
        };
        Ok(Target { url, hint })
    }

    /// Whether the call needs a new token: for a stage signed with its key, else with the local one, which no other
    /// service accepts.
    ///
    /// When there is no key for that service.
    pub fn signs(&self, service: &Service, target: &Target) -> Result<bool, String> {
        if self.public || self.token.is_some() {
            return Ok(false);
        }
        if self.stage.is_some() {
            return Ok(true);
        }
        // A service with its own authentication reads none of our tokens.
        if matches!(service.definition.callers, Callers::Custom(_)) && self.roles.is_empty() && self.subject.is_none() {
            return Ok(false);
        }
        match target.uri("")?.host() {
            Some("127.0.0.1" | "localhost" | "[::1]") => Ok(true),
            _ => Err("the local service's key signs nothing for other places: --stage, --token or --public".into()),
        }
    }

    /// The caller's roles: the stated ones, else the service's operator role.
    pub fn roles(&self, service: &Service) -> Vec<String> {
        if !self.roles.is_empty() {
            return self.roles.clone();
        }
        service.definition.operator_role.into_iter().map(str::to_owned).collect()
    }
}

fn no_service_hint(data: &Path) -> String {
    format!(
        "no service runs with the data folder {}: `cargo run` starts one, --data and --url name others",
        data.display()
    )
}

impl Target {
    fn uri(&self, rest: &str) -> Result<Uri, String> {
        let base = self.url.trim_end_matches('/');
        let base = base.strip_suffix(BASE_PATH.trim_end_matches('/')).unwrap_or(base);
        let uri: Uri = format!("{base}{rest}").parse().map_err(|_| self.invalid_url())?;
        let is_http = uri.scheme_str().is_some_and(|scheme| ["http", "https"].contains(&scheme));
        if is_http && uri.host().is_some() { Ok(uri) } else { Err(self.invalid_url()) }
    }

    fn invalid_url(&self) -> String {
        format!("{:?} is no address such as {LOCAL_URL}", self.url)
    }

    /// Prints the hint, if it may explain a failed call.
    fn print_hint(&self) {
        if let Some(hint) = &self.hint {
            eprintln!("onefold: {hint}");
        }
    }
}

/// Calls a procedure and prints its result or its failure. `signed` is the token that was signed for the call.
pub async fn run(service: &Service, options: CallOptions, target: &Target, signed: Option<String>) -> ExitCode {
    let request = match request(service, &options, target, signed) {
        Ok(request) => request,
        Err(why) => {
            eprintln!("onefold: {why}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    let (status, body) = match tokio::time::timeout(TIMEOUT, send(request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(cause)) => {
            eprintln!("onefold: no service answers at {}: {}", target.url, root_cause(&*cause));
            target.print_hint();
            return ExitCode::FAILURE;
        }
        Err(_) => {
            eprintln!("onefold: {} did not answer in {} s", target.url, TIMEOUT.as_secs());
            target.print_hint();
            return ExitCode::FAILURE;
        }
    };
    match show(status, &body) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(result)) => match writeln!(io::stdout(), "{result}") {
            Ok(()) => ExitCode::SUCCESS,
            // The reader closed the pipe.
            Err(_) => ExitCode::FAILURE,
        },
        Err(failed) => {
            eprint!("{failed}");
            target.print_hint();
            ExitCode::FAILURE
        }
    }
}

fn request(
    service: &Service,
    options: &CallOptions,
    target: &Target,
    signed: Option<String>,
) -> Result<Request<Full<Bytes>>, String> {
    let entry = find(service, &options.procedure)?;
    let input = options.input.as_deref().map(read).transpose()?;
    let path = format!("{BASE_PATH}{}", entry.name);
    let address = input.as_ref().map(|input| {
        let encoded = serde_urlencoded::to_string([("input", input.as_str())]).unwrap_or_default();
        format!("{path}?{encoded}")
    });
    let fits_in_url = |address: &String| address.len() <= MAX_ADDRESS_BYTES || !service.definition.method_override;
    let (request, body) = match (entry.spec.kind, address) {
        (Kind::Query, None) => (Request::get(target.uri(&path)?), String::new()),
        (Kind::Query, Some(address)) if fits_in_url(&address) => (Request::get(target.uri(&address)?), String::new()),
        _ => (Request::post(target.uri(&path)?), input.unwrap_or_default()),
    };
    let mut request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::JSON));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("onefold"));
    if let Some(token) = options.token.as_ref().or(signed.as_ref()) {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| "that is no token")?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

fn find(service: &Service, name: &str) -> Result<Entry, String> {
    let known = service.procedures.iter().map(|procedure| procedure.entry);
    let Some(entry) = known.clone().find(|entry| entry.name == name) else {
        let names: Vec<_> = known.filter(|entry| entry.http().is_none()).map(|entry| entry.name).collect();
        return Err(format!("there is no procedure {name:?}; there are: {}", names.join(", ")));
    };
    match entry.http() {
        None => Ok(entry),
        Some((method, path)) => Err(format!("{name} has a form of its own: {method} {path}")),
    }
}

/// Reads the input from its argument, a file or standard input.
fn read(given: &str) -> Result<String, String> {
    // Reading one byte above the limit shows whether there is more.
    let limit = u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX) + 1;
    let mut bytes = Vec::new();
    let (place, outcome) = match given.strip_prefix('@') {
        Some(path) => (path, fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))),
        None if given == "-" => ("standard input", io::stdin().take(limit).read_to_end(&mut bytes)),
        None => return checked(given.to_owned()),
    };
    outcome.map_err(|error| format!("{place} cannot be read: {error}"))?;
    if bytes.len() > MAX_INPUT_BYTES {
        return Err(too_large().message);
    }
    checked(String::from_utf8(bytes).map_err(|_| format!("what {place} holds is not UTF-8"))?)
}

fn checked(text: String) -> Result<String, String> {
    if text.len() > MAX_INPUT_BYTES {
        return Err(too_large().message);
    }
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("the input is not JSON: {error}")),
    }
}

async fn send(request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Cause> {
    let tls = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?;
    let connector = tls.https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let answer = client.request(request).await?;
    let status = answer.status();
    Ok((status, Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await?.to_bytes()))
}

/// The root cause: the errors above it say the same in more general words.
fn root_cause(cause: &(dyn std::error::Error + 'static)) -> String {
    let mut root = cause;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

#[derive(Deserialize)]
struct Envelope {
    result: Option<Data>,
    error: Option<FailedCall>,
}

#[derive(Deserialize)]
struct Data {
    data: Option<Value>,
}

/// A failed call's response body.
#[derive(Debug, Deserialize)]
struct FailedCall {
    message: String,
    data: FailedData,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailedData {
    code: String,
    request_id: Option<String>,
    failure: Option<Value>,
    #[serde(default)]
    fields: Vec<FieldFault>,
}

impl fmt::Display for FailedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.data.code, self.message)?;
        if let Some(failure) = &self.data.failure {
            writeln!(f, "failure: {failure}")?;
        }
        // A single field repeats the message.
        for field in self.data.fields.iter().filter(|field| !self.message.ends_with(&field.message)) {
            let path = if field.path.is_empty() { "input" } else { &field.path };
            writeln!(f, "field {path}: {}", field.message)?;
        }
        match &self.data.request_id {
            Some(id) => writeln!(f, "request: {id}"),
            None => Ok(()),
        }
    }
}

/// The text to print for a response: the result, if there is one.
///
/// # Errors
/// The description of the failure.
fn show(status: StatusCode, body: &[u8]) -> Result<Option<String>, String> {
    let foreign = || {
        let text = String::from_utf8_lossy(body);
        let shown: String = text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
        format!("onefold: what answered is no service of this kind: {status} {shown}\n")
    };
    match serde_json::from_slice::<Envelope>(body).map_err(|_| foreign())? {
        Envelope { error: Some(failed), .. } => Err(failed.to_string()),
        Envelope { result: Some(Data { data }), .. } => {
            Ok(data.map(|data| serde_json::to_string_pretty(&data).unwrap_or_default()))
        }
        Envelope { result: None, error: None } => Err(foreign()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_indented_and_none_is_nothing() {
        let shown = |body: &str| show(StatusCode::OK, body.as_bytes());
        assert_eq!(shown(r#"{"result":{"data":{"a":[1]}}}"#).unwrap().unwrap(), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(shown(r#"{"result":{}}"#).unwrap(), None);
    }

    #[test]
    fn a_failure_says_all_that_is_known() {
        let body = r#"{"error":{"message":"No.","code":-32600,"data":{"code":"BAD_REQUEST","httpStatus":400,
            "requestId":"r1","failure":{"type":"stale"},"fields":[{"path":"a.b","message":"is required"}]}}}"#;
        let shown = show(StatusCode::BAD_REQUEST, body.as_bytes()).unwrap_err();
        assert_eq!(shown, "BAD_REQUEST: No.\nfailure: {\"type\":\"stale\"}\nfield a.b: is required\nrequest: r1\n");
    }

    #[test]
    fn what_is_no_service_is_said_to_be_none() {
        for body in ["<html>\u{1b}[2J", "{}", "", r#"{"message":"Forbidden"}"#] {
            let shown = show(StatusCode::FORBIDDEN, body.as_bytes()).unwrap_err();
            assert!(shown.contains("403 Forbidden") && !shown.contains('\u{1b}'), "{shown}");
        }
    }
}
