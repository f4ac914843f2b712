//! The GraphQL style, at `/graphql`: each procedure is a field, and ids lead to their entities.
//!
//! - [`schema`]: builds the types from the contract. [`shape`] reads JSON Schemas, [`names`] checks names.
//! - [`engine`]: the same types for the library, which prints SDL, validates documents and answers introspection.
//! - [`request`], [`media`], [`persisted`]: requests over HTTP (the specification "GraphQL over HTTP").
//! - [`literals`]: rewrites texts and numbers as the specification reads them.
//! - [`scan`], [`limits`]: limits on a request, before it is executed.
//! - [`merge`], [`variables`], [`fits`]: validation that the library lacks.
//! - [`execute`], [`input`], [`load`], [`run`]: execution.
//! - [`fault`] is the form of errors.

mod engine;
mod execute;
mod fault;
mod fits;
mod input;
mod limits;
mod literals;
mod load;
mod media;
mod merge;
mod names;
mod persisted;
mod request;
mod run;
mod scan;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod types;
mod variables;

use std::sync::OnceLock;

use async_graphql::{
    Value, dynamic,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Method, Response, StatusCode, header};
use protocol::{Cause, Code, contract::Contract, media_type};
use runtime::{BoxFuture, rest::without_body};
use serde::Serialize;

use crate::{Calls, GatewaySpec, Refusal, Settings, Style};
use execute::{Executed, Execution};
use fault::Fault;
use limits::Measure;
use media::Media;
use persisted::Persisted;
use request::{Request, RequestBody};
use run::Run;
use types::Types;

/// The style of GraphQL.
pub struct GraphQl {
    types: Types,
    schema: dynamic::Schema,
    /// The schema as text, rendered at the first request.
    sdl: OnceLock<Option<Bytes>>,
    settings: Settings,
    persisted: Persisted,
}

/// The schema as text, with the same content as introspection.
///
/// # Errors
/// As [`GraphQl::new`].
pub fn sdl(contract: &Contract) -> Result<String, Cause> {
    let types = schema::build(contract)?;
    engine::sdl(&types)
}

impl GraphQl {
    /// The style's specification.
    pub const SPEC: GatewaySpec = GatewaySpec {
        name: "graphql",
        paths: &[PATH, SDL_PATH],
        methods: METHODS,
        takes: media_type::JSON,
        calls: true,
        memory_mb: 512,
        timeout_ms: 29_000,
    };

    /// Creates the style for a service, with introspection.
    ///
    /// # Errors
    /// What GraphQL cannot express: two types of one name, a malformed name.
    pub fn new(contract: &Contract) -> Result<Self, Cause> {
        Self::with(contract, Settings::default())
    }

    /// Creates the style for a stage of a service.
    ///
    /// # Errors
    /// As [`GraphQl::new`].
    pub fn with(contract: &Contract, settings: Settings) -> Result<Self, Cause> {
        let types = schema::build(contract)?;
        let schema = engine::schema(&types, settings.documents)?;
        Ok(Self { types, schema, sdl: OnceLock::new(), settings, persisted: Persisted::default() })
    }
}

/// The maximum number of errors about one document.
const MAX_FAULTS: usize = 20;
const METHODS: &str = "GET, HEAD, POST";
/// Its path.
pub const PATH: &str = "/graphql";
/// The path of the schema as text, unless introspection is off.
const SDL_PATH: &str = "/schema.graphql";

impl Style for GraphQl {
    fn spec(&self) -> &'static GatewaySpec {
        &Self::SPEC
    }

    fn refuse(&self, calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes> {
        let mut fault = Fault::request(refusal.code, refusal.message);
        fault.extensions.request_id = refusal.request_id;
        GraphQlResponse::from(fault).into_response(Media::accepted(&calls.parts().headers).unwrap_or(Media::Json))
    }

    fn answer<'a>(&'a self, contract: &'a Contract, body: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            let is_head = calls.parts().method == Method::HEAD;
            let mut response = self.answered(contract, &body, &calls).await;
            if is_head {
                without_body(&mut response);
            }
            response
        })
    }
}

/// A valid operation, ready for execution.
struct Prepared {
    document: ExecutableDocument,
    /// Its name, if the document has several operations.
    name: Option<String>,
    variables: async_graphql::Variables,
    /// The library's result for introspection fields.
    introspected: Value,
}

impl GraphQl {
    async fn answered(&self, contract: &Contract, body: &Bytes, calls: &Calls<'_>) -> Response<Bytes> {
        let parts = calls.parts();
        if parts.uri.path() == SDL_PATH {
            return self.sdl(&parts.method);
        }
        let Some(media) = Media::accepted(&parts.headers) else {
            let message = "An answer is `application/graphql-response+json` or `application/json`.";
            let mut refused = GraphQlResponse::from(Fault::request(Code::NotAcceptable, message));
            refused.status = 406;
            return refused.into_response(Media::Json);
        };
        match request::read(parts, body) {
            Err(fault) => GraphQlResponse::from(fault).into_response(media),
            Ok(RequestBody::One(request)) => {
                let mut measure = Measure::default();
                let prepared = self.prepare(*request, &parts.method, &mut measure).await;
                let run = Run::new(&self.types, contract, calls);
                execute(&run, prepared).await.into_response(media)
            }
            Ok(RequestBody::Many(requests)) => {
                let mut measure = Measure::default();
                let mut prepared = Vec::with_capacity(requests.len());
                for request in requests {
                    prepared.push(self.prepare(request, &parts.method, &mut measure).await);
                }
                many(&Run::new(&self.types, contract, calls), prepared, media).await
            }
        }
    }

    /// Serves the schema as text.
    fn sdl(&self, method: &Method) -> Response<Bytes> {
        if ![Method::GET, Method::HEAD].contains(method) {
            let message = "The schema is asked for by GET.";
            let mut refused =
                GraphQlResponse::from(Fault::request(Code::MethodNotSupported, message)).into_response(Media::Json);
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        if !self.settings.documents {
            return GraphQlResponse::from(Fault::request(Code::NotFound, "There is nothing here."))
                .into_response(Media::Json);
        }
        let sdl = self.sdl.get_or_init(|| engine::sdl(&self.types).ok().map(Bytes::from));
        let Some(sdl) = sdl.clone() else {
            let message = "Something went wrong on our side.";
            return GraphQlResponse::from(Fault::request(Code::InternalServerError, message))
                .into_response(Media::Json);
        };
        let mut response = Response::new(sdl);
        // No media type is registered; clients go by the file's name, and people want to read it in a browser.
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::TEXT_UTF8));
        response
    }

    /// Parses an operation, checks limits and validity, and answers its introspection fields.
    async fn prepare(
        &self,
        mut request: Request,
        method: &Method,
        measure: &mut Measure,
    ) -> Result<Prepared, Vec<Fault>> {
        let (query, hash) = self.persisted.query(&mut request).map_err(one)?;
        scan::scan(&query).map_err(one)?;
        let legible = literals::legible(&query).map_err(one)?;
        let document = parse_query(legible).map_err(|error| one(Fault::syntax(&error)))?;
        let name = request.operation_name.filter(|name| !name.is_empty());
        let (kind, variables, library_variables) = {
            let operation = operation(&document, name.as_deref()).map_err(one)?;
            let variables = variables::values(&self.types, operation, request.variables)?;
            let library_variables = input::without_absent(operation, &variables);
            (operation.ty, variables, library_variables)
        };
        measure.add(&self.types, &document, &variables).map_err(one)?;
        if kind == OperationType::Subscription {
            return Err(one(Fault::invalid("There are no subscriptions.")));
        }
        if kind == OperationType::Mutation && *method != Method::POST {
            return Err(one(Fault::request(Code::MethodNotSupported, "A mutation is asked by POST.")));
        }
        if !self.settings.documents && limits::asks_for_schema(&document) {
            return Err(one(Fault::invalid("Introspection is switched off.")));
        }
        merge::check(&self.types, &document).map_err(one)?;
        variables::check(&self.types, &document)?;
        // The library validates the rest, and answers introspection fields; it executes nothing else.
        let mut checked = async_graphql::Request::new("").variables(library_variables).only_introspection();
        checked.operation_name.clone_from(&name);
        checked.set_parsed_query(document.clone());
        let response = self.schema.execute(checked).await;
        if !response.errors.is_empty() {
            return Err(response.errors.into_iter().take(MAX_FAULTS).map(Fault::found).collect());
        }
        if let Some(hash) = hash {
            self.persisted.remember(hash, query);
        }
        Ok(Prepared { document, name, variables, introspected: response.data })
    }
}

fn one(fault: Fault) -> Vec<Fault> {
    vec![fault]
}

/// The requested operation (specification, `GetOperation`).
fn operation<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Result<&'d OperationDefinition, Fault> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next(),
        (DocumentOperations::Multiple(_), None) => {
            return Err(Fault::invalid("The document has several operations: say which by `operationName`."));
        }
        (DocumentOperations::Single(_), Some(_)) => None,
    };
    found.map(|operation| &operation.node).ok_or_else(|| Fault::invalid("The document has no operation of this name."))
}

async fn execute(run: &Run<'_>, prepared: Result<Prepared, Vec<Fault>>) -> GraphQlResponse {
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(faults) => return GraphQlResponse::refused(faults),
    };
    match operation(&prepared.document, prepared.name.as_deref()) {
        Ok(operation) => {
            let execution = Execution::new(run, &prepared.document, &prepared.variables);
            GraphQlResponse::from(execution.execute(operation, &prepared.introspected).await)
        }
        Err(fault) => GraphQlResponse::from(fault),
    }
}

/// Executes several operations: queries in parallel; with a mutation among them, one after the other.
async fn many(run: &Run<'_>, prepared: Vec<Result<Prepared, Vec<Fault>>>, media: Media) -> Response<Bytes> {
    let is_mutation = |prepared: &Prepared| {
        operation(&prepared.document, prepared.name.as_deref()).is_ok_and(|found| found.ty == OperationType::Mutation)
    };
    let answers = if prepared.iter().flatten().any(is_mutation) {
        let mut answers = Vec::with_capacity(prepared.len());
        for prepared in prepared {
            answers.push(execute(run, prepared).await);
        }
        answers
    } else {
        join_all(prepared.into_iter().map(|prepared| execute(run, prepared))).await
    };
    let bodies: Vec<&Body> = answers.iter().map(|answer| &answer.body).collect();
    response(200, media, &bodies)
}

/// The response to one operation.
struct GraphQlResponse {
    /// The status in `application/graphql-response+json`.
    status: u16,
    /// The status in `application/json`.
    plain_status: u16,
    body: Body,
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// The data; none if nothing was executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl GraphQlResponse {
    fn refused(errors: Vec<Fault>) -> Self {
        let status = errors.first().map_or(500, |fault| fault.extensions.http_status);
        let plain_status = errors.iter().map(|fault| fault.plain_status).max().unwrap_or(status);
        Self { status, plain_status, body: Body { errors, data: None } }
    }

    fn into_response(self, media: Media) -> Response<Bytes> {
        let status = if media == Media::Response { self.status } else { self.plain_status };
        // A client that accepts neither form gets JSON, which all can read.
        let status = if self.status == 406 { 406 } else { status };
        let mut response = response(status, media, &self.body);
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
        }
        response
    }
}

impl From<Fault> for GraphQlResponse {
    fn from(fault: Fault) -> Self {
        Self::refused(vec![fault])
    }
}

impl From<Executed> for GraphQlResponse {
    fn from(executed: Executed) -> Self {
        let body = Body { errors: executed.faults, data: Some(executed.data) };
        Self { status: 200, plain_status: 200, body }
    }
}

fn response(status: u16, media: Media, body: &impl Serialize) -> Response<Bytes> {
    let (status, body) = match serde_json::to_vec(body) {
        Ok(body) => (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), body),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, b"{\"errors\":[]}".to_vec()),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, media.content_type());
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}
