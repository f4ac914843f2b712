//! SOAP 1.1 and 1.2 at `/soap`, with the WSDL at `/soap?wsdl`: document/literal wrapped, an operation for each
//! procedure. The types are those of the contract, as XML Schema.
//!
//! - [`types`] and `schemas`: the contract's types as XML Schema. `pattern`: regular expressions.
//! - `xml` and `write`: XML, with limits. `strict`: what the XML parser fails to refuse. `decode` and `encode`:
//!   between XML and JSON. `lexical`: values of simple types.
//! - `version` and `envelope`: SOAP's envelopes. `fault`: SOAP faults.
//! - `security`: WS-Security.
//! - `wsdl` and `schema`: the service's description.

mod decode;
mod encode;
mod envelope;
mod fault;
mod lexical;
mod pattern;
mod schema;
mod schemas;
mod security;
mod strict;
pub mod types;
mod version;
mod write;
mod wsdl;
mod xml;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use protocol::{
    Cause, Clock, Code,
    contract::{Contract, ProcedureContract},
    input::MAX_FAULTS,
    media_type,
};
use runtime::{BoxFuture, rest::without_body};
use serde_json::Value;

use crate::{Calls, GatewaySpec, Refusal, Settings, Style, respond::shortened};

use fault::SoapFault;
use types::{Operation, Service};
use version::Version;
use write::Document;

/// Its path.
pub const PATH: &str = "/soap";

/// The style of SOAP.
pub struct Soap {
    service: Service,
    /// The WSDL, rendered at the first request; it stays the same as long as the service's address does.
    wsdl: OnceLock<Option<Bytes>>,
    clock: Clock,
    settings: Settings,
}

/// The WSDL 1.1 document of a service at `url`.
///
/// # Errors
/// When SOAP cannot express the contract.
pub fn wsdl(contract: &Contract, url: &str) -> Result<String, Cause> {
    wsdl::render(&Service::of(contract)?, &format!("{}{PATH}", url.trim_end_matches('/')))
}

/// A SOAP 1.1 message that calls a procedure, for samples.
///
/// # Errors
/// When SOAP cannot express the procedure's types.
pub fn request(contract: &Contract, procedure: &ProcedureContract, input: &Value) -> Result<String, Cause> {
    let service = Service::of_one(contract, procedure)?;
    let mut document = Document::new();
    document.within("Envelope", &[("xmlns", Version::V11.namespace())], |document| {
        document.within("Body", &[], |document| {
            for operation in &service.operations {
                encode::request(document, &service, operation, input);
            }
        });
    });
    let text = String::from_utf8(document.finish())?;
    Ok(text.split_once("?>").map_or_else(|| text.clone(), |(_, message)| message.to_owned()))
}

impl Soap {
    /// The style's specification.
    pub const SPEC: GatewaySpec = GatewaySpec {
        name: "soap",
        paths: &[PATH],
        methods: "GET, HEAD, POST",
        takes: media_type::XML_OR_SOAP,
        calls: true,
        memory_mb: 256,
        timeout_ms: 29_000,
    };

    /// Creates the style for a service.
    ///
    /// # Errors
    /// When SOAP cannot express its contract.
    pub fn new(contract: &Contract) -> Result<Self, Cause> {
        Self::with(contract, Settings::default())
    }

    /// Creates the style for a stage of a service.
    ///
    /// # Errors
    /// As [`Soap::new`].
    pub fn with(contract: &Contract, settings: Settings) -> Result<Self, Cause> {
        Ok(Self { service: Service::of(contract)?, wsdl: OnceLock::new(), clock: Clock::System, settings })
    }

    /// Serves the WSDL at `GET /soap?wsdl`; without the query, its address.
    fn describe(&self, calls: &Calls<'_>) -> Response<Bytes> {
        let address = format!("{}{PATH}", calls.site().url());
        let asks = calls.parts().uri.query().unwrap_or_default();
        let is_wsdl =
            asks.split('&').any(|part| part.split('=').next().unwrap_or_default().eq_ignore_ascii_case("wsdl"));
        let make = || wsdl::render(&self.service, &address).ok().map(Bytes::from);
        let (kind, body) = match is_wsdl.then(|| self.wsdl.get_or_init(make).clone()).flatten() {
            Some(wsdl) => (media_type::XML_UTF8, wsdl),
            None => {
                let text = format!("SOAP 1.1 and 1.2 by POST. The WSDL: {address}?wsdl\n");
                (media_type::TEXT_UTF8, text.into())
            }
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if calls.parts().method == Method::HEAD {
            without_body(&mut response);
        }
        response
    }

    async fn post(&self, contract: &Contract, body: &Bytes, calls: &Calls<'_>) -> Response<Bytes> {
        let (version, action) = match version::of(&calls.parts().headers) {
            Ok(spoken) => spoken,
            Err(refusal) => return self.refuse(calls, refusal),
        };
        let message = match envelope::read(version, body, self.clock.now()) {
            Ok(message) => message,
            Err(soap_fault) => return self.fault(version, None, soap_fault, calls),
        };
        let operation = match self.operation(&message, action.as_deref()) {
            Ok(operation) => operation,
            Err(soap_fault) => return self.fault(version, None, soap_fault, calls),
        };
        match self.run(contract, operation, &message, calls).await {
            Ok(output) => self.respond(version, operation, &output),
            Err(soap_fault) => self.fault(version, Some(operation), soap_fault, calls),
        }
    }

    /// The operation of a message. The body's element decides (WS-I Basic Profile 1.1, R2710); an action that names
    /// another operation is an error.
    fn operation(&self, message: &envelope::Message, action: Option<&str>) -> Result<&Operation, SoapFault> {
        let element = &message.content;
        let (right, name) = (&*self.service.namespace, shortened(&element.name));
        let Some(operation) = self.service.operation(&element.name) else {
            return Err(Refusal::new(Code::NotFound, format!("There is no operation {name:?}.")).into());
        };
        if *element.namespace != *right {
            let found = match &*element.namespace {
                "" => "in no namespace".to_owned(),
                other => format!("in the namespace {:?}", shortened(other)),
            };
            let message = format!("The element {name:?} is {found}; the operation is in {right}.");
            return Err(Refusal::new(Code::NotFound, message).into());
        }
        match action {
            None | Some("") => Ok(operation),
            Some(action) if self.service.is_action(action, operation) => Ok(operation),
            Some(_) => Err(SoapFault::bad(format!(
                "The action is not that of the body, {}: leave it out, or let it be {}.",
                operation.name,
                self.service.action(operation)
            ))),
        }
    }

    async fn run(
        &self,
        contract: &Contract,
        operation: &Operation,
        message: &envelope::Message,
        calls: &Calls<'_>,
    ) -> Result<Value, SoapFault> {
        let Some(procedure) = contract.find_in_styles(&operation.procedure) else {
            return Err(Refusal::new(Code::NotFound, "There is no such operation any more.").into());
        };
        let mut decoded = decode::input(&self.service, operation, &message.content);
        if decoded.faults.len() >= MAX_FAULTS {
            return Err(decoded.with(Vec::new()).into());
        }
        let value = decoded.input.take();
        let input = value.as_ref().map(Value::to_string);
        let input = input.as_deref().map(str::as_bytes);
        let outcome = match &message.token {
            Some(token) => security::run_signed_in(contract, calls, token, procedure, input).await?,
            None => calls.run(procedure, input).await,
        };
        let unreadable = |_| Refusal::new(Code::BadGateway, "The procedure gave no answer that can be read.");
        let spell = |path: &str| decode::spelled(&self.service, operation, value.as_ref(), path);
        let outcome = outcome.map_err(|refusal| refusal.spelled(spell));
        if !decoded.faults.is_empty() {
            // A caller without permission learns only that. No procedure accepts the replaced values.
            let (fields, request_id) = match outcome {
                Err(refusal) if refusal.code != Code::BadRequest => return Err(refusal.into()),
                Err(refusal) => (refusal.fields, refusal.request_id),
                Ok(_) => (Vec::new(), None),
            };
            let mut soap_fault = SoapFault::from(decoded.with(fields));
            soap_fault.refusal.request_id = request_id;
            return Err(soap_fault);
        }
        match outcome? {
            None => Ok(Value::Null),
            Some(output) => serde_json::from_str(output.get()).map_err(unreadable).map_err(SoapFault::from),
        }
    }

    fn respond(&self, version: Version, operation: &Operation, output: &Value) -> Response<Bytes> {
        let mut document = Document::new();
        document.within("soap:Envelope", &[("xmlns:soap", version.namespace())], |document| {
            document.within("soap:Body", &[], |document| encode::response(document, &self.service, operation, output));
        });
        let mut response = Response::new(Bytes::from(document.finish()));
        response.headers_mut().insert(header::CONTENT_TYPE, version.content_type());
        response
    }

    fn fault(
        &self,
        version: Version,
        operation: Option<&Operation>,
        soap_fault: SoapFault,
        calls: &Calls<'_>,
    ) -> Response<Bytes> {
        soap_fault.response(version, &self.service, operation, calls.request_id())
    }
}

impl Style for Soap {
    fn spec(&self) -> &'static GatewaySpec {
        &Self::SPEC
    }

    fn refuse(&self, calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes> {
        self.fault(version::for_refusal(&calls.parts().headers), None, refusal.into(), calls)
    }

    fn answer<'a>(&'a self, contract: &'a Contract, body: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            match calls.parts().method {
                Method::GET | Method::HEAD if self.settings.documents => self.describe(&calls),
                Method::GET | Method::HEAD => {
                    let message = "SOAP 1.1 and 1.2 by POST; there is nothing else here.";
                    let mut response = self.refuse(&calls, Refusal::new(Code::NotFound, message));
                    if calls.parts().method == Method::HEAD {
                        without_body(&mut response);
                    }
                    response
                }
                Method::POST => self.post(contract, &body, &calls).await,
                ref method => {
                    let message = format!("{method} is not answered here; use {}.", Self::SPEC.methods);
                    let refusal = Refusal::new(Code::MethodNotSupported, message);
                    let mut response = self.refuse(&calls, refusal);
                    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(Self::SPEC.methods));
                    response
                }
            }
        })
    }
}
