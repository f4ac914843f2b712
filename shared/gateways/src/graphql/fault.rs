//! What goes wrong, in the form that GraphQL gives errors (specification, section 7.1.2).

use std::fmt;

use async_graphql::{PathSegment, Pos, ServerError, parser};
use protocol::{Code, FieldFault};
use serde::Serialize;
use serde_json::Value;

use crate::Refusal;

/// How many characters a sentence about a document has: it may repeat what the document says.
const MAX_MESSAGE_CHARS: usize = 500;

/// An error of an answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fault {
    /// One sentence for a person.
    pub message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Pos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathSegment>,
    pub extensions: Box<Extensions>,
    /// The status of an answer that has no data, by `application/json`: a request that can be read is answered with
    /// 200 there (GraphQL over HTTP, section 6.4.1).
    #[serde(skip)]
    pub plain_status: u16,
}

/// What clients can tell errors by.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extensions {
    /// As in all styles, and `PERSISTED_QUERY_NOT_FOUND`.
    pub code: &'static str,
    pub http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What is wrong with the input, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// Which procedure said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// A typed failure that the schema does not know.
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

    /// A request that cannot be read, or may not be made.
    pub(super) fn request(code: Code, message: impl Into<String>) -> Self {
        Self::of(code, message)
    }

    /// More than is allowed.
    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::of(Code::BadRequest, message)
    }

    /// A document that does not fit the schema, or its variables.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        Self { plain_status: 200, ..Self::of(Code::BadRequest, message) }
    }

    /// A value that does not fit its type; none where it does.
    pub(super) fn misfit(what: &str, said: &impl fmt::Display, fields: Vec<FieldFault>) -> Option<Self> {
        let told = match &fields[..] {
            [] => return None,
            [one] if one.path.is_empty() => format!("it {}", one.message),
            [one] => format!("`{}` {}", one.path, one.message),
            many => format!("{} values in it are wrong", many.len()),
        };
        let mut fault = Self::invalid(format!("{what} does not fit its type `{said}`: {told}."));
        fault.extensions.fields = fields;
        Some(fault)
    }

    /// The query that a hash stands for is not known here: the client is to send it whole. The words are what clients
    /// look for (Apollo's automatic persisted queries).
    pub(super) fn persisted_query_not_found() -> Self {
        let mut fault = Self::invalid("PersistedQueryNotFound");
        fault.extensions.code = "PERSISTED_QUERY_NOT_FOUND";
        fault
    }

    /// A document that cannot be parsed. What the parser drew of it is left out but for what it expected.
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

    /// What the library found in a document.
    pub(super) fn found(error: ServerError) -> Self {
        Self { locations: error.locations, ..Self::invalid(error.message) }
    }

    /// What a procedure said that is no failure of its own.
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

    /// What the types do not allow for.
    pub(super) fn internal(pos: Pos, path: Vec<PathSegment>) -> Self {
        let fault = Self::of(Code::InternalServerError, "Something went wrong on our side.");
        Self { locations: vec![pos], path, ..fault }
    }

    /// At a place of the document.
    pub(super) fn at(self, pos: Pos) -> Self {
        Self { locations: vec![pos], ..self }
    }
}
