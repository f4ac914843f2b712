//! The capability to count and measure: metrics of a procedure's own at CloudWatch, in its embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! They are lines of the log: nothing is sent, and no right is needed.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use protocol::{Fault, Timestamp};
use serde_json::{Map, Value, json};

use crate::{Call, Capability};

/// The namespace of all services' metrics; their dimensions tell them apart.
const NAMESPACE: &str = "onefold";
/// The dimensions that every metric has.
const SERVICE: &str = "service";
const STAGE: &str = "stage";
const PROCEDURE: &str = "procedure";
/// The members that every document has: no metric and no dimension has such a name.
const TAKEN: [&str; 5] = [SERVICE, STAGE, PROCEDURE, "request_id", "_aws"];

/// The longest name of a metric or dimension, in bytes.
const MAX_NAME_BYTES: usize = 250;
/// The longest value of a dimension, in bytes.
const MAX_VALUE_BYTES: usize = 1_024;
/// The most dimensions of a metric, with those that every metric has.
const MAX_DIMENSIONS: usize = 30;
/// The most metrics of one line, and the most values of one metric in it.
const MOST_IN_A_LINE: usize = 100;

/// The unit of a metric, as CloudWatch names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    None,
    Count,
    Percent,
    Seconds,
    Milliseconds,
    Microseconds,
    Bytes,
    Kilobytes,
    Megabytes,
}

/// The capability to count and measure. All metrics of a call are written when its procedure has ended, also when it
/// failed.
///
/// ```
/// # extern crate onefold_runtime as onefold;
/// use onefold::{Metrics, Unit};
///
/// fn placed(metrics: &Metrics, cents: u32, currency: &str) {
///     metrics.count("orders_placed", 1);
///     metrics.with("currency", currency).record("order_value", Unit::None, f64::from(cents) / 100.0);
/// }
///
/// let metrics = Metrics::default();
/// placed(&metrics, 4_990, "EUR");
/// placed(&metrics, 1_000, "EUR");
/// assert_eq!(metrics.values("orders_placed"), [2.0]);
/// assert_eq!(metrics.values("order_value"), [49.9, 10.0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    sets: Arc<Mutex<Sets>>,
    dimensions: Dimensions,
}

/// The dimensions of a metric's own, by name.
type Dimensions = BTreeMap<&'static str, String>;
/// What was recorded, by dimensions and name.
type Sets = BTreeMap<Dimensions, BTreeMap<&'static str, Recorded>>;

#[derive(Clone, Debug)]
struct Recorded {
    unit: Unit,
    values: Vec<f64>,
}

impl Capability for Metrics {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.metrics().clone())
    }
}

impl Metrics {
    /// The same metrics with a further dimension. Each combination of values is a metric of its own, which CloudWatch
    /// charges for: a dimension is a choice of few, and never an id.
    #[must_use]
    pub fn with(&self, dimension: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        let is_right =
            is_name(dimension) && value.len() <= MAX_VALUE_BYTES && value.is_ascii() && !value.trim().is_empty();
        let mut with = self.clone();
        if TAKEN.contains(&dimension) || !is_right || self.dimensions.len() + 3 == MAX_DIMENSIONS {
            tracing::warn!(dimension, "a dimension of a metric was left out: CloudWatch takes none like it");
        } else {
            with.dimensions.insert(dimension, value);
        }
        with
    }

    /// Counts. Several counts of one call are added up.
    pub fn count(&self, name: &'static str, number: u32) {
        self.add(name, Unit::Count, number.into());
    }

    /// Records a measured value. Several values of one call are kept, so that CloudWatch knows the greatest and the
    /// percentiles.
    pub fn record(&self, name: &'static str, unit: Unit, value: f64) {
        self.add(name, unit, value);
    }

    /// The values of a metric that were recorded so far, whatever its dimensions, for tests.
    pub fn values(&self, name: &str) -> Vec<f64> {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.values().filter_map(|set| set.get(name)).flat_map(|recorded| recorded.values.clone()).collect()
    }

    fn add(&self, name: &'static str, unit: Unit, value: f64) {
        let is_taken = TAKEN.contains(&name) || self.dimensions.contains_key(name);
        if is_taken || !is_name(name) || !value.is_finite() {
            tracing::warn!(metric = name, value, "a metric was left out: CloudWatch takes none like it");
            return;
        }
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let set = sets.entry(self.dimensions.clone()).or_default();
        let recorded = set.entry(name).or_insert(Recorded { unit, values: Vec::new() });
        match (unit, recorded.values.last_mut()) {
            (Unit::Count, Some(sum)) => *sum += value,
            _ => recorded.values.push(value),
        }
    }

    /// Writes what was recorded, and forgets it.
    pub(crate) fn write(&self, output: &MetricOutput, source: &Source<'_>, now: Timestamp) {
        let sets = std::mem::take(&mut *self.sets.lock().unwrap_or_else(PoisonError::into_inner));
        if sets.is_empty() {
            return;
        }
        match output {
            MetricOutput::Log => log(&sets, source),
            MetricOutput::Cloud { stage } => {
                let text: String = lines(&sets, source, stage, now).iter().map(|line| format!("{line}\n")).collect();
                // A metric that cannot be written is lost, as a line of the log is.
                let _ = std::io::stdout().write_all(text.as_bytes());
            }
        }
    }
}

/// Where metrics are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MetricOutput {
    /// To the log, for people.
    #[default]
    Log,
    /// To standard output, where CloudWatch finds them.
    Cloud {
        /// The stage.
        stage: String,
    },
}

/// The call that metrics are of.
pub(crate) struct Source<'a> {
    pub service: &'a str,
    pub procedure: &'a str,
    pub request_id: &'a str,
}

/// Whether CloudWatch takes a name, of a metric as of a dimension.
fn is_name(name: &str) -> bool {
    let is_shown = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    name.len() <= MAX_NAME_BYTES && !name.trim().is_empty() && !name.starts_with(':') && name.bytes().all(is_shown)
}

/// One document for each set of dimensions, and more where one has no room.
fn lines(sets: &Sets, source: &Source<'_>, stage: &str, now: Timestamp) -> Vec<Value> {
    let mut lines = Vec::new();
    for (dimensions, set) in sets {
        let mut rest: Vec<(&str, Unit, &[f64])> =
            set.iter().map(|(name, recorded)| (*name, recorded.unit, &*recorded.values)).collect();
        while !rest.is_empty() {
            let mut line = Map::new();
            for (name, value) in [(SERVICE, source.service), (STAGE, stage), (PROCEDURE, source.procedure)] {
                line.insert(name.to_owned(), value.into());
            }
            line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
            let names: Vec<_> = line.keys().cloned().collect();
            line.insert("request_id".to_owned(), source.request_id.into());
            let mut definitions = Vec::new();
            let mut later = Vec::new();
            for (name, unit, values) in rest {
                if definitions.len() == MOST_IN_A_LINE {
                    later.push((name, unit, values));
                    continue;
                }
                let (now, after) = values.split_at(values.len().min(MOST_IN_A_LINE));
                definitions.push(json!({ "Name": name, "Unit": format!("{unit:?}") }));
                line.insert(name.to_owned(), if let [one] = now { json!(one) } else { json!(now) });
                if !after.is_empty() {
                    later.push((name, unit, after));
                }
            }
            let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions });
            line.insert("_aws".to_owned(), json!({ "Timestamp": now.unix_ms(), "CloudWatchMetrics": [directive] }));
            lines.push(line.into());
            rest = later;
        }
    }
    lines
}

fn log(sets: &Sets, Source { procedure, request_id, .. }: &Source<'_>) {
    for (dimensions, set) in sets {
        let dimensions: Vec<_> = dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let dimensions = (!dimensions.is_empty()).then(|| dimensions.join(" "));
        for (name, Recorded { unit, values }) in set {
            let values: Vec<_> = values.iter().map(f64::to_string).collect();
            let (values, unit) = (values.join(" "), format!("{unit:?}"));
            tracing::info!(metric = name, values, unit, dimensions, procedure, request_id, "metric");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SOURCE: Source<'_> = Source { service: "shop", procedure: "orders.place", request_id: "r-1" };

    fn written(metrics: &Metrics) -> Vec<Value> {
        let lines = lines(&metrics.sets.lock().unwrap(), &SOURCE, "dev", Timestamp::from_unix_ms(1_700_000_000_000));
        lines.iter().for_each(expect_valid);
        lines
    }

    /// What the specification says of a document, with the limits of `PutMetricData` where these are narrower.
    fn expect_valid(line: &Value) {
        assert!(line.to_string().len() < 256 * 1024);
        assert!(line["_aws"]["Timestamp"].is_u64());
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!((line["_aws"].as_object().unwrap().len(), directives.len()), (2, 1));
        let directive = directives[0].as_object().unwrap();
        assert_eq!(directive.keys().collect::<Vec<_>>(), ["Dimensions", "Metrics", "Namespace"]);
        assert!((1..=255).contains(&directive["Namespace"].as_str().unwrap().len()));
        for set in directive["Dimensions"].as_array().unwrap() {
            assert!(set.as_array().unwrap().len() <= 30);
            for name in set.as_array().unwrap() {
                let name = name.as_str().unwrap();
                let value = line[name].as_str().unwrap();
                assert!((1..=250).contains(&name.len()) && !name.starts_with(':'), "{name}");
                assert!((1..=1024).contains(&value.len()) && value.is_ascii() && !value.trim().is_empty());
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=255).contains(&name.len()), "{name}");
            let units = [
                "None",
                "Count",
                "Percent",
                "Seconds",
                "Milliseconds",
                "Microseconds",
                "Bytes",
                "Kilobytes",
                "Megabytes",
            ];
            assert!(units.contains(&metric["Unit"].as_str().unwrap()));
            match &line[name] {
                Value::Number(_) => {}
                Value::Array(values) => {
                    assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number));
                }
                other => panic!("{name} is {other}"),
            }
        }
    }

    #[test]
    fn what_a_call_counts_and_measures_is_one_document_for_each_set_of_dimensions() {
        let metrics = Metrics::default();
        metrics.count("orders_placed", 1);
        metrics.count("orders_placed", 2);
        metrics.record("basket", Unit::Bytes, 10.0);
        metrics.record("basket", Unit::Bytes, 20.5);
        metrics.with("currency", "EUR").count("orders_placed", 1);
        let lines = written(&metrics);
        let every = json!({"service": "shop", "stage": "dev", "procedure": "orders.place", "request_id": "r-1"});
        let directive = |dimensions: &[&str], metrics: Value| {
            json!({"Timestamp": 1_700_000_000_000_u64, "CloudWatchMetrics": [
                {"Namespace": "onefold", "Dimensions": [dimensions], "Metrics": metrics},
            ]})
        };
        let mut plain = every.clone();
        plain["orders_placed"] = json!(3.0);
        plain["basket"] = json!([10.0, 20.5]);
        let definitions = json!([{"Name": "basket", "Unit": "Bytes"}, {"Name": "orders_placed", "Unit": "Count"}]);
        plain["_aws"] = directive(&["procedure", "service", "stage"], definitions);
        let mut in_euros = every;
        in_euros["currency"] = json!("EUR");
        in_euros["orders_placed"] = json!(1.0);
        let definitions = json!([{"Name": "orders_placed", "Unit": "Count"}]);
        in_euros["_aws"] = directive(&["currency", "procedure", "service", "stage"], definitions);
        assert_eq!(lines, [plain, in_euros]);
    }

    #[test]
    fn what_has_no_room_in_one_document_is_in_the_next() {
        let metrics = Metrics::default();
        for value in 0..250 {
            metrics.record("many", Unit::Seconds, f64::from(value));
        }
        let names: Vec<&'static str> = (0..120).map(|at| &*format!("metric{at}").leak()).collect();
        names.iter().for_each(|name| metrics.count(name, 1));
        let lines = written(&metrics);
        let values = |line: &Value| line["many"].as_array().map_or(0, Vec::len);
        assert_eq!(lines.iter().map(values).collect::<Vec<_>>(), [100, 100, 50]);
        let kept = names.iter().filter(|name| lines.iter().any(|line| line[**name] == json!(1.0))).count();
        assert_eq!(kept, names.len());
    }

    #[test]
    fn what_cloudwatch_would_not_take_is_left_out() {
        let metrics = Metrics::default();
        let long: &'static str = "n".repeat(256).leak();
        for name in ["", " ", ":colon", "stück", long, "procedure", "_aws"] {
            metrics.count(name, 1);
        }
        metrics.record("infinite", Unit::None, f64::INFINITY);
        let mut with = metrics.clone();
        for (name, value) in
            [("", "x"), ("stage", "x"), ("empty", ""), ("foreign", "größe"), ("long", &*"v".repeat(1025))]
        {
            with = with.with(name, value);
        }
        with.count("kept", 1);
        let lines = written(&metrics);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].as_object().unwrap().len(), 6, "{}", lines[0]);
        let names: Vec<&'static str> = (0..40).map(|at| &*format!("dimension{at}").leak()).collect();
        let crowded = names.iter().fold(Metrics::default(), |metrics, name| metrics.with(name, "x"));
        crowded.count("crowded", 1);
        written(&crowded);
    }
}
