//! The part of HTTP/1.1 (RFC 9112) that the Runtime API and the load generator need: message framing.
//!
//! It works on bytes already read, so that blocking and asynchronous readers share it at the same cost.

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Result};

/// The longest message that is accepted, in bytes: Lambda's own limit of 6 MB and room for the head.
pub const LONGEST_MESSAGE_BYTES: usize = 7 * 1024 * 1024;

/// Where the parts of one message lie, counted in bytes from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    body_start: usize,
    end: usize,
    is_chunked: bool,
}

impl Frame {
    /// Finds the first message in `bytes`, or `None` while it is still incomplete.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are no HTTP/1.1 message, or if the message is longer than [`LONGEST_MESSAGE_BYTES`].
    pub fn find(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(head_end) = position(bytes, b"\r\n\r\n") else {
            return within_limit(bytes.len()).map(|()| None);
        };
        let body_start = head_end + 4;
        let head = &bytes[..head_end];
        if let Some(coding) = header(head, "transfer-encoding") {
            if !coding.eq_ignore_ascii_case("chunked") {
                return Err(malformed("a transfer coding other than chunked"));
            }
            let end = end_of_chunks(bytes, body_start)?;
            return Ok(end.map(|end| Self { body_start, end, is_chunked: true }));
        }
        let length = match header(head, "content-length") {
            Some(text) => text.parse().map_err(|_| malformed("content-length is no number"))?,
            None => 0,
        };
        within_limit(length)?;
        let end = body_start + length;
        Ok((bytes.len() >= end).then_some(Self { body_start, end, is_chunked: false }))
    }

    /// The first line of the message.
    pub fn start_line<'a>(&self, bytes: &'a [u8]) -> &'a str {
        let end = position(bytes, b"\r\n").unwrap_or(0);
        std::str::from_utf8(&bytes[..end]).unwrap_or("")
    }

    /// The body, with its chunks joined.
    pub fn body<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.is_chunked {
            return Cow::Borrowed(&bytes[self.body_start..self.end]);
        }
        let mut content = Vec::with_capacity(self.end - self.body_start);
        let mut at = self.body_start;
        while let Ok(Some(chunk)) = Chunk::find(bytes, at) {
            if chunk.is_last() {
                break;
            }
            content.extend_from_slice(&bytes[chunk.start..chunk.end]);
            at = chunk.next;
        }
        Cow::Owned(content)
    }

    /// The length of the whole message, in bytes.
    pub fn len(&self) -> usize {
        self.end
    }
}

/// One chunk's content, and where the one after it starts.
struct Chunk {
    start: usize,
    end: usize,
    next: usize,
}

impl Chunk {
    fn find(bytes: &[u8], at: usize) -> Result<Option<Self>> {
        let Some(line) = bytes.get(at..).and_then(|rest| position(rest, b"\r\n")) else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&bytes[at..at + line]).unwrap_or("");
        let size = size.split(';').next().unwrap_or("").trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| malformed("a chunk's size is no number"))?;
        within_limit(size)?;
        let start = at + line + 2;
        let end = start + size;
        Ok(Some(Self { start, end, next: end + 2 }))
    }

    fn is_last(&self) -> bool {
        self.start == self.end
    }
}

fn end_of_chunks(bytes: &[u8], body_start: usize) -> Result<Option<usize>> {
    let mut at = body_start;
    while let Some(chunk) = Chunk::find(bytes, at)? {
        within_limit(chunk.next)?;
        if chunk.next > bytes.len() {
            return Ok(None);
        }
        if chunk.is_last() {
            return Ok(Some(chunk.next));
        }
        at = chunk.next;
    }
    Ok(None)
}

/// The value of a header in a head, without the white space around it.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (candidate, value) = line.split_at_checked(name.len())?;
        if !candidate.eq_ignore_ascii_case(name.as_bytes()) {
            return None;
        }
        std::str::from_utf8(value.strip_prefix(b":")?).ok().map(str::trim)
    })
}

/// The position of the first `needle` in `bytes`.
pub fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

fn within_limit(length: usize) -> Result<()> {
    if length > LONGEST_MESSAGE_BYTES { Err(malformed("the message is too long")) } else { Ok(()) }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_its_length_says() {
        let bytes = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST /b";
        let frame = Frame::find(bytes).expect("well-formed").expect("complete");
        assert_eq!(frame.start_line(bytes), "POST /a HTTP/1.1");
        assert_eq!(&*frame.body(bytes), b"abc");
        assert_eq!(&bytes[frame.len()..], b"POST /b");
        assert_eq!(Frame::find(&bytes[..frame.len() - 1]).expect("well-formed"), None);
    }

    #[test]
    fn chunks_are_put_together() {
        let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let frame = Frame::find(bytes).expect("well-formed").expect("complete");
        assert_eq!(&*frame.body(bytes), b"abcde");
        assert_eq!(frame.len(), bytes.len());
        for length in 0..bytes.len() {
            assert_eq!(Frame::find(&bytes[..length]).expect("well-formed"), None, "cut at {length}");
        }
    }

    #[test]
    fn what_is_too_long_or_malformed_is_refused() {
        assert!(Frame::find(b"GET / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n").is_err());
        assert!(Frame::find(b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n").is_err());
        assert!(Frame::find(b"GET / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n").is_err());
        assert!(Frame::find(b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n").is_err());
    }
}
