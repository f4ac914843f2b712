//! What is generated is up to date, and rendering is pure.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{
    Folder,
    cargo::{build, root},
    service::{command, definition, testbed_program},
};
use protocol::Packages;
use runtime::{About, Definition, Layout, SessionSignIn};

#[test]
fn nothing_that_is_generated_is_stale() {
    let rendered = codegen::render(&testbed::service()).unwrap();
    let stale = codegen::stale(root(), &rendered).unwrap();
    assert!(stale.is_empty(), "run `cargo regen`: {stale:?}");
    let check = command(testbed_program()).args(["regen", "--check"]).output().unwrap();
    assert!(check.status.success() && check.stdout.is_empty(), "{check:?}");
}

#[test]
fn rendering_twice_gives_the_same() {
    let [first, second] = [0, 1].map(|_| codegen::render(&testbed::service()).unwrap());
    assert_eq!(first, second);
    let paths: BTreeSet<_> = first.files.iter().map(|file| &file.path).collect();
    assert_eq!(paths.len(), first.files.len(), "a path is rendered twice");
}

#[test]
fn each_procedure_has_a_binary_of_one_line() {
    let files = codegen::render(&testbed::service()).unwrap().files;
    for procedure in testbed::service().procedures {
        let path = PathBuf::from(format!("tests/testbed/src/bin/testbed-{}.rs", procedure.entry.function()));
        let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path:?} is missing"));
        assert!(file.text.starts_with(&format!("//! {}", codegen::HEADER)), "{path:?}");
    }
}

/// A summary is plain text, and GraphQL's descriptions speak of GraphQL's fields and arguments.
#[test]
fn documents_are_in_the_words_of_their_style() {
    let read = |file: &str| fs::read_to_string(root().join("tests/testbed/bindings").join(file)).unwrap();
    let json = |file: &str| serde_json::from_str::<Value>(&read(file)).unwrap();
    let (openapi, openrpc, sdl) = (json("openapi.json"), json("openrpc.json"), read("schema.graphql"));
    let routes = openapi["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let methods = openrpc["methods"].as_array().unwrap();
    let params = methods.iter().flat_map(|method| method["params"].as_array().unwrap());
    let summaries = routes.chain(methods).chain(params).filter_map(|one| one["summary"].as_str());
    let summaries: Vec<&str> = summaries.collect();
    assert!(summaries.len() > 50);
    for summary in summaries {
        assert!(!summary.contains(['`', '\n']), "{summary}");
    }
    for procedure in testbed::service().procedures.iter().filter(|one| one.entry.http().is_none()) {
        assert!(!sdl.contains(&format!("`{}`", procedure.entry.name)), "{}", procedure.entry.name);
    }
    let arguments: Vec<_> = sdl.match_indices("after: String").map(|(at, _)| &sdl[..at]).collect();
    assert!(arguments.len() > 3);
    for before in arguments {
        let description = before.trim_end().trim_end_matches("\"\"\"").rsplit("\"\"\"").next().unwrap();
        assert!(description.contains("`endCursor` of the page before"), "{description}");
    }
}

/// A gateway's role in the contract is to invoke procedures, or nothing: there is no right to data, secrets or mail
/// that it could ask for.
#[test]
fn a_gateway_may_invoke_procedures_and_nothing_else() {
    let contract: Value =
        serde_json::from_str(&fs::read_to_string(root().join("tests/testbed/bindings/contract.json")).unwrap())
            .unwrap();
    let found = contract["gateways"].as_array().unwrap();
    assert_eq!(found.len(), gateways::SPECS.len());
    let procedures = contract["procedures"].as_array().unwrap();
    let usual: Vec<&Value> =
        procedures.iter().filter(|found| found["http"].is_null()).map(|found| &found["name"]).collect();
    assert!(!usual.is_empty() && usual.len() < procedures.len());
    for (gateway, spec) in found.iter().zip(gateways::SPECS) {
        let members: Vec<&String> = gateway.as_object().unwrap().keys().collect();
        assert_eq!(members, ["calls", "invokes", "memoryMb", "methods", "name", "paths", "timeoutMs"]);
        let invokes: Vec<&Value> = gateway["invokes"].as_array().unwrap().iter().collect();
        assert_eq!(invokes, if spec.calls { usual.clone() } else { vec![] }, "{}", spec.name);
        assert_eq!((&gateway["name"], &gateway["paths"]), (&json!(spec.name), &json!(spec.paths)));
        let binary = root().join(format!("tests/testbed/gateways/src/bin/testbed-gateway-{}.rs", spec.name));
        assert!(binary.is_file(), "{} is missing", binary.display());
        // The function has a second more, and the HTTP API in front gives up after 30 s.
        assert!(spec.timeout_ms <= 29_000, "{}", spec.name);
    }
}

/// A file that is missing, one that was edited by hand, and one that nothing makes any more.
/// The program of a procedure that is gone.
fn left_over_program() -> String {
    let call = "onefold::lambda(testbed::entries::posts::late)";
    format!("//! {}\n\nfn main() -> std::process::ExitCode {{\n    {call}\n}}\n", codegen::HEADER)
}

#[test]
fn missing_edited_and_left_over_files_are_found_and_put_right() {
    let folder = Folder::new();
    let rendered = codegen::render(&testbed::service()).unwrap();
    let all: BTreeSet<_> = rendered.files.iter().map(|file| file.path.clone()).collect();
    let stale = || codegen::stale(folder.path(), &rendered).unwrap();
    assert_eq!(stale().into_iter().collect::<BTreeSet<_>>(), all, "everything is missing");

    assert_eq!(codegen::write(folder.path(), &rendered).unwrap().len(), all.len());
    assert!(stale().is_empty(), "everything was written");
    assert!(codegen::write(folder.path(), &rendered).unwrap().is_empty(), "nothing is left to write");

    let edited = PathBuf::from("tests/testbed/bindings/contract.json");
    let left_over = PathBuf::from("tests/testbed/src/bin/testbed-users-rename.rs");
    fs::write(folder.path().join(&edited), "{}").unwrap();
    fs::write(folder.path().join(&left_over), left_over_program()).unwrap();
    assert_eq!(stale(), [edited, left_over.clone()]);

    codegen::write(folder.path(), &rendered).unwrap();
    assert!(stale().is_empty());
    assert!(!folder.path().join(left_over).exists());
}

/// A service whose procedures state limits.
mod limits {
    use runtime::{Definition, prelude::*};

    use crate::support::service::definition;

    const SERVICE: Definition = Definition { permits: |_, _| false, ..definition("limits") };

    runtime::procedures! {
        inline SERVICE;
        prices { list, recount, today }
    }

    mod prices {
        pub mod list {
            use super::super::*;
            /// States nothing.
            #[procedure(query, auth = public)]
            pub async fn list() -> Vec<u32> {
                Vec::new()
            }
        }
        pub mod recount {
            use super::super::*;
            /// One at a time.
            #[procedure(mutation, auth = signed_in, concurrency = 1)]
            pub async fn recount() {}
        }
        pub mod today {
            use super::super::*;
            /// The same for everybody, for a day.
            #[procedure(query, auth = public, cache_s = 86_400, concurrency = 20)]
            pub async fn today() -> u32 {
                1
            }
        }
    }
}

#[test]
fn the_contract_holds_the_limits_that_a_procedure_states() {
    let (contract, _) = codegen::contract(&limits::service()).unwrap();
    let contract = serde_json::to_value(contract).unwrap();
    let procedures = contract["procedures"].as_array().unwrap();
    let stated =
        procedures.iter().map(|p| [&p["name"], &p["reservedConcurrency"], &p["cacheSeconds"]].map(Value::clone));
    assert_eq!(
        stated.collect::<Vec<_>>(),
        [
            [json!("prices.list"), Value::Null, Value::Null],
            [json!("prices.recount"), json!(1), Value::Null],
            [json!("prices.today"), json!(20), json!(86_400)],
        ]
    );
}

mod leak {
    use runtime::Definition;

    use crate::support::service::definition;

    const SERVICE: Definition = definition("leak");

    runtime::procedures! {
        inline SERVICE;
        accounts { tell }
    }

    mod accounts {
        pub mod tell {
            use identity::Password;
            use runtime::prelude::*;

            #[wire]
            pub struct Account {
                pub passwords: Vec<Password>,
            }
            /// Tell what nobody may tell.
            #[procedure(query, auth = public)]
            pub async fn tell() -> Account {
                Account { passwords: Vec::new() }
            }
        }
    }
}

#[test]
fn a_password_does_not_go_out() {
    let faults = codegen::render(&leak::service()).unwrap_err();
    assert_eq!(faults, ["Password holds a secret, and stands in an output or a failure"]);
}

/// Routes that cannot be.
mod routes {
    use runtime::Definition;

    use crate::support::service::definition;

    const SERVICE: Definition = definition("routes");

    runtime::procedures! {
        inline SERVICE;
        things { across, first, list, other, remove, second, third }
    }

    mod things {
        pub mod first {
            use runtime::prelude::*;
            #[wire(input)]
            pub struct Input {
                pub id: String,
            }
            /// Has a route.
            #[procedure(query, auth = public, rest = "GET /v1/things/{id}")]
            pub async fn first(#[input] input: Input) -> String {
                input.id
            }
        }
        pub mod across {
            use runtime::prelude::*;
            #[wire(input)]
            pub struct Input {
                pub group: String,
            }
            /// Crosses `GET /v1/things/{name}`.
            #[procedure(mutation, auth = public, rest = "POST /v1/{group}/all")]
            pub async fn across(#[input] input: Input) -> String {
                input.group
            }
        }
        pub mod other {
            use runtime::prelude::*;
            #[wire(input)]
            pub struct Input {
                pub key: String,
            }
            /// Has another method than what is there, and another name.
            #[procedure(mutation, auth = public, rest = "PUT /v1/things/{key}")]
            pub async fn other(#[input] input: Input) -> String {
                input.key
            }
        }
        pub mod list {
            use runtime::prelude::*;
            #[wire(input)]
            pub struct Input {
                pub tags: Vec<String>,
            }
            /// Has a list in its path.
            #[procedure(query, auth = public, rest = "GET /v1/tagged/{tags}")]
            pub async fn list(#[input] input: Input) -> Vec<String> {
                input.tags
            }
        }
        pub mod remove {
            use identity::GivenPassword;
            use runtime::prelude::*;
            #[wire(input)]
            pub struct ProofInput {
                #[garde(dive)]
                pub password: GivenPassword,
            }
            #[wire(input)]
            pub struct Input {
                #[garde(dive)]
                pub proof: ProofInput,
            }
            /// Has a password in its address.
            #[procedure(mutation, auth = public, rest = "DELETE /v1/things")]
            pub async fn remove(#[input] input: Input) -> bool {
                input.proof.password.as_str().is_empty()
            }
        }
        pub mod second {
            use runtime::prelude::*;
            #[wire(input)]
            pub struct Input {
                pub name: String,
            }
            /// Has the same route by another name.
            #[procedure(query, auth = public, rest = "GET /v1/things/{name}")]
            pub async fn second(#[input] input: Input) -> String {
                input.name
            }
        }
        pub mod third {
            use runtime::prelude::*;
            #[wire(input)]
            pub struct Input {
                pub id: Option<String>,
            }
            /// Has a path with what may be left out, and with what there is not.
            #[procedure(query, auth = public, rest = "GET /v1/{id}/{other}")]
            pub async fn third(#[input] input: Input) -> Option<String> {
                input.id
            }
        }
    }
}

#[test]
fn a_route_that_cannot_be_is_a_fault() {
    let faults = codegen::render(&routes::service()).unwrap_err();
    assert_eq!(
        faults,
        [
            "things.list: the route's {tags} has to be one text, number or boolean",
            "things.other: /v1/things/{key} is /v1/things/{id} of things.first with other names: give parameters the same",
            "things.remove: a secret of the input would stand in the address of DELETE, and so in logs: use POST",
            "things.second: things.first has the route GET /v1/things/{name} already",
            "things.third: the route's {id} has to be a required field of the input",
            "things.third: the route's {other} is no field of the input",
            "things.list: /v1/tagged/{tags}, and /v1/{group}/all of things.across, cross: some addresses fit both, and neither is the more specific",
            "things.first: /v1/things/{id}, and /v1/{group}/all of things.across, cross: some addresses fit both, and neither is the more specific",
            "things.other: /v1/things/{key}, and /v1/{group}/all of things.across, cross: some addresses fit both, and neither is the more specific",
            "things.second: /v1/things/{name}, and /v1/{group}/all of things.across, cross: some addresses fit both, and neither is the more specific",
        ]
    );
}

/// Procedures whose names differ, and whose functions' do not.
mod twins {
    use runtime::Definition;

    use crate::support::service::definition;

    const SERVICE: Definition = definition("twins");

    runtime::procedures! {
        inline SERVICE;
        bills { paid_late }
        bills_paid { late }
        gateway { soap }
    }

    macro_rules! twins {
        ($($domain:ident $name:ident;)*) => {
            $(mod $domain {
                pub mod $name {
                    use runtime::prelude::*;
                    /// Does it.
                    #[procedure(query, auth = public)]
                    pub async fn $name() -> bool {
                        true
                    }
                }
            })*
        };
    }
    twins! { bills paid_late; bills_paid late; gateway soap; }
}

#[test]
fn a_function_is_one_procedures() {
    let expected = [
        "bills.paidLate and billsPaid.late would both be the function bills-paid-late: rename one of them",
        "the gateway soap and gateway.soap would both be the function gateway-soap: rename one of them",
    ];
    assert_eq!(codegen::render(&twins::service()).unwrap_err(), expected);
}

/// Routes of which some addresses are the service's own.
mod takers {
    use runtime::Definition;

    use crate::support::service::definition;

    const SERVICE: Definition = definition("takers");

    runtime::procedures! {
        inline SERVICE;
        a { any_one, any_two, base, calls, dots, file, graphql, icon, mail, open, page, robots, root, soap }
        b { form, plain }
    }

    macro_rules! takers {
        ($($name:ident ($($stated:tt)*) ($($field:ident)?);)*) => {
            $(pub mod $name {
                use runtime::prelude::*;
                #[wire(input)]
                pub struct Input {
                    $(pub $field: String,)?
                }
                /// Take what is not given.
                #[procedure($($stated)*)]
                pub async fn $name(#[input] input: Input) -> String {
                    format!("{input:?}")
                }
            })*
        };
    }
    macro_rules! forms {
        ($($name:ident ($($stated:tt)*);)*) => {
            $(pub mod $name {
                use runtime::{HttpReply, HttpRequest, prelude::*};
                /// Take what is not given.
                #[procedure($($stated)*)]
                pub async fn $name(_request: HttpRequest) -> HttpReply {
                    HttpReply::html(http::StatusCode::OK, String::new(), "")
                }
            })*
        };
    }

    mod a {
        takers! {
            any_one (query, auth = public, rest = "GET /{name}") (name);
            any_two (query, auth = public, rest = "GET /{name}/all/them") (name);
            base (query, auth = public, rest = "GET /trpc") ();
            calls (query, auth = public, rest = "GET /trpc/{id}") (id);
            dots (query, auth = public, rest = "GET /v1/../trpc") ();
            file (query, auth = public, rest = "GET /openapi.json") ();
            graphql (mutation, auth = public, rest = "PUT /graphql") ();
            icon (query, auth = public, rest = "GET /favicon.ico") ();
            mail (query, auth = public, rest = "GET /_local/mail") ();
            open (query, auth = public, rest = "GET /v1/open/{id}") (id);
            page (query, auth = public, rest = "GET /docs/{procedure}") (procedure);
            root (query, auth = public, rest = "GET /") ();
        }
        forms! {
            robots (query, auth = public, http = "GET /robots.txt");
            soap (mutation, auth = public, http = "POST /soap");
        }
    }
    mod b {
        takers! {
            plain (query, auth = public, rest = "GET /v1/form") ();
        }
        forms! {
            form (mutation, auth = public, http = "POST /v1/form");
        }
    }
}

#[test]
fn a_route_leaves_to_the_service_what_is_its_own() {
    let faults = codegen::render(&takers::service()).unwrap_err();
    let otherwise = "give it another path, such as one in /v1/";
    let expected = [
        format!("a.anyOne: GET /{{name}} would take calls from /trpc of tRPC: {otherwise}"),
        format!("a.anyTwo: GET /{{name}}/all/them would take calls from /_local/{{proxy+}} of the local service's own pages: {otherwise}"),
        format!("a.base: GET /trpc would take calls from /trpc of tRPC: {otherwise}"),
        format!("a.calls: GET /trpc/{{id}} would take calls from /trpc/{{proxy+}} of the gateway `trpc`: {otherwise}"),
        r#"a.dots: "GET /v1/../trpc" is no route, such as `GET /v1/orders/{id}`"#.to_owned(),
        format!("a.file: GET /openapi.json would take calls from /openapi.json of the gateway `docs`: {otherwise}"),
        format!("a.graphql: PUT /graphql would take calls from /graphql of the gateway `graphql`: {otherwise}"),
        format!("a.icon: GET /favicon.ico would take calls from /favicon.ico of browsers, which take no JSON: {otherwise}"),
        format!("a.mail: GET /_local/mail would take calls from /_local/{{proxy+}} of the local service's own pages: {otherwise}"),
        format!("a.page: GET /docs/{{procedure}} would take calls from /docs/{{proxy+}} of the gateway `docs`: {otherwise}"),
        r#"a.root: "GET /" is no route, such as `GET /v1/orders/{id}`"#.to_owned(),
        format!("a.soap: POST /soap would take calls from /soap of the gateway `soap`: {otherwise}"),
        "b.plain: /v1/form is stated as `rest` and, by b.form, as `http`: a path answers in the form of REST or in another one, whatever the method".to_owned(),
    ];
    assert_eq!(faults, expected);
}

/// Entities that are kept in one place.
mod entities {
    use protocol::{Entity, Version};
    use runtime::{Definition, prelude::*};

    use crate::support::service::definition;

    const SERVICE: Definition = definition("entities");

    runtime::procedures! {
        inline SERVICE;
        things { copied, counted, kept, named, twin }
    }

    macro_rules! entities {
        ($($ty:ident $name:literal $prefix:literal $procedure:ident;)*) => {
            $(
                #[derive(Clone, serde::Serialize, serde::Deserialize)]
                pub struct $ty {
                    id: testbed::PostId,
                    version: Version,
                }
                impl Entity for $ty {
                    type Id = testbed::PostId;
                    const NAME: &'static str = $name;
                    const PREFIX: &'static str = $prefix;
                    fn id(&self) -> &testbed::PostId {
                        &self.id
                    }
                    fn version(&self) -> Version {
                        self.version
                    }
                    fn set_version(&mut self, version: Version) {
                        self.version = version;
                    }
                }
            )*
            mod things {
                $(pub mod $procedure {
                    use super::super::*;
                    /// Keep it.
                    #[procedure(mutation, auth = public)]
                    pub async fn $procedure(_kept: Write<$ty>) {}
                })*
            }
        };
    }

    entities! {
        Kept "Kept" "kept" kept;
        Twin "Twin" "kept" twin;
        Copied "Kept" "kept" copied;
        Named "Kept" "named" named;
        Counted "Counted" "limit" counted;
    }
}

#[test]
fn two_entities_in_one_place_are_a_fault() {
    let faults = codegen::render(&entities::service()).unwrap_err();
    let (kept, named) = (
        "both kept under `kept`: what is kept and granted of one would be the other's: give one of them another `PREFIX`",
        "kept under `kept` and `named`: documents could not tell them apart: give one of them another `NAME`",
    );
    let expected = [
        "Counted: under `limit` the store keeps counts: another prefix is needed".to_owned(),
        format!("Kept and Kept are two types, {kept}"),
        format!("Kept is the name of two types, {named}"),
        format!("Kept and Twin are two types, {kept}"),
        format!("Kept is the name of two types, {named}"),
        format!("Kept and Twin are two types, {kept}"),
    ];
    assert_eq!(faults, expected);
}

/// Permissions, of which roles have some.
mod permissions {
    use runtime::{Definition, prelude::*};

    use crate::support::service::definition;

    const SERVICE: Definition = Definition {
        roles: &["keeper", "guest"],
        permits: |role, permission| role == "keeper" && ["things:read", "things:write:own"].contains(&permission),
        ..definition("permissions")
    };

    runtime::procedures! {
        inline SERVICE;
        things { archive, read, write, write_all }
    }

    macro_rules! asking {
        ($($name:ident ($($stated:tt)*);)*) => {
            mod things {
                $(pub mod $name {
                    use super::super::*;
                    /// Do it.
                    #[procedure(mutation, auth = $($stated)*)]
                    pub async fn $name(_reach: Ownership) {}
                })*
            }
        };
    }

    asking! {
        archive (permission("things:archive"));
        read (permission("things:read"));
        write (permission("things:write", own));
        write_all (permission("things:write"));
    }
}

#[test]
fn a_permission_that_no_role_has_is_a_fault() {
    let faults = codegen::render(&permissions::service()).unwrap_err();
    let told = [("archive", "archive"), ("writeAll", "write")].map(|(name, verb)| {
        format!(
            "things.{name}: no role has the permission `things:{verb}`, so that everybody would be refused: give it to a \
             role, where the service says what its roles may do (`Definition::permits`), or ask for one that a role has"
        )
    });
    assert_eq!(faults, told);
}

/// The compiler does not see a file that the index does not name.
#[test]
fn regen_says_what_it_left_out_and_what_it_removed() {
    let folder = Folder::workspace();
    let regen = |more: &[&str]| {
        let mut regen = command(testbed_program());
        let regen = regen.env("CARGO_MANIFEST_DIR", folder.path()).arg("regen").args(more).output().unwrap();
        (regen.status.success(), String::from_utf8(regen.stdout).unwrap(), String::from_utf8(regen.stderr).unwrap())
    };
    let (done, written, _) = regen(&[]);
    assert!(done && written.contains("wrote tests/testbed/bindings/contract.json\n"), "{written}");
    assert_eq!(regen(&["--check"]), (true, String::new(), String::new()));

    let source = folder.path().join("tests/testbed/src");
    fs::create_dir_all(source.join("posts")).unwrap();
    let procedure = "/// Fetch one post.\n#[procedure(query, auth = public)]\npub async fn get() {}\n";
    for (file, text) in [
        ("posts/get.rs", procedure),
        ("posts/latest.rs", procedure),
        ("posts/shared.rs", ""),
        ("bin/posts-late.rs", &left_over_program()),
    ] {
        fs::write(source.join(file), text).unwrap();
    }
    let left_out = "tests/testbed/src/posts/latest.rs holds a procedure that the index does not name, and so is left out: \
                    add `latest` to `posts { … }` in tests/testbed/src/lib.rs\n";
    assert_eq!(
        regen(&["--check"]),
        (false, "stale: tests/testbed/src/bin/posts-late.rs\n".to_owned(), left_out.to_owned())
    );
    assert_eq!(regen(&[]), (false, "removed tests/testbed/src/bin/posts-late.rs\n".to_owned(), left_out.to_owned()));
    assert!(!source.join("bin/posts-late.rs").exists());

    fs::remove_file(source.join("posts/latest.rs")).unwrap();
    assert_eq!(regen(&[]), (true, String::new(), String::new()));

    // What a person wrote is not removed.
    fs::write(source.join("bin/tool.rs"), "fn main() {}\n").unwrap();
    fs::remove_file(folder.path().join("tests/testbed/bindings/rights.md")).unwrap();
    for flags in [&["--check"][..], &[]] {
        let (done, written, said) = regen(flags);
        assert!(!done && written.is_empty(), "{written}");
        assert!(said.contains("tests/testbed/src/bin/tool.rs was not generated, and nothing was written"), "{said}");
    }
    assert!(source.join("bin/tool.rs").exists());
    assert!(!folder.path().join("tests/testbed/bindings/rights.md").exists());
}

/// After a merge with conflicts the contract is no JSON: its own service writes it anew, and no other one.
#[test]
fn a_contract_with_conflicts_is_written_anew_by_its_own_service() {
    let folder = Folder::new();
    let first = codegen::render(&testbed::service()).unwrap();
    codegen::write(folder.path(), &first).unwrap();
    let contract = folder.path().join("tests/testbed/bindings/contract.json");
    let text = fs::read_to_string(&contract).unwrap();
    fs::write(&contract, text.replacen('{', "<<<<<<< HEAD\n{", 1)).unwrap();
    let layout = Layout { bindings: "tests/testbed/bindings", packages: None };
    let definition = Definition { layout: Some(layout), ..*limits::service().definition };
    let other = runtime::Service { definition: Box::leak(Box::new(definition)), ..limits::service() };
    let refused = codegen::write(folder.path(), &codegen::render(&other).unwrap()).unwrap_err().to_string();
    assert!(refused.contains("contract.json is a file of another service"), "{refused}");
    codegen::write(folder.path(), &first).unwrap();
    assert_eq!(fs::read_to_string(&contract).unwrap(), text);
}

/// Two services of one workspace: neither finds its files overwritten or removed by the other, whichever folder they
/// were given in common by mistake.
#[test]
fn a_service_writes_nothing_where_files_of_another_one_are() {
    let bare = |bindings, packages| {
        let definition = Definition { layout: Some(Layout { bindings, packages }), ..*limits::service().definition };
        let service = runtime::Service { definition: Box::leak(Box::new(definition)), ..limits::service() };
        codegen::render(&service).unwrap()
    };
    let folder = Folder::new();
    let first = codegen::render(&testbed::service()).unwrap();
    codegen::write(folder.path(), &first).unwrap();

    let packages = testbed::SERVICE.layout.unwrap().packages;
    for (second, file) in [
        (bare("tests/testbed/bindings", None), "tests/testbed/bindings/contract.json"),
        (bare("other", packages), "tests/testbed/gateways/src/bin/testbed-gateway-docs.rs"),
    ] {
        let refused = codegen::write(folder.path(), &second).unwrap_err().to_string();
        let expected =
            format!("{file} is a file of another service, and nothing was written: the index of this one is");
        assert!(refused.starts_with(&expected), "{refused}");
        assert!(codegen::stale(folder.path(), &first).unwrap().is_empty(), "{file}: the first one's files stay");
        assert!(!folder.path().join("other").exists());
    }
    let (second, all) = (bare("other", None), bare("other", None).files.len());
    assert_eq!(codegen::write(folder.path(), &second).unwrap().len(), all, "a folder of its own");
    assert!(codegen::stale(folder.path(), &first).unwrap().is_empty());

    // Another name is no other service.
    let definition = Definition { name: "frontoffice", ..testbed::SERVICE };
    let renamed = runtime::Service { definition: Box::leak(Box::new(definition)), ..testbed::service() };
    assert!(!codegen::write(folder.path(), &codegen::render(&renamed).unwrap()).unwrap().is_empty());
}

/// A prefix becomes part of the names of files, of Cargo's programs and of Lambda's.
#[test]
fn a_prefix_of_programs_is_refused_when_no_name_can_begin_so() {
    for prefix in ["", "-", "shop", "Shop-", "sh.op-", "../shop-", "shop/-", "9shop-"] {
        let layout = testbed::SERVICE.layout.unwrap();
        let packages = layout.packages.map(|packages| Packages { prefix: Some(prefix), ..packages });
        let definition = Definition { layout: Some(Layout { packages, ..layout }), ..testbed::SERVICE };
        let service = runtime::Service { definition: Box::leak(Box::new(definition)), ..testbed::service() };
        let faults = codegen::render(&service).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains("is no prefix of programs"), "{prefix}: {faults:?}");
    }
}

#[test]
fn a_service_that_states_no_folders_has_nothing_generated() {
    let definition = Definition { layout: None, ..*limits::service().definition };
    let service = runtime::Service { definition: Box::leak(Box::new(definition)), ..limits::service() };
    let said = "nothing is generated for the service limits: its `Definition` states no `layout`, the folders for its files, \
                none of which another service has";
    assert_eq!(codegen::render(&service).unwrap_err(), [said]);
}

/// The second service of this tree, by its own command.
#[test]
fn the_example_has_a_folder_of_its_own() {
    let folder = Folder::workspace();
    let example = build(&["--example", "conformance"]).remove("conformance").unwrap();
    let regen = |program: &Path| {
        let regen = command(program).env("CARGO_MANIFEST_DIR", folder.path()).arg("regen").output().unwrap();
        assert!(regen.status.success(), "{regen:?}");
        String::from_utf8(regen.stdout).unwrap()
    };
    let (first, second) = (regen(testbed_program()), regen(&example));
    assert!(first.lines().all(|line| line.starts_with("wrote tests/testbed/")));
    assert!(second.lines().all(|line| line.starts_with("wrote target/conformance/bindings/")), "{second}");
    assert!(second.lines().count() > 5);
    assert_eq!(regen(testbed_program()), "", "nothing of the first one was touched");

    let mut isolated = command(&example);
    isolated.env("CARGO_MANIFEST_DIR", folder.path()).arg("--isolated").arg("--data").arg(folder.path().join("data"));
    let isolated = isolated.output().unwrap();
    let said = String::from_utf8(isolated.stderr).unwrap();
    assert_eq!(said, "onefold: the service conformance has no package of functions to build\n");
}

/// What is said of signing in is held against the procedures, and so is what the documents of the service and its client
/// are made from.
#[test]
fn what_is_stated_of_signing_in_names_procedures_that_are_there() {
    let alone = runtime::Service { procedures: Vec::new(), ..testbed::service() };
    let faults = codegen::render(&alone).unwrap_err();
    assert_eq!(
        faults,
        [
            r#"password_sign_in: no procedure auth.login has the input fields ["email", "password"]"#,
            r#"password_sign_in: no procedure auth.logout has the input fields ["refreshToken"]"#,
            r#"session: no procedure auth.login has the input fields ["keep"]"#,
            r#"session: no procedure auth.refresh has the input fields ["refreshToken"]"#,
            r#"session: no procedure auth.logout has the input fields ["refreshToken"]"#,
            r#"session: no procedure auth.register has the input fields []"#,
            r#"session: no procedure auth.reauthenticate has the input fields ["password"]"#,
            r#"authorization_server: no procedure grants.authorize has a path of its own (`http`)"#,
            r#"authorization_server: no procedure grants.token has a path of its own (`http`)"#,
        ]
    );
    let session = testbed::SERVICE.session.map(|session| SessionSignIn { who_field: "who", ended: "over", ..session });
    let definition = Definition { session, ..testbed::SERVICE };
    let strange = runtime::Service { definition: Box::leak(Box::new(definition)), ..testbed::service() };
    assert_eq!(
        codegen::render(&strange).unwrap_err(),
        [
            r#"session: auth.login has not the output fields ["who", "tokens"]"#,
            "session: auth.refresh has no failure `over`",
        ]
    );
}

/// The licence, the version and the names are the service's, whatever those of the framework are.
#[test]
fn documents_are_stamped_with_what_the_service_states() {
    let about = About { version: "7.1.0", license: "EUPL-1.2", ..About::default() };
    let definition =
        Definition { npm_package: "@shop/api", about, operator_role: Some("keeper"), ..definition("limits") };
    let service = runtime::Service { definition: Box::leak(Box::new(definition)), ..limits::service() };
    let files = codegen::render(&service).unwrap().files;
    let text = |name: &str| &files.iter().find(|file| file.path == Path::new("bindings").join(name)).unwrap().text;
    let json = |name: &str| serde_json::from_str::<Value>(text(name)).unwrap();
    let package = json("package.json");
    assert_eq!(
        (&package["name"], &package["version"], &package["license"]),
        (&json!("@shop/api"), &json!("7.1.0"), &json!("EUPL-1.2"))
    );
    for document in ["openapi.json", "openrpc.json"] {
        let info = &json(document)["info"];
        assert_eq!((&info["version"], &info["license"]["name"]), (&json!("7.1.0"), &json!("EUPL-1.2")), "{document}");
    }
    let examples = text("examples.md");
    assert!(examples.contains("from \"@shop/api\"") && examples.contains("token --role keeper"), "{examples}");
}

#[test]
fn a_client_has_sessions_where_the_service_has_sign_in() {
    let client = |service: &runtime::Service| {
        let files = codegen::render(service).unwrap().files;
        let text = |name: &str| files.iter().find(|file| file.path.ends_with(name)).unwrap().text.clone();
        [text("bindings/index.js"), text("bindings/index.d.ts")]
    };
    for text in client(&testbed::service()) {
        assert!(text.contains("function createSession("));
    }
    for text in client(&limits::service()) {
        assert!(text.contains("createClient") && !text.to_lowercase().contains("session"));
    }
}
