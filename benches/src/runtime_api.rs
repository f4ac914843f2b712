//! A minimal Lambda Runtime API (version 2018-06-01) for one instance.
//!
//! One blocking thread serves each connection and takes the next event itself, so that no other thread has to be woken
//! between an answer and the next event: the cost of the harness is small and equal for every subject.

use std::collections::VecDeque;
use std::io::{self, Error, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http1::{Frame, position};

/// The JSON text of one event.
pub type Event = Arc<[u8]>;

/// The timeout of one call that the function is told.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// How often a waiting harness checks whether the function is alive.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// One answered call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// From sending the event until the whole answer was read.
    pub round_trip: Duration,
    /// When the whole answer was read.
    pub answered: Instant,
}

/// A Runtime API on a free port of 127.0.0.1. It serves one function instance and ends when it is dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Event>,
    expected: Vec<u8>,
    handed_over: Option<Instant>,
    calls: Vec<Call>,
    count: usize,
    fault: Option<String>,
    closed: bool,
}

impl RuntimeApi {
    /// Starts to listen.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { address, shared })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Queues events for the function. Every answer must contain `expected`.
    pub fn offer(&self, events: Vec<Event>, expected: &[u8]) {
        let mut state = self.shared.lock();
        state.count = events.len();
        state.calls = Vec::with_capacity(events.len());
        state.waiting = events.into();
        state.expected = expected.to_vec();
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Waits until every queued event is answered.
    ///
    /// # Errors
    ///
    /// Fails if the function reports an error, gives an unexpected answer or ends (by `is_alive`), or if `limit` runs
    /// out.
    pub fn finish(&self, limit: Duration, mut is_alive: impl FnMut() -> bool) -> io::Result<Vec<Call>> {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if let Some(fault) = state.fault.take() {
                return Err(Error::other(fault));
            }
            if state.calls.len() == state.count {
                return Ok(std::mem::take(&mut state.calls));
            }
            if Instant::now() > deadline {
                return Err(Error::other(format!(
                    "{} of {} calls answered in {limit:?}",
                    state.calls.len(),
                    state.count
                )));
            }
            if !is_alive() {
                return Err(Error::other("the function ended"));
            }
            let waited = self.shared.changed.wait_timeout(state, LOOK_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        // The accepting thread waits for a connection; this one wakes it to check the flag.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next event and returns it with its number; `None` when the API closes.
    fn next_event(&self) -> Option<(usize, Event)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(event) = state.waiting.pop_front() {
                return Some((state.calls.len(), event));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn hand_over(&self) {
        self.lock().handed_over = Some(Instant::now());
    }

    fn answer(&self, body: &[u8], answered: Instant) {
        let mut state = self.lock();
        match state.handed_over.take() {
            Some(handed_over) => state.calls.push(Call { round_trip: answered - handed_over, answered }),
            None => state.fault = Some("an answer without an event".to_owned()),
        }
        if position(body, &state.expected).is_none() {
            state.fault = Some(format!("unexpected answer: {}", String::from_utf8_lossy(body)));
        }
        if state.calls.len() == state.count || state.fault.is_some() {
            drop(state);
            self.changed.notify_all();
        }
    }

    fn fail(&self, what: &str, body: &[u8]) {
        self.lock().fault = Some(format!("{what}: {}", String::from_utf8_lossy(body)));
        self.changed.notify_all();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.lock().closed {
            return;
        }
        if let Ok(stream) = stream {
            let shared = Arc::clone(shared);
            // A broken connection is the function's end, which `finish` notices itself.
            thread::spawn(move || drop(serve(stream, &shared)));
        }
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(64 * 1024);
    let mut outgoing = Vec::with_capacity(64 * 1024);
    loop {
        let Some(frame) = read_message(&mut stream, &mut received)? else {
            return Ok(());
        };
        let answered = Instant::now();
        let line = frame.start_line(&received);
        let path = line.split(' ').nth(1).unwrap_or("");
        if path.ends_with("/runtime/invocation/next") {
            let Some((number, event)) = shared.next_event() else {
                return Ok(());
            };
            render_event(&mut outgoing, number, &event)?;
            shared.hand_over();
        } else if path.ends_with("/response") {
            shared.answer(&frame.body(&received), answered);
            render_answer(&mut outgoing, "202 Accepted")?;
        } else if path.ends_with("/error") {
            shared.fail("the function reported an error", &frame.body(&received));
            render_answer(&mut outgoing, "202 Accepted")?;
        } else {
            render_answer(&mut outgoing, "404 Not Found")?;
        }
        stream.write_all(&outgoing)?;
        received.drain(..frame.len());
    }
}

/// Reads until `received` starts with a whole message; `None` at the end of the connection.
fn read_message(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<Option<Frame>> {
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(frame) = Frame::find(received)? {
            return Ok(Some(frame));
        }
        match stream.read(&mut piece)? {
            0 => return Ok(None),
            length => received.extend_from_slice(&piece[..length]),
        }
    }
}

fn render_event(outgoing: &mut Vec<u8>, number: usize, event: &[u8]) -> io::Result<()> {
    let deadline = SystemTime::now() + CALL_LIMIT;
    let deadline_ms = deadline.duration_since(UNIX_EPOCH).map_err(Error::other)?.as_millis();
    outgoing.clear();
    write!(
        outgoing,
        "HTTP/1.1 200 OK\r\n\
         content-type: application/json\r\n\
         content-length: {}\r\n\
         lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{number:012x}\r\n\
         lambda-runtime-deadline-ms: {deadline_ms}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:measured\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\r\n",
        event.len()
    )?;
    outgoing.extend_from_slice(event);
    Ok(())
}

fn render_answer(outgoing: &mut Vec<u8>, status: &str) -> io::Result<()> {
    outgoing.clear();
    let body = r#"{"status":"OK"}"#;
    write!(
        outgoing,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
