//! What a REST route answers besides the output, from its declaration: the OpenAPI document says it, and the service does it.

use std::collections::BTreeSet;

use bytes::Bytes;
use gateways::openapi;
use protocol::Clock;
use protocol::contract::Contract;
use runtime::rest::Route;
use serde_json::Value;

/// Procedures that differ in what their declaration says, and in what its author says no to. What they answer is the same.
mod declared {
    use runtime::Definition;

    use crate::support::service::definition;

    const SERVICE: Definition = definition("declared");

    runtime::procedures! {
        inline SERVICE;
        things {
            create, create_in, create_nowhere, declined_created, declined_etag, declined_link, declined_location, find,
            get, list, mark, maybe, number, replace, whole
        }
    }

    macro_rules! things {
        ($($name:ident ($($stated:tt)*) ($($parameter:ident: $kind:ty)?) -> $output:ty;)*) => {
            $(pub mod $name {
                #[allow(unused_imports)]
                use runtime::prelude::*;

                #[allow(unused_imports)]
                use super::super::types::*;

                /// Do something with a thing.
                #[procedure($($stated)*)]
                pub async fn $name($(#[input] $parameter: $kind)?) -> $output {
                    $(let _ = $parameter;)?
                    <$output>::default()
                }
            })*
        };
    }

    pub mod types {
        use runtime::prelude::*;

        /// A thing.
        #[wire]
        pub struct Thing {
            pub id: String,
            pub version: Version,
        }
        impl Default for Thing {
            fn default() -> Self {
                Self { id: "a".into(), version: Version(3) }
            }
        }
        /// One that travels as a thing.
        #[wire]
        #[derive(Default)]
        pub struct Whole(pub Thing);
        /// One that may have no id.
        #[wire]
        pub struct Maybe {
            pub id: Option<String>,
        }
        impl Default for Maybe {
            fn default() -> Self {
                Self { id: Some("a".into()) }
            }
        }
        /// One whose id is a number, and whose version is a text.
        #[wire]
        pub struct Number {
            pub id: u32,
            pub version: String,
        }
        impl Default for Number {
            fn default() -> Self {
                Self { id: 1, version: "3".into() }
            }
        }
        /// Things.
        #[wire]
        pub struct Things {
            pub items: Vec<Thing>,
            pub next: Option<String>,
        }
        impl Default for Things {
            fn default() -> Self {
                Self { items: Vec::new(), next: Some("n".into()) }
            }
        }
        /// Which thing.
        #[wire(input)]
        pub struct IdInput {
            pub id: String,
        }
        /// Which version of it.
        #[wire(input)]
        pub struct VersionInput {
            pub id: String,
            pub version: Option<Version>,
        }
        /// Where the things are.
        #[wire(input)]
        pub struct BoxInput {
            pub box_name: String,
        }
        /// Which page.
        #[wire(input)]
        pub struct PageInput {
            pub cursor: Option<String>,
        }
    }

    mod things {
        things! {
            create (mutation, auth = public, rest = "POST /v1/things") () -> Thing;
            create_in (mutation, auth = public, rest = "POST /v1/boxes/{boxName}/things") (input: BoxInput) -> Thing;
            create_nowhere (mutation, auth = public, rest = "POST /v1/nowhere") () -> Thing;
            declined_created (mutation, auth = public, rest = "POST /v1/created", created = false) () -> Thing;
            declined_etag (mutation, auth = public, rest = "PUT /v1/etags/{id}", etag = false) (input: VersionInput) -> Thing;
            declined_link (query, auth = public, rest = "GET /v1/links", link = false) (input: PageInput) -> Things;
            declined_location (mutation, auth = public, rest = "POST /v1/locations", location = false) () -> Thing;
            find (query, auth = public, rest = "POST /v1/things/find") () -> Thing;
            get (query, auth = public, rest = "GET /v1/things/{id}") (input: IdInput) -> Thing;
            list (query, auth = public, rest = "GET /v1/things") (input: PageInput) -> Things;
            mark (mutation, auth = public, rest = "POST /v1/things/{id}/mark") (input: IdInput) -> Thing;
            maybe (mutation, auth = public, rest = "POST /v1/maybes") () -> Maybe;
            number (mutation, auth = public, rest = "POST /v1/numbers") () -> Number;
            replace (mutation, auth = public, rest = "PUT /v1/things/{id}") (input: VersionInput) -> Thing;
            whole (mutation, auth = public, rest = "POST /v1/wholes") () -> Whole;
        }
    }
}

/// What is told besides the output: the status, and which of the headers are there.
type Said = (u16, BTreeSet<String>);

const HEADERS: [&str; 3] = ["etag", "link", "location"];

/// As the document has it, with whether `If-Match` is a parameter.
fn documented(operation: &Value) -> (Said, bool) {
    let responses = operation["responses"].as_object().unwrap();
    let (status, answer) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
    let headers = answer["headers"].as_object().unwrap().keys().map(|name| name.to_lowercase());
    let headers = headers.filter(|name| HEADERS.contains(&name.as_str())).collect();
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let takes_if_match = parameters.iter().any(|parameter| parameter["$ref"] == "#/components/parameters/IfMatch");
    ((status.parse().unwrap(), headers), takes_if_match)
}

#[tokio::test]
async fn the_document_says_what_the_service_does() {
    let service = declared::service();
    let files = codegen::render(&service).unwrap();
    let contract = files.files.iter().find(|file| file.path.ends_with("contract.json")).unwrap();
    let document = openapi::document(&Contract::parse(&contract.text).unwrap(), "");
    let test = local::testing::TestService::new(&service, Clock::System).await.unwrap();
    let mut said: Vec<String> = Vec::new();
    for procedure in &service.procedures {
        let (name, (method, path)) = (procedure.entry.name, procedure.entry.rest().unwrap());
        let (expected, takes_if_match) = documented(&document["paths"][path][method.to_lowercase()]);
        let parameters: Vec<(String, String)> = path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| (name.to_owned(), "a".to_owned()))
            .collect();
        let address = path.split('/').map(|segment| if segment.starts_with('{') { "a" } else { segment });
        let address = address.collect::<Vec<_>>().join("/");
        let ask = async |condition: Option<&str>| {
            let request = http::Request::builder().method(method).uri(&address);
            let request = condition.into_iter().fold(request, |request, tag| request.header("if-match", tag));
            let mut request = request.body(Bytes::new()).unwrap();
            request.extensions_mut().insert(Route { parameters: parameters.clone() });
            test.call(&service, name, request).await.unwrap()
        };
        let answer = ask(None).await;
        let headers = HEADERS.iter().filter(|name| answer.headers().contains_key(**name)).map(ToString::to_string);
        let done = (answer.status().as_u16(), headers.collect::<BTreeSet<_>>());
        assert_eq!(done, expected, "{name}: {}", String::from_utf8_lossy(answer.body()));
        // The condition of a change is met here, whatever it is; and it is refused where there is none.
        let is_taken = method != "GET" && ask(Some("\"3\"")).await.status() != 400;
        assert_eq!(is_taken, takes_if_match, "{name}");
        let (status, headers) = done;
        let words = [status.to_string()].into_iter().chain(headers).chain(is_taken.then(|| "if-match".into()));
        said.push(format!("{}: {}", name.trim_start_matches("things."), words.collect::<Vec<_>>().join(" ")));
    }
    let expected = [
        "create: 201 etag location",
        "createIn: 201 etag",
        "createNowhere: 201 etag",
        "declinedCreated: 200 etag",
        "declinedEtag: 200",
        "declinedLink: 200",
        "declinedLocation: 201 etag",
        "find: 200 etag",
        "get: 200 etag",
        "list: 200 link",
        "mark: 200 etag",
        "maybe: 200",
        "number: 200",
        "replace: 200 etag if-match",
        "whole: 201 etag",
    ];
    assert_eq!(said, expected);
}
