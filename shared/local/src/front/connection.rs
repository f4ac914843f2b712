//! Refusals below the level of requests.
//!
//! hyper answers most of them by itself: 400 for what is no message (RFC 9112 section 3), 414 for a target that it does
//! not read (RFC 9110 section 15.5.15), 431 for header fields that are too large (RFC 6585 section 5). But it does not
//! answer a target that exceeds its buffer, and calls other HTTP versions malformed: this module checks the beginning
//! of each message first. And hyper closes at once, so that a client that still sends would see a broken connection
//! instead of its response.
//!
//! hyper waits without a limit for a client that does not read its response: this module gives it up.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

/// The longest line of a request, in bytes, before the connection is given up: less than the buffer, more than is
/// accepted.
pub(super) const MAX_LINE_BYTES: usize = 96 * 1024;
/// How much of the end of a request's first line is kept, in bytes: more than its version takes.
const TAIL_BYTES: usize = 16;
/// How long a client may read nothing of its response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How much is read and dropped after the last response, in bytes, and for how long.
const DRAIN_BYTES: u64 = 128 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// The state of a connection's messages, as the service reports it.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageState(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// The number of requests and responses: odd while a request is being answered.
    ends: AtomicUsize,
    /// Whether one of the requests had a body. Data that was read ahead of its end says nothing about the next message.
    bodies: AtomicBool,
}

impl MessageState {
    /// A request has arrived.
    pub(super) fn begin(&self, has_body: bool) {
        self.0.bodies.fetch_or(has_body, Ordering::AcqRel);
        self.0.ends.fetch_add(1, Ordering::AcqRel);
    }

    /// Its response is complete.
    pub(super) fn end(&self) {
        self.0.ends.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether the next bytes belong to a new message.
    fn is_between(&self) -> bool {
        self.0.ends.load(Ordering::Acquire).is_multiple_of(2)
    }

    fn take_bodies(&self) -> bool {
        self.0.bodies.swap(false, Ordering::AcqRel)
    }
}

/// A status that hyper does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusedStatus {
    TooLong,
    Version,
}

impl RefusedStatus {
    fn status(self) -> &'static str {
        match self {
            Self::TooLong => "414 URI Too Long",
            Self::Version => "505 HTTP Version Not Supported",
        }
    }
}

/// The first line of a message, as far as it is there.
#[derive(Debug, Default)]
struct FirstLine {
    bytes: usize,
    tail: Vec<u8>,
    is_over: bool,
    is_of_another_version: bool,
    /// The length of the current header line, after the first line.
    header_bytes: usize,
}

impl FirstLine {
    /// Reads more input and returns what is wrong with the line. The end of a header is followed by another line or a
    /// body: that is decided when more comes.
    fn read(&mut self, more: &[u8]) -> Option<RefusedStatus> {
        let (mut is_line, mut refused) = (true, None);
        for part in more.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            if !self.is_over {
                self.bytes += text.len();
                self.tail.extend(&text[text.len().saturating_sub(TAIL_BYTES)..]);
                self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
                // Empty lines before a message do not count (RFC 9112 section 2.2).
                if ends && self.tail.trim_ascii().is_empty() {
                    *self = Self::default();
                } else if ends {
                    (self.is_over, self.is_of_another_version) = (true, is_of_another_version(&self.tail));
                }
            } else if ends && text.iter().all(|byte| *byte == b'\r') && self.header_bytes <= 1 {
                (*self, is_line) = (Self::default(), false);
            } else {
                self.header_bytes = if ends { 0 } else { self.header_bytes + text.len() };
            }
            if is_line {
                refused = refused.or(self.refused());
            }
        }
        refused
    }

    fn refused(&self) -> Option<RefusedStatus> {
        match self.is_over {
            true => self.is_of_another_version.then_some(RefusedStatus::Version),
            false => (self.bytes > MAX_LINE_BYTES).then_some(RefusedStatus::TooLong),
        }
    }
}

/// Whether a request line has another version than 1.0 and 1.1. One with a higher minor number could be read as 1.1
/// (RFC 9110 section 2.5), which hyper does not do; no client sends any.
fn is_of_another_version(line: &[u8]) -> bool {
    let version = line.trim_ascii().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let [major, b'.', minor] = version.strip_prefix(b"HTTP/").unwrap_or_default() else { return false };
    major.is_ascii_digit() && minor.is_ascii_digit() && (*major != b'1' || *minor > b'1')
}

/// A connection that checks the first line of each message.
pub(super) struct CheckedConnection<S> {
    stream: Pin<Box<TimeoutWriter<S>>>,
    messages: MessageState,
    line: FirstLine,
    refused: Option<RefusedStatus>,
}

impl<S: AsyncRead + AsyncWrite> CheckedConnection<S> {
    pub(super) fn new(stream: S, messages: MessageState) -> Self {
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(WRITE_TIMEOUT));
        Self { stream: Box::pin(stream), messages, line: FirstLine::default(), refused: None }
    }

    /// Answers a refusal of this module, and closes when the client has stopped sending, or has sent too much.
    pub(super) async fn close(mut self, ended: hyper::Result<()>) {
        // hyper recognises the preface of HTTP/2 and does not answer it.
        if ended.is_err_and(|error| error.is_parse_version_h2()) {
            self.refused = Some(RefusedStatus::Version);
        }
        let closing = async {
            if let Some(refused) = self.refused {
                let date = httpdate::fmt_http_date(SystemTime::now());
                let status = refused.status();
                let answer =
                    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\ndate: {date}\r\n\r\n");
                self.stream.write_all(answer.as_bytes()).await?;
            }
            self.stream.shutdown().await?;
            tokio::io::copy(&mut self.stream.take(DRAIN_BYTES), &mut tokio::io::sink()).await
        };
        // A client that disconnects early is no error of ours.
        let _ = tokio::time::timeout(DRAIN_TIME, closing).await;
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for CheckedConnection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.stream.as_mut().poll_read(cx, buffer))?;
        let is_between = self.messages.is_between();
        if is_between && self.messages.take_bodies() {
            self.line = FirstLine::default();
        }
        let refused = self.line.read(&buffer.filled()[before..]).filter(|_| is_between);
        self.refused = self.refused.or(refused);
        match self.refused {
            // The connection drops what was read.
            Some(refused) => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, refused.status()))),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for CheckedConnection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A response is still to come.
        if self.refused.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::DuplexStream,
        time::{Instant, sleep},
    };

    use super::*;

    /// How and when a client's connection ends after so many requests and the given action.
    async fn ended<F: Future<Output = ()> + Send + 'static>(
        asks: usize,
        then: impl FnOnce(DuplexStream) -> F + Send + 'static,
    ) -> (hyper::Result<()>, Duration) {
        let (mut client, server) = tokio::io::duplex(16 * 1024);
        let asking = tokio::spawn(async move {
            // Input beyond the buffer is not waited for.
            let requests = "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(asks);
            let _ = tokio::time::timeout(Duration::from_secs(1), client.write_all(requests.as_bytes())).await;
            then(client).await;
        });
        let mut stream = CheckedConnection::new(server, MessageState::default());
        let answer = service_fn(|_: Request<Incoming>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(vec![b'a'; 64 * 1024])))
        });
        let began = Instant::now();
        let ended = http1::Builder::new().serve_connection(TokioIo::new(&mut stream), answer).await;
        let after = began.elapsed();
        asking.abort();
        (ended, after)
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up() {
        for asks in [1, 80] {
            let (ended, after) = ended(asks, |client| async move {
                sleep(Duration::MAX).await;
                drop(client);
            })
            .await;
            assert!(ended.is_err(), "{asks}");
            assert!(after >= WRITE_TIMEOUT && after < WRITE_TIMEOUT * 2, "{asks}: {after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_answered_whole() {
        let (ended, after) = ended(1, |mut client| async move {
            let mut read = 0;
            while read < 64 * 1024 {
                sleep(WRITE_TIMEOUT / 2).await;
                read += client.read(&mut [0; 8 * 1024]).await.unwrap();
            }
        })
        .await;
        assert!(ended.is_ok() && after > WRITE_TIMEOUT * 3, "{ended:?} {after:?}");
    }

    fn read(parts: &[&[u8]]) -> Option<RefusedStatus> {
        let mut line = FirstLine::default();
        parts.iter().find_map(|part| line.read(part))
    }

    #[test]
    fn what_comes_after_a_message_is_judged_when_it_is_no_body() {
        let after = |start: &[u8], rest: &[&[u8]]| {
            let mut line = FirstLine::default();
            (line.read(start), rest.iter().find_map(|part| line.read(part)))
        };
        let good = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/2.0\r\n";
        assert_eq!(after(good, &[b"host: a\r\n"]), (None, Some(RefusedStatus::Version)));
        let letters: Vec<&[u8]> = good.chunks(1).collect();
        assert_eq!(after(b"", &letters), (None, Some(RefusedStatus::Version)));
        assert_eq!(after(b"GET / HTTP/3.0\r\nhost: a\r\n\r\n", &[]), (Some(RefusedStatus::Version), None));
    }

    #[test]
    fn a_first_line_ends_or_is_too_long() {
        let long = vec![b'a'; MAX_LINE_BYTES];
        assert_eq!(read(&[b"GET /", &long]), Some(RefusedStatus::TooLong));
        assert_eq!(read(&[b"GET / HTTP/1.1\r\nx: ", &long]), None, "a header is another matter");
        assert_eq!(read(&[b"\r\n", &long, b" HTTP/1.1\r\n"]), None);
    }

    #[test]
    fn other_versions_are_told_from_what_is_malformed() {
        for other in ["PRI * HTTP/2.0\r\n\r\nSM", "GET / HTTP/3.0\n", "GET / HTTP/1.2\r\n", "\r\nGET / HTTP/0.9\r\n"] {
            assert_eq!(read(&[other.as_bytes()]), Some(RefusedStatus::Version), "{other}");
            let letters: Vec<&[u8]> = other.as_bytes().chunks(1).collect();
            assert_eq!(read(&letters), Some(RefusedStatus::Version), "{other}, letter by letter");
        }
        for own in ["GET / HTTP/1.1\r\nx: HTTP/2.0\r\n", "GET / HTTP/1.0\r\n", "garbage\r\n\r\n", "HTTP/22.0\r\n", ""] {
            assert_eq!(read(&[own.as_bytes()]), None, "{own}");
        }
    }
}
