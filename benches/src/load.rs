//! Requests per second of HTTP servers under 50 kept-alive connections.
//!
//! The generator is one thread with a current-thread runtime, so that on a small machine it takes one core and leaves
//! the rest to the server; every server gets the same load.

use std::io::{self, Error, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::http1::{Frame, position};
use crate::process::{Launch, Process};
use crate::rounds::Plan;

const CONNECTIONS: usize = 50;
const START_LIMIT: Duration = Duration::from_secs(10);
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
const PATH: &str = "/trpc/health.ping";
const EXPECTED: &[u8] = br#"{"result":{"data":"pong"}}"#;

/// An HTTP server that answers `health.ping`. The text `{port}` in its arguments stands for the port to listen on.
pub struct Server {
    /// Its name in the tables.
    pub name: &'static str,
    /// How to start it.
    pub launch: Launch,
}

/// Measures all servers; the result has an entry for each server, with the requests per second of each round.
pub fn measure(servers: &[Server], plan: Plan, logs: &Path) -> io::Result<Vec<Vec<f64>>> {
    let mut figures = vec![Vec::new(); servers.len()];
    for round in 0..plan.rounds {
        eprintln!("load, round {} of {}", round + 1, plan.rounds);
        for position in 0..servers.len() {
            let index = (position + round) % servers.len();
            figures[index].push(requests_per_second(&servers[index], plan, logs)?);
        }
    }
    Ok(figures)
}

fn requests_per_second(server: &Server, plan: Plan, logs: &Path) -> io::Result<f64> {
    let running = Running::start(server, logs)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(load(running.address, plan)).map_err(|cause| running.explained(&cause))
}

/// Starts the server and waits until it answers `health.ping` with this text.
pub fn await_answer(server: &Server, text: &str, logs: &Path) -> io::Result<()> {
    let running = Running::start(server, logs)?;
    let mut stream = TcpStream::connect(running.address)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    let request = format!("GET {PATH} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", running.address);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|cause| running.explained(&cause))?;
    if answer.contains(text) { Ok(()) } else { Err(running.explained(&Error::other(answer))) }
}

/// A running server. Dropping it kills it.
struct Running {
    process: Process,
    address: SocketAddr,
    name: &'static str,
}

impl Running {
    fn start(server: &Server, logs: &Path) -> io::Result<Self> {
        // A port that is free at this moment.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut launch = server.launch.clone();
        for argument in &mut launch.arguments {
            *argument = argument.replace("{port}", &port.to_string());
        }
        let (process, _) = Process::start(&launch, &[], &logs.join(format!("{}.log", server.name)))?;
        let mut running = Self { process, address: (Ipv4Addr::LOCALHOST, port).into(), name: server.name };
        running.await_listening().map_err(|cause| running.explained(&cause))?;
        Ok(running)
    }

    fn await_listening(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(self.address).is_err() {
            if !self.process.is_alive() {
                return Err(Error::other("the server ended"));
            }
            if Instant::now() > deadline {
                return Err(Error::other("the server does not listen"));
            }
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    fn explained(&self, cause: &Error) -> Error {
        Error::other(format!("{}: {cause}\nIt last wrote:\n{}", self.name, self.process.last_words()))
    }
}

/// Loads the server and counts the answers per second after the warm-up.
async fn load(address: SocketAddr, plan: Plan) -> io::Result<f64> {
    let begin = Instant::now() + plan.load_warm_up;
    let end = begin + plan.load;
    let request: Arc<[u8]> =
        format!("GET {PATH} HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\n\r\n").into_bytes().into();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(connection(address, Arc::clone(&request), begin, end));
    }
    let mut answers = 0;
    while let Some(count) = connections.join_next().await {
        answers += count.map_err(Error::other)??;
    }
    Ok(f64::from(answers) / plan.load.as_secs_f64())
}

/// Sends one request after the other until `end`, and counts the answers between `begin` and `end`.
async fn connection(address: SocketAddr, request: Arc<[u8]>, begin: Instant, end: Instant) -> io::Result<u32> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(4096);
    let mut answers = 0;
    loop {
        stream.write_all(&request).await?;
        let answer = read_answer(&mut stream, &mut received);
        let length =
            tokio::time::timeout(ANSWER_LIMIT, answer).await.map_err(|_| Error::other("no answer in time"))??;
        let now = Instant::now();
        if now >= end {
            return Ok(answers);
        }
        if now >= begin {
            answers += 1;
        }
        received.drain(..length);
    }
}

/// Reads one answer, checks it, and returns its length in bytes.
async fn read_answer(stream: &mut tokio::net::TcpStream, received: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        if let Some(frame) = Frame::find(received)? {
            if !received.starts_with(b"HTTP/1.1 200 ") || position(received, EXPECTED).is_none() {
                return Err(Error::other(format!("unexpected answer: {}", String::from_utf8_lossy(received))));
            }
            return Ok(frame.len());
        }
        if stream.read_buf(received).await? == 0 {
            return Err(Error::other("the server closed a connection"));
        }
    }
}
