//! What a local service offers, and how to begin: a few lines at its start, and the answer of `GET /`.

use std::net::SocketAddr;

use bytes::Bytes;
use gateways::{graphql, jsonrpc, soap};
use protocol::{Cause, trpc::BASE_PATH};
use runtime::{Callers, Definition, Service};
use serde_json::{Map, Value};

use crate::mail::page;

/// One thing that there is, or can be done.
struct Line {
    /// The member of `GET /`.
    name: &'static str,
    /// What it is called at the start; it is left out there if it is empty.
    label: &'static str,
    value: String,
}

/// What is said of a service at an address.
pub(crate) struct Welcome {
    service: &'static str,
    trpc: String,
    lines: Vec<Line>,
    procedures: usize,
}

impl Welcome {
    pub(crate) fn new(service: &Service, address: SocketAddr) -> Self {
        let at = |path: &str| format!("http://{address}{path}");
        let line = |name, label, value| Line { name, label, value };
        let mut lines = vec![
            line("docs", "documents", at("/docs")),
            line("openapi", "", at("/openapi.json")),
            line("graphql", "GraphiQL", at(graphql::PATH)),
            line("jsonrpc", "", at(jsonrpc::PATH)),
            line("soap", "", at(&format!("{}?wsdl", soap::PATH))),
            line("mail", "mailbox", at(page::PATH)),
        ];
        if !service.seeds.is_empty() {
            lines.push(line("seed", "fill it", "cargo run -- seed".to_owned()));
        }
        lines.extend(token(service.definition).map(|command| line("token", "a token", command)));
        lines.extend(sign_in(service.definition).map(|ways| line("signIn", "sign in", ways)));
        lines.push(line("permissions", "who may", "cargo run -- permissions".to_owned()));
        Self { service: service.definition.name, trpc: at(BASE_PATH), lines, procedures: service.procedures.len() }
    }

    /// The lines at the start.
    pub(crate) fn text(&self) -> String {
        let shown: Vec<_> = self.lines.iter().filter(|line| !line.label.is_empty()).collect();
        let width = shown.iter().map(|line| line.label.len()).max().unwrap_or_default();
        let lines = shown.iter().map(|Line { label, value, .. }| format!("  {label:width$}  {value}\n"));
        format!(
            "{} answers at {}  ({} procedures; Ctrl-C stops)\n{}",
            self.service,
            self.trpc,
            self.procedures,
            lines.collect::<String>()
        )
    }

    /// The body of `GET /`.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn json(&self) -> Result<Bytes, Cause> {
        let mut members = Map::new();
        members.insert("service".to_owned(), self.service.into());
        members.insert("procedures".to_owned(), self.procedures.into());
        members.insert("trpc".to_owned(), self.trpc.trim_end_matches('/').into());
        members.extend(self.lines.iter().map(|line| (line.name.to_owned(), line.value.as_str().into())));
        Ok(serde_json::to_vec_pretty(&Value::Object(members))?.into())
    }
}

/// How a person gets a token, if the service takes any.
fn token(definition: &Definition) -> Option<String> {
    match definition.callers {
        Callers::Custom(_) => None,
        Callers::Tokens | Callers::Sessions(_) => {
            Some(format!("cargo run -- token --role {}", definition.operator_role.unwrap_or("ROLE")))
        }
    }
}

/// The procedures by which people sign in, if the service has any.
fn sign_in(definition: &Definition) -> Option<String> {
    definition.session.map(|session| match session.register {
        Some(register) => format!("{register}, then {}", session.sign_in),
        None => session.sign_in.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use runtime::SessionSignIn;

    use super::*;

    const BARE: Definition = Definition::named("bare");
    const SESSION: SessionSignIn = SessionSignIn {
        register: Some("desk.join"),
        sign_in: "desk.enter",
        keep_field: "",
        cookie: "",
        tokens: "",
        who_field: "",
        tokens_field: "",
        access_token_field: "",
        refresh_token_field: "",
        expires_in_field: "",
        refresh: "",
        ended: "",
        sign_out: "",
        reauthenticate: None,
        password_field: "",
    };
    static BOTH: Definition = Definition { operator_role: Some("keeper"), session: Some(SESSION), ..BARE };
    static CUSTOM: Definition = Definition { callers: Callers::Custom(|_| Ok(None)), ..BARE };

    fn welcome(definition: &'static Definition) -> Welcome {
        let service = Service { definition, index: "bare", domains: vec![], procedures: vec![], seeds: vec![] };
        Welcome::new(&service, SocketAddr::from(([127, 0, 0, 1], 9000)))
    }

    #[test]
    fn the_first_screen_says_where_everything_is_and_how_to_begin() {
        let text = welcome(&BOTH).text();
        let expected = "\
bare answers at http://127.0.0.1:9000/trpc/  (0 procedures; Ctrl-C stops)
  documents  http://127.0.0.1:9000/docs
  GraphiQL   http://127.0.0.1:9000/graphql
  mailbox    http://127.0.0.1:9000/_local/mail
  a token    cargo run -- token --role keeper
  sign in    desk.join, then desk.enter
  who may    cargo run -- permissions
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_service_without_tokens_and_sign_in_speaks_of_none() {
        let text = welcome(&CUSTOM).text();
        assert!(!text.contains("token") && !text.contains("sign in"), "{text}");
        let told: Value = serde_json::from_slice(&welcome(&CUSTOM).json().unwrap()).unwrap();
        assert_eq!((&told["service"], &told["soap"]), (&"bare".into(), &"http://127.0.0.1:9000/soap?wsdl".into()));
        assert!(told.get("token").is_none() && told.get("seed").is_none(), "{told}");
    }
}
