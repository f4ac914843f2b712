//! The words of each style's document: who reads one knows the names in it, and no others.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::support::{Folder, Request, Service, TestServer, cargo};

/// A style's document: what it says to people, and what it has names for.
struct Document {
    style: &'static str,
    texts: Vec<String>,
    names: BTreeSet<String>,
}

/// What stands between two marks.
fn between<'t>(text: &'t str, start: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split_once(end)).map(|(found, _)| found)
}

impl Document {
    fn graphql(sdl: &str) -> Self {
        let parts: Vec<&str> = sdl.split("\"\"\"").collect();
        let texts = parts.iter().skip(1).step_by(2).map(|text| (*text).to_owned()).collect();
        let code: String = parts.into_iter().step_by(2).collect();
        let names = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned).collect();
        Self { style: "GraphQL", texts, names }
    }

    fn wsdl(wsdl: &str) -> Self {
        let texts = between(wsdl, "documentation>", "<").map(str::to_owned).collect();
        let names = between(wsdl, "name=\"", "\"").chain(between(wsdl, "value=\"", "\"")).map(str::to_owned).collect();
        Self { style: "SOAP", texts, names }
    }

    fn json(style: &'static str, document: &Value) -> Self {
        let mut found = Self { style, texts: Vec::new(), names: BTreeSet::new() };
        found.look(document);
        found
    }

    fn look(&mut self, value: &Value) {
        match value {
            Value::Array(members) => members.iter().for_each(|member| self.look(member)),
            Value::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), member) {
                        ("description" | "summary", Value::String(text)) => self.texts.push(text.clone()),
                        ("x-enumDescriptions", Value::Object(texts)) => {
                            self.texts.extend(texts.values().filter_map(Value::as_str).map(str::to_owned));
                        }
                        // What was said already, or is made up.
                        ("example" | "examples", _) => {}
                        _ => self.look(member),
                    }
                    self.names.insert(name.clone());
                }
            }
            Value::String(text) => drop(self.names.insert(text.clone())),
            _ => {}
        }
    }

    /// A back-ticked word of a text, and the text.
    fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().flat_map(|text| text.split('`').skip(1).step_by(2).map(move |word| (word, text.as_str())))
    }
}

/// Whether a name stands in a text by itself. In an address it does not.
fn has(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '#');
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

async fn get(service: &Service, target: &str) -> String {
    service.send(&Request::new("GET", target)).await.text()
}

/// What is said in the words of another style.
async fn strange_words(service: &Service, own_forms: &[String]) -> Vec<String> {
    let json = async |target| serde_json::from_str::<Value>(&get(service, target).await).unwrap();
    let openrpc = json("/openrpc.json").await;
    let methods = openrpc["methods"].as_array().unwrap();
    let usual: Vec<&str> = methods.iter().map(|method| method["name"].as_str().unwrap()).collect();
    let fields: BTreeSet<String> = methods
        .iter()
        .flat_map(|method| method["params"].as_array().unwrap())
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .chain(properties(&openrpc))
        .collect();
    let documents = [
        Document::graphql(&get(service, "/schema.graphql").await),
        Document::wsdl(&get(service, "/soap?wsdl").await),
        Document::json("REST", &json("/openapi.json").await),
        Document::json("JSON-RPC", &openrpc),
    ];
    let mut strange = Vec::new();
    for document in &documents {
        let names = |text: &&String, name: &str| has(text, name);
        let unknown = own_forms.iter().map(String::as_str);
        let unknown = unknown.chain(usual.iter().copied().filter(|_| document.style != "JSON-RPC"));
        for name in unknown {
            let found = document.texts.iter().filter(|text| names(text, name));
            strange.extend(found.map(|text| format!("{}: {name}: {text}", document.style)));
        }
        let words = document.words().filter(|(word, _)| fields.contains(*word) && !document.names.contains(*word));
        strange.extend(words.map(|(word, text)| format!("{}: `{word}`: {text}", document.style)));
        assert!(document.texts.len() > 10 && !document.names.is_empty(), "{} was read", document.style);
    }
    strange.extend(words_of_other_pages(service).await);
    strange
}

/// The names of all members of all schemas.
fn properties(value: &Value) -> Vec<String> {
    match value {
        Value::Array(members) => members.iter().flat_map(properties).collect(),
        Value::Object(members) => {
            let own =
                members.get("properties").and_then(Value::as_object).into_iter().flat_map(|own| own.keys().cloned());
            own.chain(members.values().flat_map(properties)).collect()
        }
        _ => Vec::new(),
    }
}

/// Lists of GraphQL have `first`, `after`, `nodes` and `endCursor`, whatever other types have.
async fn words_of_other_pages(service: &Service) -> Vec<String> {
    let query = "{ __schema { queryType { fields { description type { name } args { name description } } } } }";
    let body = json!({ "query": query }).to_string();
    let request = Request::new("POST", "/graphql").header("content-type", "application/json").body(body);
    let told = service.send(&request).await.json();
    let fields = told["data"]["__schema"]["queryType"]["fields"].as_array().unwrap();
    let paged =
        fields.iter().filter(|field| field["args"].as_array().unwrap().iter().any(|arg| arg["name"] == "after"));
    let texts = paged.flat_map(|field| {
        let arguments = field["args"].as_array().unwrap().iter().map(|argument| &argument["description"]);
        arguments.chain([&field["description"]]).filter_map(Value::as_str)
    });
    let foreign = ["`limit`", "`cursor`", "`items`", "`next`"];
    let strange = texts.filter(|text| foreign.iter().any(|word| text.contains(word)));
    strange.map(|text| format!("a list of GraphQL: {text}")).collect()
}

#[tokio::test]
async fn each_document_speaks_in_its_own_words() {
    let server = TestServer::open().await;
    let contract = fs::read_to_string(cargo::root().join("tests/testbed/bindings/contract.json")).unwrap();
    let contract: Value = serde_json::from_str(&contract).unwrap();
    let own_forms = contract["procedures"].as_array().unwrap().iter().filter(|procedure| !procedure["http"].is_null());
    let own_forms: Vec<String> = own_forms.map(|procedure| procedure["name"].as_str().unwrap().to_owned()).collect();
    assert!(own_forms.contains(&"oauth.start".to_owned()));
    let mut strange = strange_words(&server.service, &own_forms).await;
    // What a failure says is answered in every style, so that it names no procedure.
    let procedures = contract["procedures"].as_array().unwrap();
    let failures = procedures.iter().flat_map(|procedure| procedure["failures"].as_array().unwrap());
    for docs in failures.map(|failure| failure["docs"].as_str().unwrap()) {
        let named = procedures.iter().filter(|procedure| has(docs, procedure["name"].as_str().unwrap()));
        strange.extend(named.map(|procedure| format!("a failure names {}: {docs}", procedure["name"])));
    }
    // What the package says to people are comments.
    let types = fs::read_to_string(cargo::root().join("tests/testbed/bindings/index.d.ts")).unwrap();
    strange.extend(own_forms.iter().filter(|name| has(&types, name)).map(|name| format!("tRPC: {name}")));

    let data = Folder::new();
    let programs = cargo::build(&["--example", "conformance"]);
    let second = Service::start(&programs["conformance"], &["--data", &data.path().to_string_lossy()]).await;
    strange.extend(strange_words(&second, &[]).await);
    assert!(strange.is_empty(), "{}", strange.join("\n"));
}
