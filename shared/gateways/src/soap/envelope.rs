//! Reads a message's envelope: its version, its header blocks, and the one element in its body.

use protocol::{Code, Timestamp};

use super::{
    fault::{FaultName, SoapFault},
    security::{self, UsernameToken},
    version::Version,
    xml::{self, Element, is_space},
};
use crate::respond::{is_short, shortened};

/// The maximum number of unknown header blocks that a fault names.
const MAX_NAMED: usize = 10;

/// A message, before its operation is read.
#[derive(Debug)]
pub struct Message {
    /// The element in the body.
    pub content: Element,
    /// The caller's credentials, if the message has any.
    pub token: Option<UsernameToken>,
}

/// Reads a message.
///
/// # Errors
/// When it is not XML, not an envelope, or requires an unknown header block.
pub fn read(version: Version, body: &[u8], now: Timestamp) -> Result<Message, SoapFault> {
    let malformed = |xml::Malformed(why)| SoapFault::new(FaultName::ByCode, Code::ParseError, why);
    let envelope = xml::decode(body).and_then(xml::parse).map_err(malformed)?;
    if envelope.name != "Envelope" {
        return Err(SoapFault::bad("The message is no SOAP envelope."));
    }
    if *envelope.namespace != *version.namespace() {
        let message = "The envelope is not of the version of SOAP that the content type says: text/xml is SOAP 1.1, \
                       application/soap+xml is SOAP 1.2.";
        return Err(SoapFault::new(FaultName::VersionMismatch, Code::BadRequest, message));
    }
    let mut parts = envelope.children;
    let body = parts.pop().filter(|body| body.is(version.namespace(), "Body"));
    let (Some(mut body), false) = (body, envelope.text.contains(|letter| !is_space(letter))) else {
        return Err(SoapFault::bad("An envelope holds a Header, which may be left out, and a Body."));
    };
    let token = match &parts[..] {
        [] => None,
        [header] if header.is(version.namespace(), "Header") => header_blocks(version, header, now)?,
        _ => return Err(SoapFault::bad("An envelope holds a Header, which may be left out, and a Body.")),
    };
    match (body.children.pop(), body.children.is_empty() && !body.has_text()) {
        (Some(content), true) => Ok(Message { content, token }),
        _ => Err(SoapFault::bad("The Body holds one element: the operation's.")),
    }
}

/// Reads the blocks for this service. Of these, only WS-Security is known.
fn header_blocks(version: Version, header: &Element, now: Timestamp) -> Result<Option<UsernameToken>, SoapFault> {
    let (mut unknown, mut first) = (Vec::new(), None);
    let mut token = None;
    let mut secured = false;
    for block in &header.children {
        if !version.plays(block.attribute(version.namespace(), version.role_attribute())) {
            continue;
        }
        let must_be_understood = must_understand(version, block)?;
        if block.is(security::SECEXT, "Security") {
            if secured {
                return Err(SoapFault::new(
                    FaultName::Security("InvalidSecurity"),
                    Code::BadRequest,
                    "There is more than one Security header.",
                ));
            }
            secured = true;
            token = security::read(block, now)?;
        } else if must_be_understood {
            first.get_or_insert(&block.name);
            // The fault names them as qualified names: a shortened name would be another one.
            if unknown.len() < MAX_NAMED && is_short(&block.name) {
                unknown.push((block.namespace.to_string(), block.name.clone()));
            }
        }
    }
    match first {
        None => Ok(token),
        Some(name) => {
            let message = format!("The header block {:?} must be understood, and is not.", shortened(name));
            Err(SoapFault::new(FaultName::MustUnderstand(unknown), Code::BadRequest, message))
        }
    }
}

fn must_understand(version: Version, block: &Element) -> Result<bool, SoapFault> {
    match block.attribute(version.namespace(), "mustUnderstand").map(|value| value.trim_matches(is_space)) {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(_) => Err(SoapFault::bad("`mustUnderstand` is 1 or 0.")),
    }
}
