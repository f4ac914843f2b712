//! Framework and service are apart: what is in `shared/`, but for `shared/model`, serves any service and names nothing of
//! this one. What it has to know of a service, `Definition` states.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use codegen::contract;
use protocol::contract::AuthContract;
use runtime::Service;
use serde_json::Value;

use crate::support::{
    cargo::{cargo, root},
    service::is_mounted,
};

/// Where the framework may name what identity's procedures, entities and paths are called: in the package that has them, and
/// in the tests of the templates, which a service that mounts them is made of.
const OF_IDENTITY: [&str; 2] = ["shared/identity", "shared/infra/test"];

/// How often a file still names something of the service. A number may fall and never rise, and nothing is added: what
/// a file needs of a service is stated in `Definition`, and an example has nouns that are nobody's.
const ALLOWED: &[(&str, usize)] = &[];

/// One of the framework's files.
struct File {
    path: PathBuf,
    text: String,
}

/// All files of the framework that people write.
fn files() -> Vec<File> {
    let shared = root().join("shared");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(&shared).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| !folder.ends_with("model"));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                let is_built = ["node_modules", "target", "build", ".venv"].iter().any(|name| path.ends_with(name));
                folders.extend((!is_built).then_some(path));
            } else if let (Ok(text), true) = (fs::read_to_string(&path), is_written(&path)) {
                found.push(File { path: path.strip_prefix(root()).unwrap().to_owned(), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 150, "the framework's files were read: {}", found.len());
    found
}

/// Lists of common passwords, of specifications' examples and of packages are other people's words, and what the compiler
/// says is the compiler's.
fn is_written(path: &Path) -> bool {
    let is_of_others = |kind: &str| ["txt", "pem", "gz", "stderr"].contains(&kind);
    !path.ends_with("package-lock.json") && !path.extension().is_some_and(|kind| is_of_others(&kind.to_string_lossy()))
}

/// A word of the service, and what it is there.
struct Word {
    text: String,
    what: &'static str,
    is_identity: bool,
}

/// The words of a service. Some are words of the language as well, or of AWS: a role and an entity count between quotation
/// marks only.
fn words(service: &Service) -> Vec<Word> {
    let (contract, _) = contract(service).unwrap();
    let mounted: BTreeSet<&str> = service
        .procedures
        .iter()
        .filter(|procedure| is_mounted(procedure))
        .map(|procedure| procedure.entry.name)
        .collect();
    let mut words = Vec::new();
    let mut add = |what, is_identity, text: String| words.push(Word { text, what, is_identity });
    add("the service's name", false, contract.service.clone());
    add("the npm package", false, contract.npm_package.to_owned());
    let layout = contract.layout.unwrap();
    add("a folder of the service", false, format!("{}/", layout.bindings));
    for package in layout.packages.into_iter().flat_map(|packages| [packages.functions, packages.gateways]) {
        add("a folder of the service", false, format!("{}/", package.folder));
        add("a package of the service", false, format!("-p {}", package.name));
        add("a package of the service", false, format!("\"--package\", {:?}", package.name));
    }
    for role in service.definition.roles {
        add("a role", false, format!("{role:?}"));
        add("a role", false, format!("--role {role}"));
    }
    for procedure in &contract.procedures {
        let is_identity = mounted.contains(procedure.name.as_str());
        let registered = service.procedures.iter().find(|one| one.entry.name == procedure.name).unwrap();
        // The modules of the index.
        let (before, word) = registered.path.rsplit_once("::").unwrap();
        let (_, domain) = before.rsplit_once("::").unwrap();
        for name in [".", "-", "::", "/"].map(|between| format!("{domain}{between}{word}")) {
            add("a procedure", is_identity, name);
        }
        let (first, second) = procedure.name.split_once('.').unwrap();
        add("a procedure", is_identity, procedure.name.clone());
        add("a procedure", is_identity, procedure.function.clone());
        add("a procedure", is_identity, format!("{first}{}", protocol::case::capitalized(second)));
        add("a type of a procedure", is_identity, protocol::case::type_name(&procedure.name));
        if let AuthContract::Permission { permission, .. } = &procedure.auth {
            add("a permission", is_identity, permission.clone());
        }
        for (_, path) in
            [&procedure.rest, &procedure.http].into_iter().flatten().filter_map(|route| route.split_once(' '))
        {
            // Those of RFC 8615 are everybody's.
            if !path.starts_with("/.well-known/") {
                add("a path", is_identity, path.to_owned());
            }
        }
        for grant in &procedure.grants {
            // The framework's own counts.
            if !["Limit", "Meter"].contains(&grant.entity.as_str()) {
                add("an entity", is_identity || identity_has(&grant.entity), format!("{:?}", grant.entity));
            }
        }
    }
    words.sort_by(|a, b| (&a.text, a.is_identity).cmp(&(&b.text, b.is_identity)));
    words.dedup_by(|a, b| a.text == b.text);
    words
}

/// Whether an entity is one of those that identity keeps, whoever reads it.
fn identity_has(entity: &str) -> bool {
    let mut files = fs::read_dir(root().join("shared/identity/src/entities")).unwrap();
    let begin = format!("pub struct {entity} {{");
    files.any(|file| fs::read_to_string(file.unwrap().path()).unwrap().lines().any(|line| line == begin))
}

/// Whether a line has a word that neither goes on before nor behind it.
fn names(line: &str, word: &str) -> bool {
    // `users.get(…)` is a call of the capability to read.
    let is_called = |behind: Option<char>| word.contains('.') && behind == Some('(');
    let goes_on = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let (first, last) = (word.chars().next(), word.chars().next_back());
    line.match_indices(word).any(|(at, _)| {
        let (before, behind) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !(goes_on(first) && (goes_on(before) || before == Some('/') || before == Some('-')))
            && !(goes_on(last) && goes_on(behind))
            && !is_called(behind)
    })
}

#[test]
fn the_framework_names_nothing_of_the_service() {
    let words = words(&functions::service());
    let [name, package, folder] = [functions::SERVICE.name, functions::SERVICE.npm_package, "bindings/"];
    for word in [name, package, folder, "auth.login", "authLogin", "\"Account\"", "audit:read", "/v1/audit"] {
        assert!(words.iter().any(|known| known.text == word), "{word} was not found among the words");
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for File { path, text } in files() {
        let is_of_identity = OF_IDENTITY.iter().any(|place| path.starts_with(place));
        for (number, line) in text.lines().enumerate() {
            let known = |word: &&Word| !(word.is_identity && is_of_identity) && names(line, &word.text);
            if let Some(Word { text, what, .. }) = words.iter().find(known) {
                let said = format!("{}:{}: `{text}` is {what}", path.display(), number + 1);
                found.entry(path.display().to_string()).or_default().push(said);
            }
        }
    }
    let allowed: BTreeMap<&str, usize> = ALLOWED.iter().copied().collect();
    let mut faults = Vec::new();
    let paths: BTreeSet<&str> = found.keys().map(String::as_str).chain(allowed.keys().copied()).collect();
    for path in paths {
        let (lines, allowed) =
            (found.get(path).map_or(&[][..], Vec::as_slice), allowed.get(path).copied().unwrap_or(0));
        if lines.len() > allowed {
            faults.push(format!(
                "{}\n  The framework serves any service: state it in `Definition` and read it from there; in an example or a \
                 test, take a noun that this service does not have. {allowed} lines of this file are allowed.",
                lines.join("\n")
            ));
        } else if lines.len() < allowed {
            faults.push(format!(
                "{path}: {allowed} lines are allowed, and {} are left: write that into ALLOWED",
                lines.len()
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A file that is compiled into the framework, its tests included, is the framework's own.
#[test]
fn the_framework_includes_no_file_of_the_service() {
    let mut included = 0;
    for File { path, text } in files() {
        for (at, call) in ["include_str!(\"", "include_bytes!(\""].iter().flat_map(|call| text.match_indices(call)) {
            if is_documentation(&text[..at]) {
                continue;
            }
            let name = text[at + call.len()..].split('"').next().unwrap();
            let place = normal(&path.parent().unwrap().join(name));
            assert!(
                place.starts_with("shared") && !place.starts_with("shared/model"),
                "{} includes {}, a file of the service: the framework reads what a service states, and its tests have services \
                 of their own",
                path.display(),
                place.display()
            );
            included += 1;
        }
    }
    assert!(included > 10, "{included} files are included");
}

/// Whether this text ends in a comment: what is in documentation includes nothing.
fn is_documentation(before: &str) -> bool {
    before.lines().next_back().is_some_and(|line| line.trim_start().starts_with("//"))
}

/// A path without the steps up in it.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

/// Nor does it reach the service by Cargo, its tests included.
#[test]
fn the_framework_depends_on_no_package_of_the_service() {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let is_framework = |package: &&Value| {
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        folder.starts_with(root().join("shared")) && !folder.ends_with("model")
    };
    let (framework, service): (Vec<&Value>, Vec<&Value>) = packages.iter().partition(is_framework);
    let names =
        |packages: &[&Value]| packages.iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    let (names, own): (BTreeSet<String>, BTreeSet<String>) = (names(&framework), names(&service));
    assert!(
        names.contains("onefold-runtime") && own.contains("functions") && own.contains("model"),
        "{names:?} {own:?}"
    );
    let unnamed: Vec<_> = names.iter().filter(|name| *name != "onefold" && !name.starts_with("onefold-")).collect();
    assert!(unnamed.is_empty(), "a package of the framework is found by its name: `onefold-…`, and not {unnamed:?}");
    for package in framework {
        for dependency in package["dependencies"].as_array().unwrap() {
            let (name, dependency) = (package["name"].as_str().unwrap(), dependency["name"].as_str().unwrap());
            assert!(
                !own.contains(dependency),
                "{name} depends on {dependency}, which is the service's: no other service could have it for a framework"
            );
        }
    }
}

/// What a service is written with is one package, which has all that the macros write.
#[test]
fn the_service_depends_on_the_facade_alone() {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let depends_on = |name: &str| -> BTreeSet<String> {
        let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == name).unwrap();
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(depends_on("model"), BTreeSet::from(["onefold".to_owned()]));
    assert_eq!(depends_on("functions"), BTreeSet::from(["model".to_owned(), "onefold".to_owned()]));
}
