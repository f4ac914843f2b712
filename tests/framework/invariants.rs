//! What is not there, on purpose: who may name which crate, and what a procedure's file may not hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use runtime::Registered;
use serde_json::Value;

use crate::support::{
    cargo::{build, cargo, root},
    service::{command, is_mounted},
};

/// The longest file of a procedure, in lines.
const MAX_PROCEDURE_LINES: usize = 150;

/// All crates that a package's own code reaches, itself included.
fn reached(package: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "--package", package, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// What each package of the workspace names in its manifest: the package, and the dependency with its kind.
fn named() -> Vec<(String, String, String)> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let mut named = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        for dependency in package["dependencies"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            named.push((text(&package["name"]), text(&dependency["name"]), text(&dependency["kind"])));
        }
    }
    named
}

/// The packages that name a crate, tests included; the benchmarks measure the platform itself and may.
fn who_names(is: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let named = named().into_iter().filter(|(package, dependency, _)| package != "benches" && is(dependency));
    named.map(|(package, ..)| package).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_wire_knows_neither_aws_nor_tokio_and_the_nouns_name_neither() {
    let is_forbidden = |name: &str| ["aws-", "lambda_", "tokio", "hyper"].iter().any(|start| name.starts_with(start));
    let crates = reached("onefold-protocol");
    assert!(crates.contains("serde"), "the tree was read: {crates:?}");
    let forbidden: Vec<_> = crates.iter().filter(|name| is_forbidden(name)).collect();
    assert!(forbidden.is_empty(), "protocol reaches {forbidden:?}");
    assert!(!who_names(is_forbidden).contains("model"));
}

#[test]
fn each_platform_has_one_room() {
    assert_eq!(who_names(|name| name.starts_with("lambda_")), set(&["onefold-runtime"]));
    assert_eq!(who_names(|name| name.starts_with("aws-")), set(&["onefold-aws", "onefold-store"]));
    assert_eq!(who_names(|name| name.starts_with("dynoxide")), set(&["onefold-local"]));
}

#[test]
fn a_function_brings_no_database_and_no_local_cloud() {
    let crates = reached("functions");
    assert!(crates.contains("aws-sdk-dynamodb"), "the tree was read: {crates:?}");
    for forbidden in
        ["dynoxide-rs", "rusqlite", "libsqlite3-sys", "onefold-local", "onefold-codegen", "clap", "aws-config"]
    {
        assert!(!crates.contains(forbidden), "functions reaches {forbidden}");
    }
}

/// A client of a whole service is built for a minute; `aws::service` calls the one operation that is needed.
#[test]
fn only_the_table_has_a_client_of_its_own() {
    let clients: Vec<_> = reached("service").into_iter().filter(|name| name.starts_with("aws-sdk-")).collect();
    assert_eq!(clients, ["aws-sdk-dynamodb"]);
}

/// Whoever runs the service and then its tests does not wait for the same crates twice.
#[test]
fn the_service_is_made_of_the_parts_that_its_tests_are_made_of() {
    let parts = |whose: &[&str], edges: &str| -> BTreeSet<String> {
        let form = ["--edges", edges, "--prefix", "none", "--format", "{p} {f}"];
        let tree = cargo(&[&["tree"], whose, &form].concat());
        tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let tested = parts(&["--workspace"], "normal,dev,no-proc-macro");
    let run = parts(&["--package", "service"], "normal,no-proc-macro");
    assert!(run.iter().any(|part| part.starts_with("aws-sdk-dynamodb ")), "the tree was read: {run:?}");
    let twice: Vec<_> = run.difference(&tested).collect();
    assert!(
        twice.is_empty(),
        "The tests give these crates more features than the service does, so each is built twice. Name them in the root \
         package's [dependencies], with the features that `cargo tree --workspace --edges features` shows: {twice:#?}"
    );
}

#[test]
fn nothing_brings_openssl() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let names: BTreeSet<_> = lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert!(names.contains("\"rustls\""), "the lock file was read");
    for forbidden in ["\"openssl\"", "\"openssl-sys\"", "\"native-tls\""] {
        assert!(!names.contains(forbidden), "{forbidden}");
    }
}

/// The words of a procedure in the index: its module, and that of its domain.
fn words(procedure: &Registered) -> [&'static str; 2] {
    let mut words = procedure.path.rsplit("::");
    let [name, domain] = [words.next().unwrap(), words.next().unwrap()];
    [domain, name]
}

/// `users.signOut` is `functions/src/users/sign_out.rs`; what the service mounts is a file of the package.
fn procedures() -> BTreeMap<String, PathBuf> {
    let file = |procedure: &Registered| {
        let folder = if is_mounted(procedure) { "shared/identity/src/procedures" } else { "functions/src" };
        root().join(folder).join(words(procedure).join("/")).with_extension("rs")
    };
    functions::service().procedures.iter().map(|p| (p.entry.name.to_owned(), file(p))).collect()
}

#[test]
fn a_procedure_is_one_short_file() {
    for (name, path) in procedures() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines < MAX_PROCEDURE_LINES, "{name} has {lines} lines");
        // Clippy refuses more than seven parameters, where nothing allows them.
        assert!(!text.contains("too_many_arguments"), "{name}: bundle capabilities with #[derive(Capability)]");
    }
}

/// A flood of sign-ins takes the functions of those procedures, and no others.
#[test]
fn what_hashes_passwords_states_how_many_may_do_so_at_once() {
    let mut hashing = 0;
    for procedure in functions::service().procedures {
        let (name, spec) = (procedure.entry.name, procedure.entry.spec);
        let text = fs::read_to_string(&procedures()[name]).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // One that has a helper do it has the memory for it.
        let hashes = spec.memory_mb >= 1024
            || ["password::hash(", "password::verify(", "Turn::take("].iter().any(|call| code.contains(call));
        hashing += u32::from(hashes);
        assert!(!hashes || spec.concurrency.is_some(), "{name} hashes passwords and has no `concurrency`");
    }
    assert!(hashing >= 4);
}

/// A procedure decides nothing that belongs to the wire, the table or the machine.
#[test]
fn a_procedure_holds_no_status_path_key_or_environment() {
    let forbidden = [
        "StatusCode",
        "http_status",
        "http::",
        "Code::",
        "HeaderMap",
        "std::env",
        "env!(",
        "env::var",
        "std::fs",
        "std::net",
        "TcpStream",
        "aws_sdk",
        "SystemTime",
        "Uuid::",
        ".uri()",
        ".path()",
        "split('/')",
        "split(\"/\")",
        "unsafe",
    ];
    for (name, path) in procedures() {
        let text = fs::read_to_string(&path).unwrap();
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in body.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for word in forbidden {
                assert!(!line.contains(word), "{name}, line {}: `{word}` has no place here: {line}", number + 1);
            }
            // Every second piece between quotation marks is a text; keys are texts with a `#`.
            let key = line.split('"').skip(1).step_by(2).find(|text| text.contains('#'));
            assert_eq!(key, None, "{name}, line {}: a key is built by the store", number + 1);
        }
    }
}

/// A file that named half of the procedures would have to be touched for a new one. Tests and prose may.
#[test]
fn no_hand_written_file_lists_the_procedures() {
    let procedures = functions::service().procedures;
    let spellings: Vec<Vec<String>> = procedures
        .iter()
        .map(|procedure| {
            let words = words(procedure);
            [procedure.entry.name.to_owned(), procedure.entry.function(), words.join("::"), words.join("/")].into()
        })
        .collect();
    let mut looked_at = 0;
    for path in hand_written(root()) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        looked_at += 1;
        let is_mentioned = |spellings: &&Vec<String>| spellings.iter().any(|name| text.contains(name));
        let mentioned: Vec<_> = spellings.iter().filter(is_mentioned).map(|spellings| &spellings[0]).collect();
        assert!(mentioned.len() * 2 < spellings.len(), "{} names {mentioned:?}", path.display());
    }
    assert!(looked_at > 50, "only {looked_at} files were looked at");
}

/// The files that people write and that make the service.
fn hand_written(root: &Path) -> Vec<PathBuf> {
    // Built or generated; and tests: the rights of all procedures are a reviewed file in `shared/infra/test`.
    let skipped = ["target", "node_modules", "build", "cdk.out", "bindings", "bin", "tests", "test"];
    let read = ["rs", "toml", "ts", "js", "mjs", "json", "py", "sh", "yml", "yaml", ""];
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.') && !skipped.contains(&&*name) {
                    folders.push(path);
                }
            } else if read.contains(&path.extension().unwrap_or_default().to_string_lossy().as_ref()) {
                found.push(path);
            }
        }
    }
    found
}

/// `cargo fmt` does not visit modules that are declared inside a macro.
#[test]
fn procedures_are_formatted() {
    let output =
        command("rustfmt").args(["--check", "--edition", "2024"]).args(procedures().values()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// What is in a program, as far as it can be read as text.
fn text_of(program: &Path) -> String {
    String::from_utf8_lossy(&fs::read(program).unwrap()).into_owned()
}

/// A function that sends no mail brings nothing to send it with, one that sets no password no list of common ones,
/// and none the pages of the local service, which show everybody's mails.
#[test]
fn a_function_brings_what_its_signature_names() {
    let programs = build(&["--package", "functions", "--package", "service", "--bins"]);
    let (contract, _) = codegen::contract(&functions::service()).unwrap();
    let common = include_str!("../../shared/identity/src/password/common.txt").lines().last().unwrap();
    let (mut senders, mut choosers) = (0, 0);
    for procedure in &contract.procedures {
        let text = text_of(&programs[&procedure.function]);
        assert!(!text.contains("/_local/"), "{} brings a page of the local service", procedure.name);
        // The version of SES's programming interface.
        let sends = text.contains("2010-12-01");
        assert_eq!(sends, procedure.mail, "{} sends mail", procedure.name);
        senders += usize::from(sends);
        choosers += usize::from(text.contains(common));
    }
    assert!(
        senders > 0 && choosers > 0 && choosers < contract.procedures.len() / 4,
        "{choosers} functions have the list"
    );
    assert!(text_of(&programs["onefold"]).contains("/_local/mail"));
}

/// How the names of what writes demonstration data begin: `onefold_runtime::seed`.
const SEED_SYMBOL: &str = "15onefold_runtime4seed";

/// A function that linked another procedure would grow with the service, and start slower.
#[test]
fn a_function_links_only_itself() {
    let programs = build(&["--package", "functions", "--package", "service", "--bins"]);
    let symbols: BTreeMap<String, String> = functions::service()
        .procedures
        .iter()
        .map(|procedure| (procedure.entry.function(), symbol(procedure)))
        .collect();
    for name in symbols.keys() {
        let program = programs.get(name).unwrap_or_else(|| panic!("there is no binary for {name}"));
        let text = text_of(program);
        let linked = linked(&text, &symbols);
        // A release binary is stripped: it holds no symbols, not even its own.
        assert!(linked == [name] || (linked.is_empty() && !cfg!(debug_assertions)), "{name} links {linked:?}");
        assert!(!text.contains(SEED_SYMBOL), "{name} links demonstration data");
    }
    assert!(text_of(&programs["onefold"]).contains(SEED_SYMBOL) || !cfg!(debug_assertions));
}

/// How the names of the symbols begin that are in the modules of the service's procedures, and of identity's.
const MODULES: [&str; 2] = ["9functions", "16onefold_identity10procedures"];

/// How the names of a procedure's symbols begin. `functions::users::get` is written `9functions5users3get` by both of
/// Rust's ways to mangle.
fn symbol(procedure: &Registered) -> String {
    let [own, mounted] = MODULES;
    let module = if is_mounted(procedure) { mounted } else { own };
    words(procedure).iter().fold(module.to_owned(), |symbol, word| format!("{symbol}{}{word}", word.len()))
}

/// The procedures whose symbols are in a program. Its text is long, and looked through once for each of the modules.
fn linked<'a>(program: &str, symbols: &'a BTreeMap<String, String>) -> Vec<&'a String> {
    let mut linked = BTreeSet::new();
    for (at, _) in MODULES.iter().flat_map(|module| program.match_indices(module)) {
        linked.extend(symbols.iter().filter(|(_, symbol)| program[at..].starts_with(&***symbol)).map(|(name, _)| name));
    }
    linked.into_iter().collect()
}
