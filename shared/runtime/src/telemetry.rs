//! Logs one structured line for each call, without payloads, tokens and secrets.

use std::{io, time::Duration};

use protocol::Fault;
use tracing::Level;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
};

/// Starts logging as JSON, one object a line.
pub fn start<W>(writer: W, level: Level)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The embedded database warns about every failed condition, which is normal here.
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
    // It fails when a subscriber is set already, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Starts logging to standard output, where Lambda collects it.
pub fn start_on_stdout() {
    start(io::stdout, Level::INFO);
}

/// The content of a call's log line.
pub struct CallLine<'a> {
    /// The procedure's name.
    pub procedure: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The duration of the call.
    pub duration: Duration,
    /// Consumed read capacity units, as DynamoDB reported them.
    pub read_units: f64,
    /// Consumed write capacity units, as DynamoDB reported them.
    pub write_units: f64,
    /// The request's id, which the caller gets as well.
    pub request_id: &'a str,
    /// The caller's network, if it is known: never a whole address.
    pub network: Option<&'a str>,
    /// The fault, if the call failed.
    pub fault: Option<&'a Fault>,
}

/// Logs a call: as an error if the fault is an internal one.
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

/// An error and its sources, in one line.
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
