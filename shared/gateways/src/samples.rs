//! How each procedure is called in each style: text to copy.

use serde_json::{Map, Value};

use crate::{
    Contract, Procedure,
    contract::Auth,
    example,
    rest::{Form, Route},
};

/// A call as somebody would type it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// `REST`.
    pub style: &'static str,
    /// The language of the text: `sh`.
    pub language: &'static str,
    /// The text.
    pub text: String,
}

/// The calls of a procedure; in the shell `$URL` is where the service is, and `$TOKEN` an access token.
pub fn of(contract: &Contract, procedure: &Procedure) -> Vec<Sample> {
    let input = input(contract, procedure);
    let rest = Route::of(contract, procedure).map(|route| curl(contract, &route));
    let shell = |style, text| Sample { style, language: "sh", text };
    let rest = rest.map(|text| shell("REST", text));
    let others = [
        Sample { style: "tRPC", language: "ts", text: trpc(procedure, input.as_ref()) },
        shell("GraphQL", post(procedure, "/graphql", &[], &graphql(contract, procedure, input.as_ref()))),
        shell("JSON-RPC", post(procedure, "/jsonrpc", &[], &jsonrpc(procedure, input.as_ref()))),
        shell("SOAP", soap(contract, procedure, input.as_ref())),
    ];
    rest.into_iter().chain(others).collect()
}

/// The example of an input, unless it may as well be left out.
pub fn input(contract: &Contract, procedure: &Procedure) -> Option<Value> {
    let sample = example::of(contract, procedure.input.as_ref()?);
    (!procedure.input_optional || sample.as_object().is_some_and(|fields| !fields.is_empty())).then_some(sample)
}

/// The address of a REST call with its example, without the service's own: `/v1/users?limit=20`.
pub fn address(contract: &Contract, route: &Route<'_>) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = route.path.to_owned();
    for field in route.path_fields() {
        let value = plain(&example::of(contract, field.schema));
        path = path.replace(&format!("{{{}}}", field.name), &encoded(&value));
    }
    let mut pairs = Vec::new();
    // Of what may be left out, a page's size is what everybody asks for first.
    let shown = route.other_fields().filter(|field| field.is_required || field.name == "limit");
    for field in shown.filter(|_| !route.has_body()) {
        let value = example::of(contract, field.schema);
        match (Form::of(contract, field.schema), value) {
            (Form::Repeated, Value::Array(values)) => {
                pairs.extend(values.iter().map(|value| (field.name, plain(value))));
            }
            (Form::Json, value) => pairs.push((field.name, value.to_string())),
            (_, value) => pairs.push((field.name, plain(&value))),
        }
    }
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// The body of a REST call: the input's example without what stands in the path.
pub fn body(contract: &Contract, route: &Route<'_>) -> Option<Value> {
    let mut sample = input(contract, route.procedure).filter(|_| route.has_body())?;
    if let Some(fields) = sample.as_object_mut() {
        fields.retain(|name, _| !route.names_in_path().any(|known| known == name));
    }
    Some(sample)
}

fn curl(contract: &Contract, route: &Route<'_>) -> String {
    let method = if route.method == "GET" { String::new() } else { format!(" -X {}", route.method) };
    let mut lines = vec![format!("curl{method} \"$URL{}\"", address(contract, route))];
    lines.extend(authorization(route.procedure));
    if let Some(body) = body(contract, route) {
        lines.push("-H \"content-type: application/json\"".to_owned());
        lines.push(format!("-d {}", quoted(&body.to_string())));
    }
    lines.join(" \\\n  ")
}

fn authorization(procedure: &Procedure) -> Option<String> {
    (!matches!(procedure.auth, Auth::Public)).then(|| "-H \"authorization: Bearer $TOKEN\"".to_owned())
}

fn post(procedure: &Procedure, path: &str, headers: &[&str], body: &str) -> String {
    let mut lines = vec![format!("curl \"$URL{path}\"")];
    lines.extend(authorization(procedure));
    match headers {
        [] => lines.push("-H \"content-type: application/json\"".to_owned()),
        headers => lines.extend(headers.iter().map(|header| format!("-H {}", quoted(header)))),
    }
    lines.push(format!("-d {}", quoted(body)));
    lines.join(" \\\n  ")
}

fn trpc(procedure: &Procedure, input: Option<&Value>) -> String {
    let call = if procedure.kind == protocol::Kind::Query { "query" } else { "mutate" };
    let input = input.map(|input| typescript(input, 0)).unwrap_or_default();
    format!("await client.{}.{call}({input});", procedure.name)
}

/// A value as people write it in TypeScript: names without quotes where they need none.
fn typescript(value: &Value, depth: usize) -> String {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let key = |name: &String| if is_name(name) { name.clone() } else { Value::from(name.as_str()).to_string() };
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", key(name), typescript(value, depth + 1))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(|entry| typescript(entry, depth + 1)).collect();
            format!("[{}]", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn jsonrpc(procedure: &Procedure, input: Option<&Value>) -> String {
    let params = input.map(|input| format!(",\"params\":{input}")).unwrap_or_default();
    format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"{params}}}", procedure.name)
}

/// An operation that asks for the kind of the answer: every answer has one that is no single value.
fn graphql(contract: &Contract, procedure: &Procedure, input: Option<&Value>) -> String {
    let kind = if procedure.kind == protocol::Kind::Query { "query" } else { "mutation" };
    let fields = input.and_then(Value::as_object);
    let arguments = fields.filter(|fields| !fields.is_empty()).map(|fields| {
        let properties = procedure.input.as_ref().map(|input| contract.resolve(input));
        let schema = |name: &str| properties.and_then(|input| input.get("properties")?.get(name));
        let arguments: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}: {}", literal(contract, value, schema(name)))).collect();
        format!("({})", arguments.join(", "))
    });
    let single = procedure.failures.is_empty() && procedure.output.as_ref().is_some_and(|o| is_single(contract, o));
    let selection = if single { "" } else { " { __typename }" };
    let query = format!("{kind} {{ {}{}{selection} }}", procedure.camel_case_name(), arguments.unwrap_or_default());
    Value::from_iter([("query", query)]).to_string()
}

fn is_single(contract: &Contract, output: &Value) -> bool {
    let schema = contract.resolve(output);
    !matches!(schema.get("type").and_then(Value::as_str), Some("object" | "array") | None)
}

/// A value as GraphQL writes it. The values of enums have names there.
fn literal(contract: &Contract, value: &Value, schema: Option<&Value>) -> String {
    let schema = schema.map(|schema| contract.resolve(crate::rest::without_null(contract, schema)));
    let is_enum = schema.is_some_and(|schema| schema.get("oneOf").is_some() || schema.get("enum").is_some());
    match value {
        Value::String(text) if is_enum => enum_value(text),
        Value::Array(entries) => {
            let items = schema.and_then(|schema| schema.get("items"));
            let entries: Vec<String> = entries.iter().map(|entry| literal(contract, entry, items)).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(fields) => {
            let inner = |name: &str| schema.and_then(|schema| schema.get("properties")?.get(name));
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", literal(contract, value, inner(name))))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// `-createdAt` to `CREATED_AT_DESC`.
fn enum_value(wire: &str) -> String {
    let (plain, ending) = wire.strip_prefix('-').map_or((wire, ""), |plain| (plain, "_DESC"));
    let mut name = String::new();
    let mut before = '_';
    for letter in plain.chars() {
        if letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            name.push('_');
        }
        name.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
        before = letter;
    }
    name + ending
}

fn soap(contract: &Contract, procedure: &Procedure, input: Option<&Value>) -> String {
    let namespace = format!("urn:onefold:{}", contract.service);
    let operation = procedure.camel_case_name();
    let mut fields = String::new();
    if let Some(Value::Object(input)) = input {
        // XML Schema's sequences have an order: the declaration's.
        let order = |name: &String| procedure.input_fields.iter().position(|field| field == name);
        let mut sorted: Vec<_> = input.iter().collect();
        sorted.sort_by_key(|(name, _)| order(name));
        sorted.into_iter().for_each(|(name, value)| element(name, value, &mut fields));
    }
    let body = format!(
        "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
         <{operation} xmlns=\"{namespace}\">{fields}</{operation}></Body></Envelope>"
    );
    let action = format!("soapaction: \"{namespace}/{operation}\"");
    post(procedure, "/soap", &["content-type: text/xml; charset=utf-8", &action], &body)
}

fn element(name: &str, value: &Value, text: &mut String) {
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| element(name, entry, text)),
        Value::Object(fields) => {
            text.push_str(&format!("<{name}>"));
            fields.iter().for_each(|(name, value)| element(name, value, text));
            text.push_str(&format!("</{name}>"));
        }
        Value::String(plain) => text.push_str(&format!("<{name}>{}</{name}>", escaped(plain))),
        other => text.push_str(&format!("<{name}>{other}</{name}>")),
    }
}

/// A text as XML and HTML have it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text as one word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// `bindings/examples.md`: every procedure in every style.
pub fn markdown(contract: &Contract, header: &str) -> String {
    let mut text = format!("<!-- {header} -->\n\n# How each procedure is called\n\n{INTRODUCTION}\n");
    for procedure in &contract.procedures {
        text.push_str(&format!("\n## {}\n\n{}\n", procedure.name, procedure.docs));
        for Sample { style, language, text: sample } in of(contract, procedure) {
            text.push_str(&format!("\n{style}:\n\n```{language}\n{sample}\n```\n"));
        }
    }
    text
}

const INTRODUCTION: &str = "\
```sh
URL=http://127.0.0.1:9000
TOKEN=$(cargo run --quiet -- token --role administrator)
```

```ts
import { createClient } from \"@onefold/backoffice\";

const client = createClient({ url: \"http://127.0.0.1:9000/trpc\", token: process.env.TOKEN });
```

The values are made up: they have the right form, and lead nowhere.
";

/// `bindings/postman.json`: the REST routes as a collection of Postman, format 2.1. The variables `url` and `token` say
/// where and who.
pub fn postman(contract: &Contract, url: &str, header: &str) -> String {
    let mut folders: Vec<(String, Vec<Value>)> = Vec::new();
    for route in Route::all(contract) {
        let domain = route.procedure.name.split('.').next().unwrap_or_default().to_owned();
        let request = request(contract, &route);
        match folders.last_mut().filter(|(name, _)| *name == domain) {
            Some((_, requests)) => requests.push(request),
            None => folders.push((domain, vec![request])),
        }
    }
    let folders: Vec<Value> =
        folders.into_iter().map(|(name, item)| serde_json::json!({"name": name, "item": item})).collect();
    let collection = serde_json::json!({
        "info": {
            "name": contract.service,
            "description": header,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": "url", "value": url}, {"key": "token", "value": ""}],
        "item": folders,
    });
    serde_json::to_string_pretty(&collection).unwrap_or_default() + "\n"
}

fn request(contract: &Contract, route: &Route<'_>) -> Value {
    let segments: Vec<String> = route
        .path
        .split('/')
        .skip(1)
        .map(|segment| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => format!(":{name}"),
            None => segment.to_owned(),
        })
        .collect();
    let plain = |schema: &Value| {
        let value = example::of(contract, schema);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    let described = |field: crate::rest::InputField<'_>| {
        let docs = field.schema.get("description").cloned().unwrap_or_default();
        serde_json::json!({"key": field.name, "value": plain(field.schema), "description": docs})
    };
    let mut url = serde_json::json!({
        "raw": format!("{{{{url}}}}/{}", segments.join("/")),
        "host": ["{{url}}"],
        "path": segments,
        "variable": route.path_fields().map(described).collect::<Vec<_>>(),
    });
    if !route.has_body() {
        let parameter = |field: crate::rest::InputField<'_>| {
            let mut parameter = described(field);
            parameter["disabled"] = (!field.is_required).into();
            parameter
        };
        url["query"] = route.other_fields().map(parameter).collect();
    }
    let mut request = Map::from_iter([
        ("method".to_owned(), route.method.into()),
        ("description".to_owned(), route.procedure.docs.as_str().into()),
        ("url".to_owned(), url),
        ("header".to_owned(), Value::Array(Vec::new())),
    ]);
    if matches!(route.procedure.auth, Auth::Public) {
        request.insert("auth".to_owned(), serde_json::json!({"type": "noauth"}));
    }
    if let Some(body) = body(contract, route) {
        let raw = serde_json::to_string_pretty(&body).unwrap_or_default();
        let body = serde_json::json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}});
        request.insert("body".to_owned(), body);
    }
    serde_json::json!({"name": route.procedure.name, "request": request})
}
