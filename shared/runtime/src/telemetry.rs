//! Logs one structured line for each call, without payloads, tokens and secrets; and the lines of the call's procedure.

use std::{fmt, io, time::Duration};

use protocol::Fault;
use tracing::{Event, Level, Span, Subscriber};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter, format::Writer},
    layer::SubscriberExt as _,
    registry::LookupSpan,
};

/// Starts logging as JSON, one object a line.
pub fn start<W>(writer: W, level: Level)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // It fails when a subscriber is set already, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber(writer, level));
}

fn subscriber<W>(writer: W, level: Level) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The embedded database warns about every failed condition, which is normal here.
    let filter = Targets::new().with_default(level).with_target("dynoxide", LevelFilter::OFF);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .map_event_format(WithSpans)
        .with_max_level(level)
        .with_writer(writer)
        .finish()
        .with(filter)
}

/// Adds the fields of the spans around an event to its line, beside its own.
struct WithSpans<E>(E);

impl<S, N, E> FormatEvent<S, N> for WithSpans<E>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let Some(object) = line.trim_end().strip_suffix('}') else { return writer.write_str(&line) };
        writer.write_str(object)?;
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map(|fields| fields.fields.trim());
            let fields = fields.and_then(|fields| fields.strip_prefix('{')?.strip_suffix('}'));
            if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
                write!(writer, ",{fields}")?;
            }
        }
        writer.write_str("}\n")
    }
}

/// The span of a procedure's run: whatever is logged in it says of which call it is.
pub fn span(procedure: &'static str, request_id: &str, caller: Option<&str>) -> Span {
    tracing::info_span!("run", procedure, request_id, caller)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are logged meanwhile, without their times.
    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let writer = written.clone();
        tracing::subscriber::with_default(subscriber(move || writer.clone(), Level::INFO), log);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let parsed = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        parsed
            .map(|mut line| {
                line.as_object_mut().unwrap().remove("timestamp").unwrap();
                line
            })
            .collect()
    }

    #[test]
    fn a_line_of_a_procedure_says_of_which_call_it_is() {
        let said = lines(|| {
            span("orders.place", "r-1", Some("a \"quoted\" caller")).in_scope(|| tracing::info!(total = 3, "placed"));
            span("orders.list", "r-2", None).in_scope(|| tracing::warn!("slow"));
            tracing::info!("outside");
        });
        assert_eq!(
            said,
            [
                json!({"level": "INFO", "message": "placed", "total": 3, "procedure": "orders.place", "request_id": "r-1",
                       "caller": "a \"quoted\" caller"}),
                json!({"level": "WARN", "message": "slow", "procedure": "orders.list", "request_id": "r-2"}),
                json!({"level": "INFO", "message": "outside"}),
            ]
        );
    }
}
