//! Sample calls of each procedure in each style, as text to copy.

pub(crate) mod graphql;
pub mod postman;

use protocol::{
    PageSize, PathPattern, case,
    contract::{AuthContract, Contract, ProcedureContract},
    media_type,
};
use runtime::rest::encoded;
use serde_json::Value;

use crate::{
    example,
    rest::{ParameterForm, Route},
    soap,
};

/// A sample call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The style, such as `REST`.
    pub style: &'static str,
    /// The language of the text, such as `sh`.
    pub language: &'static str,
    /// The text.
    pub text: String,
}

/// The sample calls of a procedure. In the shell, `$URL` is the service's address, and `$TOKEN` an access token.
pub fn of(contract: &Contract, procedure: &ProcedureContract) -> Vec<Sample> {
    let input = input(contract, procedure);
    let rest = Route::of(contract, procedure).map(|route| curl(contract, &route));
    let shell = |style, text| Sample { style, language: "sh", text };
    let rest = rest.map(|text| shell("REST", text));
    let others = [
        Sample { style: "tRPC", language: "ts", text: trpc(procedure, input.as_ref()) },
        shell(
            "GraphQL",
            post(procedure, crate::graphql::PATH, &[], &graphql::request(contract, procedure, input.as_ref())),
        ),
        shell("JSON-RPC", post(procedure, "/jsonrpc", &[], &jsonrpc(procedure, input.as_ref()))),
    ];
    let soap = soap(contract, procedure, input.as_ref()).map(|text| shell("SOAP", text));
    rest.into_iter().chain(others).chain(soap).collect()
}

/// The example of an input, unless the input may be left out.
pub fn input(contract: &Contract, procedure: &ProcedureContract) -> Option<Value> {
    let sample = example::of(contract, procedure.input.as_ref()?);
    (!procedure.input_optional || sample.as_object().is_some_and(|fields| !fields.is_empty())).then_some(sample)
}

/// The path and query of a REST call with its example: `/v1/orders?limit=20`.
pub fn address(contract: &Contract, route: &Route<'_>) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let sample = |name| {
        route
            .path_fields()
            .find(|field| field.name == name)
            .map(|field| encoded(&plain(&example::of(contract, field.schema))))
    };
    let path = PathPattern(route.path).filled(sample).unwrap_or_else(|| route.path.to_owned());
    let mut pairs = Vec::new();
    // Of the optional fields, only a page's size is shown, which callers need first.
    let shown = route.other_fields().filter(|field| field.is_required || field.name == PageSize::FIELD);
    for field in shown.filter(|_| !route.has_body()) {
        let value = example::of(contract, field.schema);
        match (ParameterForm::of(contract, field.schema), value) {
            (ParameterForm::Repeated, Value::Array(values)) => {
                pairs.extend(values.iter().map(|value| (field.name, plain(value))));
            }
            (ParameterForm::Json, value) => pairs.push((field.name, value.to_string())),
            (_, value) => pairs.push((field.name, plain(&value))),
        }
    }
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// The body of a REST call: the input's example without the fields in the path.
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
        lines.push(format!("-H \"content-type: {}\"", media_type::JSON));
        lines.push(format!("-d {}", quoted(&body.to_string())));
    }
    lines.join(" \\\n  ")
}

fn authorization(procedure: &ProcedureContract) -> Option<String> {
    (!matches!(procedure.auth, AuthContract::Public)).then(|| "-H \"authorization: Bearer $TOKEN\"".to_owned())
}

fn post(procedure: &ProcedureContract, path: &str, headers: &[&str], body: &str) -> String {
    let mut lines = vec![format!("curl \"$URL{path}\"")];
    lines.extend(authorization(procedure));
    match headers {
        [] => lines.push(format!("-H \"content-type: {}\"", media_type::JSON)),
        headers => lines.extend(headers.iter().map(|header| format!("-H {}", quoted(header)))),
    }
    lines.push(format!("-d {}", quoted(body)));
    lines.join(" \\\n  ")
}

fn trpc(procedure: &ProcedureContract, input: Option<&Value>) -> String {
    let call = if procedure.kind == protocol::Kind::Query { "query" } else { "mutate" };
    let input = input.map(typescript).unwrap_or_default();
    format!("await client.{}.{call}({input});", procedure.name)
}

/// A value as TypeScript, with keys unquoted where possible.
fn typescript(value: &Value) -> String {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let key = |name: &String| if is_name(name) { name.clone() } else { Value::from(name.as_str()).to_string() };
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", key(name), typescript(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(typescript).collect();
            format!("[{}]", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn jsonrpc(procedure: &ProcedureContract, input: Option<&Value>) -> String {
    let params = input.map(|input| format!(",\"params\":{input}")).unwrap_or_default();
    format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"{params}}}", procedure.name)
}

fn soap(contract: &Contract, procedure: &ProcedureContract, input: Option<&Value>) -> Option<String> {
    let message = soap::request(contract, procedure, input.unwrap_or(&Value::Null)).ok()?;
    let action = format!("soapaction: \"urn:onefold:{}/{}\"", contract.service, case::camel_case(&procedure.name));
    let content_type = format!("content-type: {}", media_type::XML_UTF8);
    Some(post(procedure, "/soap", &[&content_type, &action], &message))
}

/// A text quoted as one word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `examples.md`: every procedure in every style.
pub fn markdown(contract: &Contract, header: &str) -> String {
    let introduction = INTRODUCTION.replace("@PACKAGE@", &contract.npm_package);
    let introduction = introduction.replace("@ROLE@", contract.operator_role.as_deref().unwrap_or("ROLE"));
    let mut text = format!("<!-- {header} -->\n\n# How each procedure is called\n\n{introduction}\n");
    for procedure in contract.in_styles() {
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
TOKEN=$(cargo run --quiet -- token --role @ROLE@)
```

```ts
import { createClient } from \"@PACKAGE@\";

const client = createClient({ url: \"http://127.0.0.1:9000/trpc\", token: process.env.TOKEN });
```

The values are made up: they have the right form, and lead nowhere.
";
