//! The differences between the two versions of SOAP.

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use protocol::{Code, media_type};

use crate::Refusal;

/// A version of SOAP, which the media type of a request selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// SOAP 1.1, W3C Note of 8 May 2000.
    V11,
    /// SOAP 1.2, W3C Recommendation of 27 April 2007.
    V12,
}

impl Version {
    /// The namespace of envelopes.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// The media type of responses.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::V11 => media_type::XML_UTF8,
            Self::V12 => media_type::SOAP_UTF8,
        })
    }

    /// The attribute of a header block that names its recipient.
    pub fn role_attribute(self) -> &'static str {
        match self {
            Self::V11 => "actor",
            Self::V12 => "role",
        }
    }

    /// Whether a header block with this role is for this service, which is the next and the ultimate receiver.
    pub fn plays(self, role: Option<&str>) -> bool {
        match (self, role) {
            (_, None | Some("")) => true,
            // SOAP 1.1, section 4.2.2.
            (Self::V11, Some(role)) => role == "http://schemas.xmlsoap.org/soap/actor/next",
            // SOAP 1.2 part 1, section 2.2.
            (Self::V12, Some(role)) => matches!(
                role.strip_prefix("http://www.w3.org/2003/05/soap-envelope/role/"),
                Some("next" | "ultimateReceiver")
            ),
        }
    }

    /// The HTTP status of a fault.
    pub fn fault_status(self, is_ours: bool) -> StatusCode {
        match (self, is_ours) {
            // SOAP 1.2 part 2, section 7.5.2.2, table 20: Sender is 400, every other code 500.
            (Self::V12, false) => StatusCode::BAD_REQUEST,
            // SOAP 1.1, section 6.2: every fault has 500.
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The version for the refusal of a request that may be malformed: that of its media type; without one, that of
/// `Accept`.
pub fn for_refusal(headers: &HeaderMap) -> Version {
    let speaks_12 = |name| {
        let mut lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        // In a multipart message (MTOM), a parameter states it.
        lines.any(|line| line.to_ascii_lowercase().contains(media_type::SOAP))
    };
    let is_typed = headers.contains_key(header::CONTENT_TYPE);
    if speaks_12(if is_typed { header::CONTENT_TYPE } else { header::ACCEPT }) { Version::V12 } else { Version::V11 }
}

/// The version of a request, and the action that it names.
///
/// # Errors
/// When the body is of another type, or in another encoding than UTF-8.
pub fn of(headers: &HeaderMap) -> Result<(Version, Option<String>), Refusal> {
    let unsupported = |message: &str| Refusal::new(Code::UnsupportedMediaType, message);
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let parameter = |name: &str| {
        let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    if parameter("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return Err(unsupported("Messages are read in UTF-8 only."));
    }
    let mut names = HashSet::new();
    let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    if pairs.into_iter().any(|(name, _)| !names.insert(name.trim().to_ascii_lowercase())) {
        return Err(unsupported("The content type has a parameter more than once."));
    }
    if headers.get_all("soapaction").iter().nth(1).is_some() {
        return Err(Refusal::new(Code::BadRequest, "The header SOAPAction is given more than once."));
    }
    let kind = kind.trim().to_ascii_lowercase();
    match kind.as_str() {
        media_type::XML => {
            let action = headers.get("soapaction").and_then(|value| value.to_str().ok());
            Ok((Version::V11, action.map(|action| action.trim().trim_matches('"').to_owned())))
        }
        media_type::SOAP => Ok((Version::V12, parameter("action"))),
        multipart if multipart.starts_with("multipart/") => {
            Err(unsupported("Messages in parts (MTOM, attachments) are not read: send the envelope by itself."))
        }
        _ => Err(unsupported("A message is text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2).")),
    }
}
