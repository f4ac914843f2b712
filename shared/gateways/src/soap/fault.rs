//! SOAP faults, in both versions.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use protocol::{Code, Fault, FieldFault};

use crate::Refusal;

use super::{
    encode,
    security::{SECEXT, UTILITY},
    types::{FAULT, Operation, Service},
    version::Version,
    write::Document,
};

/// Why there is no response.
#[derive(Debug)]
pub struct SoapFault {
    /// The name of the fault.
    pub kind: FaultName,
    /// The refusal in the terms of all styles.
    pub refusal: Box<Refusal>,
}

/// The name of a fault.
#[derive(Debug, PartialEq, Eq)]
pub enum FaultName {
    /// By the code: the fault is the caller's, or the service's.
    ByCode,
    /// The envelope has another version than the request's media type.
    VersionMismatch,
    /// Header blocks with `mustUnderstand` are unknown: the namespaces and names of the first ones.
    MustUnderstand(Vec<(String, String)>),
    /// A fault of WS-Security (SOAP Message Security 1.1.1, section 12), by its name.
    Security(&'static str),
    /// The message is too old, for which WS-Security's utility schema has the name.
    Expired,
}

impl From<Refusal> for SoapFault {
    fn from(refusal: Refusal) -> Self {
        Self { kind: FaultName::ByCode, refusal: refusal.into() }
    }
}

impl From<Vec<FieldFault>> for SoapFault {
    fn from(faults: Vec<FieldFault>) -> Self {
        let Fault { code, message, fields, .. } = Fault::invalid(faults);
        Refusal { fields, ..Refusal::new(code, message) }.into()
    }
}

impl SoapFault {
    /// Creates a fault with a name of its own.
    pub fn new(kind: FaultName, code: Code, message: impl Into<String>) -> Self {
        Self { kind, refusal: Refusal::new(code, message).into() }
    }

    /// Creates the fault of a malformed message.
    pub fn bad(message: impl Into<String>) -> Self {
        Refusal::new(Code::BadRequest, message).into()
    }

    fn is_ours(&self) -> bool {
        match self.kind {
            FaultName::VersionMismatch | FaultName::MustUnderstand(_) => true,
            _ => self.refusal.code.http_status() >= 500,
        }
    }

    /// The response with the fault.
    pub fn response(
        &self,
        version: Version,
        service: &Service,
        operation: Option<&Operation>,
        request_id: &str,
    ) -> Response<Bytes> {
        let document = match version {
            Version::V11 => self.v11(service, operation, request_id),
            Version::V12 => self.v12(service, operation, request_id),
        };
        let mut response = Response::new(document.finish().into());
        // HTTP's own statuses take precedence over those of SOAP.
        *response.status_mut() = match self.refusal.code {
            Code::MethodNotSupported => StatusCode::METHOD_NOT_ALLOWED,
            Code::NotImplemented if operation.is_none() => StatusCode::NOT_IMPLEMENTED,
            Code::UnsupportedMediaType if operation.is_none() => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::PayloadTooLarge if operation.is_none() => StatusCode::PAYLOAD_TOO_LARGE,
            _ => version.fault_status(self.is_ours()),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, version.content_type());
        if let Some(seconds) = self.refusal.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn v11(&self, service: &Service, operation: Option<&Operation>, request_id: &str) -> Document {
        let mut document = Document::new();
        let code = match &self.kind {
            FaultName::VersionMismatch => "soap:VersionMismatch".to_owned(),
            FaultName::MustUnderstand(_) => "soap:MustUnderstand".to_owned(),
            // SOAP Message Security 1.1.1, section 12: these take the place of Client.
            FaultName::Security(name) => format!("wsse:{name}"),
            FaultName::Expired => "wsu:MessageExpired".to_owned(),
            FaultName::ByCode if self.is_ours() => "soap:Server".to_owned(),
            FaultName::ByCode => "soap:Client".to_owned(),
        };
        document.within("soap:Envelope", &[("xmlns:soap", Version::V11.namespace())], |document| {
            document.within("soap:Body", &[], |document| {
                document.within("soap:Fault", &[], |document| {
                    document.leaf("faultcode", &self.vocabulary(), &code);
                    document.leaf("faultstring", &[], &self.refusal.message);
                    document.within("detail", &[], |document| self.detail(document, service, operation, request_id));
                });
            });
        });
        document
    }

    fn v12(&self, service: &Service, operation: Option<&Operation>, request_id: &str) -> Document {
        let mut document = Document::new();
        let code = match &self.kind {
            FaultName::VersionMismatch => "soap:VersionMismatch",
            FaultName::MustUnderstand(_) => "soap:MustUnderstand",
            _ if self.is_ours() => "soap:Receiver",
            _ => "soap:Sender",
        };
        let attributes = [("xmlns:soap", Version::V12.namespace()), ("xmlns:tns", &*service.namespace)];
        document.within("soap:Envelope", &attributes, |document| {
            self.header(document);
            document.within("soap:Body", &[], |document| {
                document.within("soap:Fault", &[], |document| {
                    document.within("soap:Code", &[], |document| {
                        document.leaf("soap:Value", &[], code);
                        document.within("soap:Subcode", &[], |document| {
                            document.leaf("soap:Value", &self.vocabulary(), &self.subcode());
                        });
                    });
                    document.within("soap:Reason", &[], |document| {
                        document.leaf("soap:Text", &[("xml:lang", "en")], &self.refusal.message);
                    });
                    document
                        .within("soap:Detail", &[], |document| self.detail(document, service, operation, request_id));
                });
            });
        });
        document
    }

    /// The namespaces of a WS-Security fault's name.
    fn vocabulary(&self) -> Vec<(&'static str, &'static str)> {
        match self.kind {
            FaultName::Security(_) => vec![("xmlns:wsse", SECEXT)],
            FaultName::Expired => vec![("xmlns:wsu", UTILITY)],
            _ => vec![],
        }
    }

    fn subcode(&self) -> String {
        match self.kind {
            FaultName::Security(name) => format!("wsse:{name}"),
            FaultName::Expired => "wsu:MessageExpired".to_owned(),
            _ => format!("tns:{}", self.refusal.code.key()),
        }
    }

    /// The header blocks of SOAP 1.2 for faults (part 1, sections 5.4.7 and 5.4.8).
    fn header(&self, document: &mut Document) {
        match &self.kind {
            FaultName::VersionMismatch => document.within("soap:Header", &[], |document| {
                document.within("soap:Upgrade", &[], |document| {
                    for version in [Version::V12, Version::V11] {
                        let attributes = [("qname", "known:Envelope"), ("xmlns:known", version.namespace())];
                        document.empty("soap:SupportedEnvelope", &attributes);
                    }
                });
            }),
            FaultName::MustUnderstand(blocks) => document.within("soap:Header", &[], |document| {
                for (namespace, name) in blocks {
                    let name = format!("unknown:{name}");
                    let attributes = [("qname", name.as_str()), ("xmlns:unknown", namespace.as_str())];
                    document.empty("soap:NotUnderstood", &attributes);
                }
            }),
            _ => {}
        }
    }

    /// The operation's own failure, if it is one, and the common detail.
    fn detail(&self, document: &mut Document, service: &Service, operation: Option<&Operation>, request_id: &str) {
        let Refusal { code, failure, fields, retry_after_s, .. } = &*self.refusal;
        if let (Some(payload), Some(operation)) = (failure, operation) {
            let kind = payload.get("type").and_then(serde_json::Value::as_str);
            let known = operation.failures.iter().find(|known| Some(known.kind.as_str()) == kind);
            if let Some(known) = known {
                encode::failure(document, service, known, payload);
            }
        }
        document.within(FAULT, &[("xmlns", &*service.namespace)], |document| {
            document.leaf("code", &[], code.key());
            document.leaf("requestId", &[], self.refusal.request_id.as_deref().unwrap_or(request_id));
            if !fields.is_empty() {
                document.within("fields", &[], |document| {
                    for FieldFault { path, message } in fields {
                        document.within("item", &[], |document| {
                            document.leaf("path", &[], path);
                            document.leaf("message", &[], message);
                        });
                    }
                });
            }
            if let Some(seconds) = retry_after_s {
                document.leaf("retryAfterS", &[], &seconds.to_string());
            }
        });
    }
}
