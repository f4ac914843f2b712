//! A server whose responses a test chooses.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A server on a port of its own, which stands for a service of AWS.
pub struct FakeServer {
    /// Its address: `http://127.0.0.1:8000`.
    pub endpoint: String,
    requests: Arc<AtomicUsize>,
}

impl FakeServer {
    /// Starts a server that answers each request with the result of `answer` for its number (from 0) and its bytes;
    /// `None` closes the connection.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn new<A, F>(answer: A) -> Self
    where
        A: Fn(usize, Vec<u8>) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Vec<u8>>> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, counter) = (Arc::new(answer), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (answer, counter) = (Arc::clone(&answer), Arc::clone(&counter));
                tokio::spawn(async move {
                    while let Some(request) = read_message(&mut connection).await {
                        let number = counter.fetch_add(1, Ordering::SeqCst);
                        let Some(bytes) = answer(number, request).await else { return };
                        if connection.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { endpoint, requests }
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A response of a service of AWS, whose body is JSON.
pub fn answer(status: u16, reason: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one HTTP/1.1 message with a `content-length`; `None` when the connection ends.
pub async fn read_message(connection: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16_384];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        let read = connection.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
}
