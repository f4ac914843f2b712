//! A second service on the same framework, in one file: `cargo run --example conformance -- --port 9100`.

use std::process::ExitCode;

use onefold::{Callers, Code, Definition, Entity, EntityId, Fault, Layout, Principal, prelude::*};

/// A caller is signed in with `Authorization: Bearer good`.
const SERVICE: Definition = Definition {
    about: onefold::about!(),
    // It needs a folder of its own: the other service of this workspace has `bindings`.
    layout: Some(Layout { bindings: "target/conformance/bindings", packages: None }),
    callers: Callers::Custom(|headers| match headers.get("authorization").map(|value| value.as_bytes()) {
        None => Ok(None),
        Some(b"Bearer good") => Ok(Some(Principal { subject: "ada".into(), ..Principal::default() })),
        Some(_) => Err(Fault::new(Code::Unauthorized, "The token is not valid.")),
    }),
    ..Definition::named("conformance")
};

onefold::procedures! {
    inline SERVICE;
    /// What fails at first.
    flaky { once }
    /// Greetings.
    greet { hello }
    /// Whether the service answers.
    health { ping }
    /// A value of each kind that travels.
    kinds { draw, echo, label, patch }
    /// Who calls.
    me { get }
    /// What is noted.
    notes { add, get, touch }
    /// What takes its time.
    slow { wait }
    /// What other services tell.
    webhooks { note }
}

fn main() -> ExitCode {
    local::main(local::App { service: service(), ephemeral: true, package: env!("CARGO_PKG_NAME") })
}

/// The name of a thing: here, what it is about.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Name(String);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl EntityId for Name {}

/// A note, whose title is its id.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Note {
    id: Name,
    version: Version,
}

impl Entity for Note {
    type Id = Name;
    const NAME: &'static str = "Note";
    const PREFIX: &'static str = "note";
    fn id(&self) -> &Name {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

mod greet {
    pub mod hello {
        use onefold::prelude::*;

        #[wire(input)]
        pub struct Input {
            pub name: String,
        }
        #[wire]
        pub struct Greeting {
            pub message: String,
        }
        /// Greet a person.
        #[procedure(query, auth = public, cache_s = 60, rest = "GET /v1/greetings/{name}")]
        pub async fn hello(#[input] input: Input) -> Greeting {
            Greeting { message: format!("Hello {}", input.name) }
        }
    }
}

mod health {
    pub mod ping {
        use onefold::prelude::*;

        /// Whether the service answers.
        #[procedure(query, auth = public, rest = "GET /v1/health")]
        pub async fn ping() -> String {
            "pong".to_owned()
        }
    }
}

mod notes {
    pub mod add {
        use onefold::prelude::*;

        use super::super::{Name, Note};

        #[wire(input)]
        pub struct Input {
            #[garde(length(chars, min = 1, max = 200))]
            pub title: String,
        }
        #[wire]
        pub struct Added {
            pub ok: bool,
            pub title: String,
        }
        /// Keep a note. One of the same title is kept once.
        #[procedure(mutation, auth = public, rest = "POST /v1/notes")]
        pub async fn add(notes: Write<Note>, #[input] input: Input) -> Result<Added, NoFailure> {
            let note = Note { id: Name(input.title.clone()), version: Version::default() };
            match notes.create(note).await {
                Ok(_) | Err(StoreError::Exists) => Ok(Added { ok: true, title: input.title }),
                Err(error) => Err(error)?,
            }
        }
    }
    pub mod get {
        use onefold::prelude::*;

        use super::super::{Name, Note};

        #[wire(input)]
        pub struct Input {
            pub id: String,
        }
        #[wire]
        pub struct Found {
            pub title: String,
        }
        #[derive(Debug, Failure)]
        pub enum Error {
            /// There is no such note.
            #[failure(NOT_FOUND, message = "no note {0}")]
            Missing(String),
        }
        /// Fetch a note by its title.
        #[procedure(query, auth = public, rest = "GET /v1/notes/{id}")]
        pub async fn get(notes: Read<Note>, #[input] input: Input) -> Result<Found, Error> {
            let note = notes.get(&Name(input.id.clone())).await?.ok_or(Error::Missing(input.id))?;
            Ok(Found { title: note.id.0 })
        }
    }
    pub mod touch {
        use onefold::prelude::*;

        /// Do nothing, and say nothing.
        #[procedure(mutation, auth = public, rest = "POST /v1/notes/touch")]
        pub async fn touch() {}
    }
}

/// Wire types of each kind, so that every style of API is shown with all of them.
mod kinds {
    pub mod echo {
        use std::collections::BTreeMap;

        use onefold::{Base64, Decimal, Finite, prelude::*};

        /// How loud.
        #[wire]
        pub enum Volume {
            /// Hardly to be heard.
            Low,
            /// To be heard next door.
            #[serde(rename = "-high")]
            High,
        }
        /// A value of each kind, and each kind inside of the others.
        #[wire(input)]
        pub struct Input {
            pub tiny: i8,
            pub whole: i32,
            pub large: SafeInteger,
            pub exact: Decimal,
            pub real: Finite,
            pub bytes: Base64,
            pub time: Timestamp,
            pub volume: Volume,
            #[garde(length(chars, max = 1000))]
            pub text: Option<String>,
            pub maybe_time: Option<Timestamp>,
            pub maybe_list: Option<Vec<Option<i32>>>,
            #[garde(length(max = 100))]
            pub list_of_lists: Vec<Vec<bool>>,
            pub by_name: BTreeMap<String, Option<Decimal>>,
        }
        /// The same, on the way out.
        #[wire]
        pub struct Echo {
            pub tiny: i8,
            pub whole: i32,
            pub large: SafeInteger,
            pub exact: Decimal,
            pub real: Finite,
            pub bytes: Base64,
            pub time: Timestamp,
            pub volume: Volume,
            pub text: Option<String>,
            pub maybe_time: Option<Timestamp>,
            pub maybe_list: Option<Vec<Option<i32>>>,
            pub list_of_lists: Vec<Vec<bool>>,
            pub by_name: BTreeMap<String, Option<Decimal>>,
        }
        #[derive(Debug, Failure)]
        pub enum Error {
            /// The tiny number is zero.
            #[failure(CONFLICT)]
            Zero(Option<Decimal>),
            /// The whole number is zero.
            #[failure(PRECONDITION_FAILED)]
            Nothing { found_at: Timestamp, by_name: BTreeMap<String, SafeInteger> },
        }
        /// Give back what came in.
        #[procedure(mutation, auth = public)]
        pub async fn echo(#[input] input: Input) -> Result<Echo, Error> {
            if input.tiny == 0 {
                return Err(Error::Zero(None));
            }
            if input.whole == 0 {
                let by_name = BTreeMap::from([("large".to_owned(), input.large)]);
                return Err(Error::Nothing { found_at: input.time, by_name });
            }
            Ok(Echo {
                tiny: input.tiny,
                whole: input.whole,
                large: input.large,
                exact: input.exact,
                real: input.real,
                bytes: input.bytes,
                time: input.time,
                volume: input.volume,
                text: input.text,
                maybe_time: input.maybe_time,
                maybe_list: input.maybe_list,
                list_of_lists: input.list_of_lists,
                by_name: input.by_name,
            })
        }
    }
    pub mod draw {
        use onefold::{Finite, prelude::*};

        /// Some shapes.
        #[wire(input)]
        pub struct Input {
            #[garde(length(max = 100))]
            pub shapes: Vec<ShapeInput>,
        }
        /// What may come in.
        #[wire(input)]
        pub enum ShapeInput {
            /// Nothing.
            Empty {},
            /// Round.
            Circle { radius: Finite, note: Option<String> },
            /// With corners.
            Polygon(CornersInput),
        }
        /// The corners of a polygon.
        #[wire(input)]
        pub struct CornersInput {
            pub corner_count: u32,
        }
        /// What goes out.
        #[wire]
        pub enum Shape {
            /// Nothing.
            Empty,
            /// Round.
            Circle { radius: Finite, note: Option<String> },
            /// With corners.
            Polygon(Corners),
        }
        /// The corners of a polygon.
        #[wire]
        pub struct Corners {
            pub corner_count: u32,
        }
        /// Give back the shapes that came in.
        #[procedure(query, auth = public)]
        pub async fn draw(#[input] input: Input) -> Vec<Shape> {
            let shape = |shape| match shape {
                ShapeInput::Empty {} => Shape::Empty,
                ShapeInput::Circle { radius, note } => Shape::Circle { radius, note },
                ShapeInput::Polygon(corners) => Shape::Polygon(Corners { corner_count: corners.corner_count }),
            };
            input.shapes.into_iter().map(shape).collect()
        }
    }
    pub mod label {
        use onefold::prelude::*;

        /// Names on the wire that are not those of Rust.
        #[wire(input)]
        pub struct Input {
            #[serde(rename = "type")]
            #[garde(length(chars, min = 1, max = 100))]
            pub kind: String,
            #[serde(rename = "entries")]
            #[garde(length(max = 2), dive)]
            pub lines: Option<Vec<LineInput>>,
        }
        /// A line of a label.
        #[wire(input)]
        pub struct LineInput {
            #[serde(rename = "of")]
            #[garde(length(chars, min = 1))]
            pub text: String,
        }
        /// Say """ahoy""", and what kind of thing it is: \ is no escape here, and `kinds.draw` draws.
        ///
        ///     What is indented stays so, """ as well.
        #[procedure(query, auth = public)]
        pub async fn label(#[input] input: Input) -> String {
            input.kind
        }
    }
    pub mod patch {
        use onefold::prelude::*;

        /// Absent, null and a value are three things.
        #[wire(input)]
        pub struct Input {
            pub number: Patch<Option<SafeInteger>>,
            #[garde(length(chars, min = 1, max = 5))]
            pub text: Patch<String>,
        }
        /// What came in.
        #[wire]
        pub struct Patched {
            /// Whether there was a number, or its absence.
            pub has_number: bool,
            pub number: Option<SafeInteger>,
            /// Whether there was a text.
            pub has_text: bool,
        }
        /// Say what came in.
        #[procedure(mutation, auth = public)]
        pub async fn patch(#[input] input: Input) -> Patched {
            let (has_number, has_text) = (!input.number.is_keep(), !input.text.is_keep());
            let number = match input.number {
                Patch::Set(number) => number,
                Patch::Keep => None,
            };
            Patched { has_number, number, has_text }
        }
    }
}

mod me {
    pub mod get {
        use onefold::prelude::*;

        #[wire]
        pub struct Me {
            pub user: String,
        }
        /// Who is calling.
        #[procedure(query, auth = signed_in, rest = "GET /v1/me")]
        pub async fn get(caller: Caller) -> Me {
            Me { user: caller.subject().to_owned() }
        }
    }
}

mod webhooks {
    pub mod note {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        use onefold::{Fault, HttpReply, HttpRequest, prelude::*};
        use ring::hmac;

        use super::super::{Name, Note};

        /// The key of the sender's signatures. Outside of an example it is a `Secret`.
        const KEY: &[u8] = b"of the other service and this one";

        /// The sender's event.
        #[derive(serde::Deserialize)]
        struct Event {
            title: String,
        }
        #[derive(Debug, Failure)]
        pub enum Error {
            /// The signature is not one of this body.
            #[failure(FORBIDDEN)]
            WrongSignature,
        }
        /// Keep the note that another service tells of: `{"title":"…"}`, with the HMAC-SHA-256 of these bytes in
        /// `x-signature`, as base64. A note that comes again is kept once.
        #[procedure(mutation, auth = public, http = "POST /webhooks/notes")]
        pub async fn note(notes: Write<Note>, request: HttpRequest) -> Result<HttpReply, Error> {
            if !is_signed(&request) {
                return Err(Error::WrongSignature);
            }
            let unread = |error| Fault::bad_request("The body is no event.").because(error);
            let Event { title } = serde_json::from_slice(request.body()).map_err(unread)?;
            match notes.create(Note { id: Name(title), version: Version::default() }).await {
                Ok(_) | Err(StoreError::Exists) => Ok(HttpReply::done()),
                Err(error) => Err(error)?,
            }
        }

        fn is_signed(request: &HttpRequest) -> bool {
            let signature = request.headers().get("x-signature").and_then(|value| STANDARD.decode(value).ok());
            let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
            signature.is_some_and(|signature| hmac::verify(&key, request.body(), &signature).is_ok())
        }
    }
}

mod slow {
    pub mod wait {
        use onefold::prelude::*;

        #[wire(input)]
        pub struct Input {
            #[garde(range(max = 25_000))]
            pub ms: u32,
        }
        #[wire]
        pub struct Waited {
            pub ms: u32,
        }
        /// Answer later.
        #[procedure(query, auth = public, timeout_ms = 29_000, rest = "GET /v1/wait")]
        pub async fn wait(#[input] input: Input) -> Waited {
            tokio::time::sleep(std::time::Duration::from_millis(input.ms.into())).await;
            Waited { ms: input.ms }
        }
    }
}

mod flaky {
    pub mod once {
        use std::{
            collections::HashMap,
            sync::{Mutex, PoisonError},
        };

        use onefold::prelude::*;

        /// The number of attempts with each key, in this process.
        static ATTEMPTS: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);

        #[wire(input)]
        pub struct Input {
            pub key: String,
        }
        #[wire]
        pub struct Tried {
            pub attempts: u32,
        }
        #[derive(Debug, Failure)]
        pub enum Error {
            /// The first call with a key always fails.
            #[failure(SERVICE_UNAVAILABLE)]
            TryAgain,
        }
        /// Fail at the first call with a key, and answer the next ones.
        #[procedure(query, auth = public, rest = "GET /v1/flaky/{key}")]
        pub async fn once(#[input] input: Input) -> Result<Tried, Error> {
            let mut attempts = ATTEMPTS.lock().unwrap_or_else(PoisonError::into_inner);
            let count = attempts.get_or_insert_default().entry(input.key).or_insert(0);
            *count += 1;
            if *count == 1 { Err(Error::TryAgain) } else { Ok(Tried { attempts: *count }) }
        }
    }
}
