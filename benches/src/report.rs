//! The Markdown tables of a run.

use std::fmt::Write;

use crate::builds::Builds;
use crate::rounds::{Round, Warm};
use crate::statistics::{median, range};
use crate::subject::Subject;

/// One subject's figures.
pub struct Measured {
    /// The subject's name.
    pub name: &'static str,
    /// The size of the deployed code, in bytes.
    pub size_bytes: f64,
    /// The names of its workloads.
    pub labels: Vec<&'static str>,
    /// The rounds.
    pub rounds: Vec<Round>,
}

/// One server's figures.
pub struct Loaded {
    /// The server's name.
    pub name: &'static str,
    /// The requests per second of each round.
    pub requests_per_second: Vec<f64>,
}

impl Measured {
    /// Combines a subject with its rounds.
    pub fn of(subject: &Subject<'_>, rounds: Vec<Round>) -> Self {
        let labels = subject.workloads.iter().map(|workload| workload.label).collect();
        Self { name: subject.name, size_bytes: subject.size_bytes as f64, labels, rounds }
    }

    /// One figure of every round.
    pub fn series(&self, figure: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.rounds.iter().map(figure).collect()
    }

    /// One figure of every round of the workload with this label, or NaN if there is none.
    pub fn warm(&self, label: &str, figure: impl Fn(&Warm) -> f64) -> Vec<f64> {
        let index = self.labels.iter().position(|candidate| *candidate == label);
        self.series(|round| index.and_then(|index| round.warm.get(index)).map_or(f64::NAN, &figure))
    }
}

/// The target of a ratio.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// At most this value.
    AtMost(f64),
    /// At least this value.
    AtLeast(f64),
    /// No target: the ratio is for information.
    None,
}

/// A comparison of two series, round by round.
pub struct Ratio {
    /// The description of the comparison.
    pub what: String,
    /// One value for each round.
    pub values: Vec<f64>,
    /// Its target.
    pub target: Target,
}

impl Ratio {
    /// Divides the series round by round.
    pub fn new(what: impl Into<String>, upper: &[f64], lower: &[f64], target: Target) -> Self {
        let values = upper.iter().zip(lower).map(|(upper, lower)| upper / lower).collect();
        Self { what: what.into(), values, target }
    }
}

/// The table of the functions' figures: medians over the rounds.
pub fn functions_table(subjects: &[Measured]) -> String {
    let mut table = String::from(
        "| function | calls | size MB | first answer ms | warm p50 µs | warm p99 µs | CPU µs per call | peak memory MB |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for subject in subjects {
        for label in &subject.labels {
            let warm = |figure: fn(&Warm) -> f64| median(&subject.warm(label, figure));
            line(
                &mut table,
                format_args!(
                    "| {} | {label} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} | {:.1} |",
                    subject.name,
                    in_mb(subject.size_bytes),
                    median(&subject.series(|round| round.first_answer_ms)),
                    warm(|warm| warm.p50_us),
                    warm(|warm| warm.p99_us),
                    warm(|warm| warm.cpu_us),
                    in_mb(median(&subject.series(|round| round.peak_memory_bytes))),
                ),
            );
        }
    }
    table
}

/// The table of the servers' figures.
pub fn servers_table(servers: &[Loaded]) -> String {
    let mut table = String::from("| server | requests/s | lowest and highest round |\n| --- | ---: | ---: |\n");
    for server in servers {
        let (lowest, highest) = range(&server.requests_per_second);
        let middle = median(&server.requests_per_second);
        line(&mut table, format_args!("| {} | {middle:.0} | {lowest:.0} – {highest:.0} |", server.name));
    }
    table
}

/// The table of ratios: medians over the rounds, beside the targets.
pub fn ratios_table(ratios: &[Ratio]) -> String {
    let mut table = String::from(
        "| ratio | measured | lowest and highest round | target | holds |\n| --- | ---: | ---: | ---: | --- |\n",
    );
    for ratio in ratios {
        let measured = median(&ratio.values);
        let (lowest, highest) = range(&ratio.values);
        let (target, holds) = match ratio.target {
            Target::AtMost(limit) => (format!("≤ {limit}"), yes_or_no(measured <= limit)),
            Target::AtLeast(limit) => (format!("≥ {limit}"), yes_or_no(measured >= limit)),
            Target::None => (String::new(), ""),
        };
        line(
            &mut table,
            format_args!("| {} | {measured:.2} | {lowest:.2} – {highest:.2} | {target} | {holds} |", ratio.what),
        );
    }
    table
}

/// The table of the builds' costs, beside the targets.
pub fn builds_table(builds: Builds) -> String {
    let mut table = String::from("| build | seconds | target | holds |\n| --- | ---: | ---: | --- |\n");
    let mut row = |what: &str, seconds: f64, limit: Option<f64>| {
        let target = limit.map_or_else(String::new, |limit| format!("≤ {limit}"));
        let holds = limit.map_or("", |limit| yes_or_no(seconds <= limit));
        line(&mut table, format_args!("| {what} | {seconds:.1} | {target} | {holds} |"));
    };
    row("clean development build of the local service, wall", builds.clean_development_s, Some(240.0));
    row("the same, CPU", builds.clean_development_cpu_s, Some(386.0));
    row("edit of one procedure until the restarted local service answers, wall", builds.edit_to_answer_s, Some(3.0));
    row("the part of it that `cargo build` takes, wall", builds.edit_build_s, None);
    row("all functions in release without their dependencies, CPU", builds.functions_cpu_s, None);
    row("each procedure added to that, CPU", builds.added_cpu_s, Some(0.5));
    table
}

fn yes_or_no(holds: bool) -> &'static str {
    if holds { "yes" } else { "**no**" }
}

fn in_mb(bytes: f64) -> f64 {
    bytes / 1e6
}

fn line(table: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(table, "{text}");
}
