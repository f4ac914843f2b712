//! The ratios of interest, with the project's own targets.

use std::io::{self, Error};

use crate::report::{Loaded, Measured, Ratio, Target};
use crate::rounds::{Round, Warm};

/// The largest release binary of a function, in bytes.
const LARGEST_BINARY_BYTES: f64 = 9e6;

/// The ratios between the functions.
pub fn functions(subjects: &[Measured]) -> io::Result<Vec<Ratio>> {
    let find = |name: &str| {
        let found = subjects.iter().find(|subject| subject.name == name);
        found.ok_or_else(|| Error::other(format!("{name} was not measured")))
    };
    let bare = find("hello-bare")?;
    let http = find("hello-http")?;
    let sdk = find("hello-sdk")?;
    let ping = find("health-ping")?;
    let users = find("users-get")?;
    let node = find("node-trpc")?;

    let first = |subject: &Measured| subject.series(|round: &Round| round.first_answer_ms);
    let memory = |subject: &Measured| subject.series(|round: &Round| round.peak_memory_bytes);
    let p50 = |subject: &Measured, label| subject.warm(label, |warm: &Warm| warm.p50_us);
    let cpu = |subject: &Measured, label| subject.warm(label, |warm: &Warm| warm.cpu_us);
    let size = |subject: &Measured| subject.series(|_| subject.size_bytes);
    let limit = vec![LARGEST_BINARY_BYTES; users.rounds.len()];

    let (same, fresh, session) = ("same token", "fresh token", "session");
    let (at_most, at_least) = (Target::AtMost, Target::AtLeast);
    let mut ratios = vec![
        Ratio::new("first answer: users-get / hello-bare", &first(users), &first(bare), at_most(1.7)),
        Ratio::new("first answer: users-get / hello-sdk", &first(users), &first(sdk), Target::None),
        Ratio::new("first answer: node-trpc / users-get", &first(node), &first(users), at_least(60.0)),
        Ratio::new("warm p50, same token: users-get / hello-bare", &p50(users, same), &p50(bare, ""), at_most(8.0)),
        Ratio::new("warm p50, fresh token: users-get / hello-bare", &p50(users, fresh), &p50(bare, ""), Target::None),
        Ratio::new("warm p50: users-get, session / same token", &p50(users, session), &p50(users, same), Target::None),
        Ratio::new("warm p50, same token: users-get / hello-sdk", &p50(users, same), &p50(sdk, ""), Target::None),
        Ratio::new("warm p50: node-trpc, same token / hello-sdk", &p50(node, same), &p50(sdk, ""), Target::None),
        Ratio::new("warm p50, same token: node-trpc / users-get", &p50(node, same), &p50(users, same), at_least(6.0)),
        Ratio::new(
            "warm p50, fresh token: node-trpc / users-get",
            &p50(node, fresh),
            &p50(users, fresh),
            at_least(6.0),
        ),
        Ratio::new("warm p50: health-ping / hello-http", &p50(ping, ""), &p50(http, ""), at_most(1.2)),
        Ratio::new("CPU per call: health-ping / hello-http", &cpu(ping, ""), &cpu(http, ""), Target::None),
        Ratio::new("CPU per call, same token: users-get / hello-bare", &cpu(users, same), &cpu(bare, ""), Target::None),
        Ratio::new(
            "CPU per call, fresh token: node-trpc / users-get",
            &cpu(node, fresh),
            &cpu(users, fresh),
            Target::None,
        ),
        Ratio::new("peak memory: node-trpc / users-get", &memory(node), &memory(users), at_least(8.0)),
        Ratio::new("size: users-get / 9 MB", &size(users), &limit, at_most(1.0)),
    ];
    if let (Ok(ping_before), Ok(before)) = (find("health-ping before"), find("users-get before")) {
        ratios.extend([
            Ratio::new("first answer: users-get / before", &first(users), &first(before), Target::None),
            Ratio::new("warm p50: health-ping / before", &p50(ping, ""), &p50(ping_before, ""), Target::None),
            Ratio::new("warm p50, same token: users-get / before", &p50(users, same), &p50(before, same), Target::None),
            Ratio::new(
                "warm p50, fresh token: users-get / before",
                &p50(users, fresh),
                &p50(before, fresh),
                Target::None,
            ),
            Ratio::new(
                "warm p50, session: users-get / before",
                &p50(users, session),
                &p50(before, session),
                Target::None,
            ),
            Ratio::new("CPU per call: health-ping / before", &cpu(ping, ""), &cpu(ping_before, ""), Target::None),
            Ratio::new(
                "CPU per call, same token: users-get / before",
                &cpu(users, same),
                &cpu(before, same),
                Target::None,
            ),
            Ratio::new("peak memory: users-get / before", &memory(users), &memory(before), Target::None),
            Ratio::new("size: users-get / before", &size(users), &size(before), Target::None),
        ]);
    }
    Ok(ratios)
}

/// The ratios between the servers.
pub fn servers(servers: &[Loaded]) -> io::Result<Vec<Ratio>> {
    let find = |name: &str| {
        let found = servers.iter().find(|server| server.name == name);
        let found = found.ok_or_else(|| Error::other(format!("{name} was not measured")))?;
        io::Result::Ok(&found.requests_per_second)
    };
    let (onefold, standalone, nothing) = (find("onefold")?, find("trpc-standalone")?, find("hyper-nothing")?);
    Ok(vec![
        Ratio::new("requests/s: onefold / trpc-standalone", onefold, standalone, Target::AtLeast(12.0)),
        Ratio::new("requests/s: onefold / hyper-nothing", onefold, nothing, Target::None),
    ])
}
