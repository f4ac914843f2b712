//! One structured line for each call, and never a payload, a token or a secret in it.

use std::{io, time::Duration};

use protocol::Fault;
use tracing::Level;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
};

/// Starts writing logs, one JSON object a line.
pub fn start<W>(writer: W, level: Level)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The embedded database warns of every condition that does not hold, which is no news.
    let filter = Targets::new().with_default(level).with_target("dynoxide", LevelFilter::OFF);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .with_writer(writer)
        .finish()
        .with(filter);
    // It fails when a subscriber was set before, which then goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Starts writing logs to standard output, where Lambda takes them from.
pub fn start_on_stdout() {
    start(io::stdout, Level::INFO);
}

/// What is known of a call at its end.
pub struct CallLine<'a> {
    /// Its name.
    pub procedure: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How long it took.
    pub duration: Duration,
    /// Read capacity units that DynamoDB counted.
    pub read_units: f64,
    /// Write capacity units that DynamoDB counted.
    pub write_units: f64,
    /// Its id, which the caller has as well.
    pub request_id: &'a str,
    /// The network that it came from, when that is known: never a whole address.
    pub network: Option<&'a str>,
    /// How it failed.
    pub fault: Option<&'a Fault>,
}

/// Writes the line of a call: an error when the fault is ours.
#[inline(never)]
pub fn call(line: &CallLine<'_>) {
    let CallLine { procedure, status, duration, read_units, write_units, request_id, network, fault } = *line;
    let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let code = fault.map(|fault| fault.code.key());
    let cause = fault.and_then(|fault| fault.cause.as_deref()).map(chain);
    if status >= 500 {
        tracing::error!(
            procedure,
            status,
            code,
            duration_us,
            read_units,
            write_units,
            request_id,
            network,
            cause,
            "call"
        );
    } else {
        tracing::info!(
            procedure,
            status,
            code,
            duration_us,
            read_units,
            write_units,
            request_id,
            network,
            cause,
            "call"
        );
    }
}

/// An error and what it came from, in one line.
pub fn chain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
