//! Errors in the form of GraphQL (specification, section 7.1.2).

use std::fmt;

use async_graphql::{PathSegment, Pos, ServerError, parser};
use protocol::{Code, FieldFault};
use serde::Serialize;
use serde_json::Value;

use crate::Refusal;

/// The maximum length of a message about a document, in characters: it may repeat parts of the document.
const MAX_MESSAGE_CHARS: usize = 500;

/// An error of a response.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fault {
    /// One sentence for a person.
    pub message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Pos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathSegment>,
    pub extensions: Box<Extensions>,
    /// The status of a response without data in `application/json`: a request that can be read has 200 there (GraphQL
    /// over HTTP, section 6.4.1).
    #[serde(skip)]
    pub plain_status: u16,
}

/// The members by which clients tell errors apart.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extensions {
    /// The code, as in all styles, or `PERSISTED_QUERY_NOT_FOUND`.
    pub code: &'static str,
    pub http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The faults of the input, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// The procedure that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// A typed failure that the schema does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Value>,
}

impl Fault {
    fn of(code: Code, message: impl Into<String>) -> Self {
        let extensions = Extensions {
            code: code.key(),
            http_status: code.http_status(),
            request_id: None,
            fields: Vec::new(),
            retry_after_s: None,
            procedure: None,
            failure: None,
        };
        let (extensions, plain_status) = (Box::new(extensions), code.http_status());
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), extensions, plain_status }
    }

    /// The error of a request that cannot be read, or is not allowed.
    pub(super) fn request(code: Code, message: impl Into<String>) -> Self {
        Self::of(code, message)
    }

    /// The error of a request that exceeds a limit.
    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::of(Code::BadRequest, message)
    }

    /// The error of a document or its variables that do not fit the schema.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        Self { plain_status: 200, ..Self::of(Code::BadRequest, message) }
    }

    /// The error of a value that does not fit its type; none if it fits.
    pub(super) fn misfit(what: &str, said: &impl fmt::Display, fields: Vec<FieldFault>) -> Option<Self> {
        let detail = match &fields[..] {
            [] => return None,
            [one] if one.path.is_empty() => format!("it {}", one.message),
            [one] => format!("`{}` {}", one.path, one.message),
            many => format!("{} values in it are wrong", many.len()),
        };
        let mut fault = Self::invalid(format!("{what} does not fit its type `{said}`: {detail}."));
        fault.extensions.fields = fields;
        Some(fault)
    }

    /// The error of an unknown hash: the client must send the query itself. Clients look for this message (Apollo's
    /// automatic persisted queries).
    pub(super) fn persisted_query_not_found() -> Self {
        let mut fault = Self::invalid("PersistedQueryNotFound");
        fault.extensions.code = "PERSISTED_QUERY_NOT_FOUND";
        fault
    }

    /// The error of a document that cannot be parsed. Of the parser's message, only the expected tokens are kept.
    pub(super) fn syntax(error: &parser::Error) -> Self {
        let message = match error {
            parser::Error::Syntax { message, .. } => match message.rsplit_once("\n  = ") {
                Some((_, expected)) => format!("The document is not GraphQL here: {}.", expected.trim()),
                None => "The document is not GraphQL here.".to_owned(),
            },
            parser::Error::MultipleOperations { .. } => {
                "An operation without a name has to be the only one of its document.".to_owned()
            }
            parser::Error::OperationDuplicated { operation, .. } => {
                format!("The operation `{operation}` stands twice in the document.")
            }
            parser::Error::FragmentDuplicated { fragment, .. } => {
                format!("The fragment `{fragment}` stands twice in the document.")
            }
            parser::Error::MissingOperation => "The document has no operation.".to_owned(),
            _ => "The document cannot be read.".to_owned(),
        };
        Self { locations: error.positions().collect(), ..Self::invalid(message) }
    }

    /// An error that the library found in a document.
    pub(super) fn found(error: ServerError) -> Self {
        Self { locations: error.locations, ..Self::invalid(error.message) }
    }

    /// The error of a call that failed without a failure of the procedure's own.
    pub(super) fn refused(refusal: &Refusal, procedure: &str, pos: Pos, path: Vec<PathSegment>) -> Self {
        let mut fault = Self::of(refusal.code, &refusal.message);
        fault.locations = vec![pos];
        fault.path = path;
        fault.extensions.request_id.clone_from(&refusal.request_id);
        fault.extensions.fields.clone_from(&refusal.fields);
        fault.extensions.retry_after_s = refusal.retry_after_s;
        fault.extensions.procedure = Some(procedure.to_owned());
        fault.extensions.failure.clone_from(&refusal.failure);
        fault
    }

    /// An internal error: a value that the types do not allow.
    pub(super) fn internal(pos: Pos, path: Vec<PathSegment>) -> Self {
        let fault = Self::of(Code::InternalServerError, "Something went wrong on our side.");
        Self { locations: vec![pos], path, ..fault }
    }

    /// Adds a location in the document.
    pub(super) fn at(self, pos: Pos) -> Self {
        Self { locations: vec![pos], ..self }
    }
}
