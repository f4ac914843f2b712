//! HTTP/1.1 (RFC 9112) by hand, so that a test can send what no client library would.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// No answer takes longer. It is a bound, not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon somebody asks again.
const PAUSE: Duration = Duration::from_millis(20);

/// A request that is about to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    chunked: bool,
}

impl Request {
    /// Any method, any target, no headers but the necessary ones.
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: Vec::new(), chunked: false }
    }

    /// A query, as the official client sends it.
    pub fn query(procedure: &str, input: &Value) -> Self {
        let target = match input {
            Value::Null => format!("/trpc/{procedure}"),
            input => format!("/trpc/{procedure}?input={}", percent_encode(input.to_string().as_bytes())),
        };
        Self::new("GET", target)
    }

    /// A mutation, as the official client sends it.
    pub fn mutation(procedure: &str, input: &Value) -> Self {
        let request = Self::new("POST", format!("/trpc/{procedure}")).header("content-type", "application/json");
        match input {
            Value::Null => request,
            input => request.body(input.to_string()),
        }
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The body goes out in chunks, without saying how long it is.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        if !self.headers.iter().any(|(name, _)| name == "host") {
            head.extend(b"host: localhost\r\n");
        }
        for (name, value) in &self.headers {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        match (self.chunked, self.body.len()) {
            (true, _) => head.extend(b"transfer-encoding: chunked\r\n"),
            (false, 0) if self.method == "GET" || self.method == "HEAD" => {}
            (false, length) => head.extend(format!("content-length: {length}\r\n").into_bytes()),
        }
        head.extend(b"\r\n");
        head
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A cookie that it sets, as it is sent back: `name=value`.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.iter().filter(|(known, _)| known == "set-cookie").map(|(_, value)| value);
        let mut pairs = set.filter_map(|cookie| cookie.split(';').next());
        pairs.find(|pair| pair.split_once('=').is_some_and(|(known, _)| known == name)).map(str::to_owned)
    }

    /// Every line of a header, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The names of all headers, in order.
    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }

    /// The output of a call that must have succeeded.
    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["result"]["data"].clone()
    }

    /// `error` of a call that must have failed, with the things that every error has.
    pub fn error(&self) -> Value {
        let error = self.json()["error"].clone();
        let data = &error["data"];
        assert_eq!(data["httpStatus"], self.status, "{}", self.text());
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", self.text());
        assert!(error["code"].is_i64(), "{}", self.text());
        assert!(data.get("stack").is_none(), "{}", self.text());
        assert_eq!(data["requestId"].as_str(), self.header("x-request-id"), "{}", self.text());
        error
    }

    /// The key of the error's code; `OK` when there is none.
    pub fn code(&self) -> String {
        match self.status {
            200 | 204 => "OK".to_owned(),
            _ => self.error()["data"]["code"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The `type` of the procedure's own failure.
    pub fn failure(&self) -> String {
        self.error()["data"]["failure"]["type"].as_str().unwrap_or_default().to_owned()
    }

    /// The paths of the fields at fault, in order.
    pub fn fields(&self) -> Vec<String> {
        let fields = self.error()["data"]["fields"].as_array().cloned().unwrap_or_default();
        let mut paths: Vec<_> =
            fields.iter().map(|field| field["path"].as_str().unwrap_or("not a text").to_owned()).collect();
        paths.sort();
        paths
    }
}

/// A connection that stays open from call to call.
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// From another of this machine's loopback addresses, such as 127.0.0.2.
    pub async fn open_from(local: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(local, 0))?;
        let stream = timeout(PATIENCE, socket.connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Sends a request until it is answered, each time on a connection of its own: who is told that the service is too
    /// busy asks again.
    pub async fn insist(local: IpAddr, address: SocketAddr, request: &Request) -> Answer {
        loop {
            let answer = Self::open_from(local, address).await.unwrap().send(request).await.unwrap();
            if answer.status != 503 {
                return answer;
            }
            assert_eq!(answer.header("retry-after"), Some("1"));
            sleep(PAUSE).await;
        }
    }

    /// Sends a request and waits for its answer.
    pub async fn send(&mut self, request: &Request) -> io::Result<Answer> {
        self.begin(request).await?;
        self.finish(request.method == "HEAD").await
    }

    /// Sends a request, and does not wait.
    pub async fn begin(&mut self, request: &Request) -> io::Result<()> {
        timeout(PATIENCE, async {
            if !request.chunked {
                return self.stream.write_all(&[&request.head()[..], &request.body].concat()).await;
            }
            self.stream.write_all(&request.head()).await?;
            for chunk in request.body.chunks(64 * 1024) {
                let size = format!("{:x}\r\n", chunk.len()).into_bytes();
                self.stream.write_all(&[&size[..], chunk, b"\r\n"].concat()).await?;
            }
            self.stream.write_all(b"0\r\n\r\n").await
        })
        .await?
    }

    /// Sends bytes that need not be HTTP.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes)).await?
    }

    /// Waits for these bytes, and for no others.
    pub async fn until(&mut self, expected: &[u8]) -> io::Result<()> {
        timeout(PATIENCE, async {
            while self.unread.len() < expected.len() {
                self.read_more().await?;
            }
            let read: Vec<u8> = self.unread.drain(..expected.len()).collect();
            if read == expected { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&read).into_owned())) }
        })
        .await?
    }

    /// Waits for the answer to what was begun.
    pub async fn finish(&mut self, to_head: bool) -> io::Result<Answer> {
        timeout(PATIENCE, self.read_answer(to_head)).await?
    }

    async fn read_answer(&mut self, to_head: bool) -> io::Result<Answer> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            self.read_more().await?;
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        self.unread.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(|| io::Error::other(format!("no status line: {head}")))?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if to_head || [204, 304].contains(&status) {
            return Ok(answer);
        }
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        let length: usize = length.ok_or_else(|| io::Error::other(format!("no content-length: {head}")))?;
        while self.unread.len() < length {
            self.read_more().await?;
        }
        answer.body = self.unread.drain(..length).collect();
        Ok(answer)
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Everything but RFC 3986's unreserved characters.
pub fn percent_encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// `Authorization: Basic` (RFC 7617).
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
}
