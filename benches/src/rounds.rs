//! Measures the functions one at a time: each round has all of them, in an order that rotates from round to round.

use std::io::{self, Error};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::runtime_api::{Call, Event, RuntimeApi};
use crate::statistics::{median, percentile};
use crate::subject::Subject;

/// The amount of measurements.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The number of rounds.
    pub rounds: usize,
    /// How many instances of each function are started in a round only to time their first answer.
    pub starts: usize,
    /// How many calls an instance answers before it is measured.
    pub warm_up_calls: usize,
    /// How many calls are measured for each workload in a round.
    pub calls: usize,
    /// How long one server is loaded in a round before the measurement.
    pub load_warm_up: Duration,
    /// How long one server is loaded in a round during the measurement.
    pub load: Duration,
}

/// The figures of one subject in one round.
#[derive(Debug, Clone)]
pub struct Round {
    /// From just before the process is started until its first answer is read, median, in milliseconds.
    pub first_answer_ms: f64,
    /// The peak memory of the instance, in bytes.
    pub peak_memory_bytes: f64,
    /// The figures of each workload of the subject.
    pub warm: Vec<Warm>,
}

/// The figures of a warm instance.
#[derive(Debug, Clone, Copy)]
pub struct Warm {
    /// The median round trip, in microseconds.
    pub p50_us: f64,
    /// The 99th percentile of the round trips, in microseconds.
    pub p99_us: f64,
    /// User and system time of the function for one call, in microseconds.
    pub cpu_us: f64,
}

/// The time limit of one batch of calls.
const BATCH_LIMIT: Duration = Duration::from_secs(120);

/// Measures all subjects; the result has an entry for each subject, with an entry for each round.
pub fn measure(subjects: &[Subject<'_>], plan: Plan, logs: &Path) -> io::Result<Vec<Vec<Round>>> {
    let mut figures = vec![Vec::new(); subjects.len()];
    let mut used_events = 0;
    // This loads the programs into the page cache, and finds errors before minutes are spent.
    for subject in subjects {
        Instance::start(subject, logs, &mut used_events)?;
    }
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        let order = (0..subjects.len()).map(|position| (position + round) % subjects.len());
        let mut first_answers = vec![Vec::new(); subjects.len()];
        for _ in 0..plan.starts {
            for index in order.clone() {
                let instance = Instance::start(&subjects[index], logs, &mut used_events)?;
                first_answers[index].push(in_ms(instance.first_answer));
            }
        }
        for index in order {
            let mut instance = Instance::start(&subjects[index], logs, &mut used_events)?;
            first_answers[index].push(in_ms(instance.first_answer));
            let warm = instance.warm(&subjects[index], plan, round, &mut used_events)?;
            figures[index].push(Round {
                first_answer_ms: median(&first_answers[index]),
                peak_memory_bytes: instance.process.peak_memory_bytes()? as f64,
                warm,
            });
        }
    }
    Ok(figures)
}

/// A running instance of a function that has answered its first call.
struct Instance {
    process: Process,
    api: RuntimeApi,
    first_answer: Duration,
    name: &'static str,
}

impl Instance {
    fn start(subject: &Subject<'_>, logs: &Path, used_events: &mut u64) -> io::Result<Self> {
        let api = RuntimeApi::start()?;
        let workload = &subject.workloads[0];
        api.offer(workload.events(1, used_events)?, workload.expected.as_bytes());
        let log = logs.join(format!("{}.log", subject.name));
        let address = api.address();
        let (process, started) = Process::start(&subject.launch, &[("AWS_LAMBDA_RUNTIME_API", &address)], &log)?;
        let mut instance = Self { process, api, first_answer: Duration::ZERO, name: subject.name };
        let first: Instant = match instance.answers()?.as_slice() {
            [call] => call.answered,
            _ => return Err(Error::other("the first call has no answer")),
        };
        instance.first_answer = first - started;
        Ok(instance)
    }

    /// Measures every workload. The order alternates, so that none always finds the instance warmer.
    fn warm(
        &mut self,
        subject: &Subject<'_>,
        plan: Plan,
        round: usize,
        used_events: &mut u64,
    ) -> io::Result<Vec<Warm>> {
        let mut figures = vec![None; subject.workloads.len()];
        for position in 0..subject.workloads.len() {
            let index = (position + round) % subject.workloads.len();
            let workload = &subject.workloads[index];
            let expected = workload.expected.as_bytes();
            self.batch(workload.events(plan.warm_up_calls, used_events)?, expected)?;
            let events = workload.events(plan.calls, used_events)?;
            let cpu_before = self.process.cpu()?;
            let calls = self.batch(events, expected)?;
            let cpu = self.process.cpu()?.saturating_sub(cpu_before);
            let round_trips: Vec<f64> = calls.iter().map(|call| in_us(call.round_trip)).collect();
            figures[index] = Some(Warm {
                p50_us: percentile(&round_trips, 0.50),
                p99_us: percentile(&round_trips, 0.99),
                cpu_us: in_us(cpu) / calls.len() as f64,
            });
        }
        Ok(figures.into_iter().flatten().collect())
    }

    fn batch(&mut self, events: Vec<Event>, expected: &[u8]) -> io::Result<Vec<Call>> {
        self.api.offer(events, expected);
        self.answers()
    }

    fn answers(&mut self) -> io::Result<Vec<Call>> {
        let Self { process, api, .. } = self;
        api.finish(BATCH_LIMIT, || process.is_alive()).map_err(|cause| {
            Error::other(format!("{}: {cause}\nIt last wrote:\n{}", self.name, self.process.last_words()))
        })
    }
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn in_us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
