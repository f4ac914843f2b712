//! A stand-in for Amazon SES, as far as `SendEmail` goes (Amazon SES API Reference, version 2010-12-01): a form in, XML
//! out.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, PoisonError, RwLock},
};

use aws::Letter;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use protocol::media_type;

use super::Mailbox;
use crate::loopback::{Handler, Server, access_key_id};

/// The longest body, in bytes: above any mail that the capability sends, with each byte encoded as three.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// A running server. Dropping it stops it in the background; [`LocalSes::stop`] waits.
#[derive(Debug)]
pub struct LocalSes {
    endpoint: String,
    counter: Arc<Counter>,
    server: Server,
}

impl LocalSes {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(mailbox: Mailbox) -> io::Result<Self> {
        let counter = Arc::new(Counter { mailbox, senders: RwLock::default() });
        let server = Server::start(Arc::clone(&counter)).await?;
        Ok(Self { endpoint: format!("http://{}", server.address()), counter, server })
    }

    /// `http://127.0.0.1:PORT`, the endpoint for every client.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The mailbox of all mails.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.counter.mailbox
    }

    /// Permits this access key id to send from now on.
    pub fn admit(&self, access_key_id: impl Into<String>) {
        self.counter.senders.write().unwrap_or_else(PoisonError::into_inner).insert(access_key_id.into());
    }

    /// Stops after the requests in flight.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

#[derive(Debug)]
struct Counter {
    mailbox: Mailbox,
    senders: RwLock<HashSet<String>>,
}

impl Handler for Arc<Counter> {
    const NAME: &'static str = "the post office";

    async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sender = authorization.and_then(access_key_id).unwrap_or_default();
        let may = self.senders.read().unwrap_or_else(PoisonError::into_inner).contains(sender);
        if !may {
            tracing::error!("somebody sends mail who does not name it: a parameter `Mail` would grant it");
            return refuse(StatusCode::FORBIDDEN, "AccessDenied", "not authorized to perform: ses:SendEmail");
        }
        let Ok(body) = Limited::new(request.into_body(), BODY_LIMIT_BYTES).collect().await else {
            return refuse(StatusCode::BAD_REQUEST, "InvalidParameterValue", "the request is too large or was cut off");
        };
        let Some((from, letter)) = read(&body.to_bytes()) else {
            return refuse(StatusCode::BAD_REQUEST, "InvalidParameterValue", "this is no plain mail to one person");
        };
        match self.mailbox.put(&from, letter) {
            Ok(mail) => {
                let id = format!("<MessageId>{}</MessageId>", mail.id);
                xml(StatusCode::OK, "SendEmailResponse", &format!("<SendEmailResult>{id}</SendEmailResult>"))
            }
            Err(error) => {
                tracing::error!(%error, "a mail could not be put into the mailbox");
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "the mailbox cannot be written")
            }
        }
    }
}

/// The sender and the mail; none if the request is another one, or has an unsupported parameter.
fn read(form: &[u8]) -> Option<(String, Letter)> {
    let mut fields: HashMap<String, String> = serde_urlencoded::from_bytes(form).ok()?;
    let mut take = |name: &str| fields.remove(name);
    let is_send = take("Action")? == "SendEmail" && take("Version")? == "2010-12-01";
    let (from, to) = (take("Source")?, take("Destination.ToAddresses.member.1")?);
    let (subject, text) = (take("Message.Subject.Data")?, take("Message.Body.Text.Data")?);
    for charset in ["Message.Subject.Charset", "Message.Body.Text.Charset"] {
        take(charset).filter(|charset| charset == "UTF-8")?;
    }
    // SES refuses control characters as well; and a header is one line.
    let is_header = |text: &str| !text.contains(|c: char| c.is_control());
    let is_good = is_send && to.is_ascii() && [&from, &to, &subject].into_iter().all(|text| is_header(text));
    (is_good && fields.is_empty()).then_some((from, Letter { to, subject, text }))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    xml(status, "ErrorResponse", &error)
}

fn xml(status: StatusCode, root: &str, content: &str) -> Response<Full<Bytes>> {
    let text = format!("<{root} xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\">{content}</{root}>");
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type::XML));
    response
}
