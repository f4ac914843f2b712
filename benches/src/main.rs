//! Measures the functions and the local service beside other ways to do the same work. See `benches/README.md`.

mod builds;
mod comparison;
mod database;
mod event;
mod floor;
mod http1;
mod load;
mod machine;
mod nothing;
mod places;
mod preparation;
mod process;
mod report;
mod rounds;
mod runtime_api;
mod servers;
mod statistics;
mod subject;
mod tokens;

use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::database::Database;
use crate::places::Places;
use crate::report::{Loaded, Measured, builds_table, functions_table, ratios_table, servers_table};
use crate::rounds::Plan;
use crate::statistics::median;
use crate::tokens::Signer;

/// Measures the functions and the local service beside other ways to do the same work.
#[derive(Parser)]
struct Arguments {
    /// Measure briefly, to see that everything works; the figures are not to be trusted.
    #[arg(long)]
    quick: bool,
    /// Also measure what building costs, in a copy of the tree; this takes many minutes.
    #[arg(long)]
    builds: bool,
    /// Measure only the functions, beside those of another commit: its folder `target/release`.
    #[arg(long, value_name = "FOLDER")]
    before: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Special>,
}

#[derive(Subcommand)]
enum Special {
    /// Serve fixed bytes; the harness starts itself with this for comparison.
    #[command(hide = true)]
    ServeNothing {
        /// The port on 127.0.0.1.
        port: u16,
    },
}

const FULL: Plan = Plan {
    rounds: 7,
    starts: 6,
    warm_up_calls: 1500,
    calls: 3000,
    load_warm_up: Duration::from_secs(3),
    load: Duration::from_secs(3),
};
const QUICK: Plan = Plan {
    rounds: 2,
    starts: 1,
    warm_up_calls: 200,
    calls: 300,
    load_warm_up: Duration::from_secs(1),
    load: Duration::from_secs(1),
};

/// The share of the machine's CPU time that other processes may take, 0 to 1.
const BUSY_SHARE: f64 = 0.05;

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Special::ServeNothing { port }) = arguments.command {
        return nothing::serve(port);
    }
    if cfg!(debug_assertions) {
        return Err(Error::other("run it with --release: cargo run --release -p benches"));
    }
    let plan = if arguments.quick { QUICK } else { FULL };
    let places = Places::find()?;
    preparation::prepare(&places)?;
    println!("{}\n", machine::description());
    let usage = machine::Usage::now()?;
    measure_functions(&places, plan, arguments.before.as_deref())?;
    if arguments.before.is_none() {
        measure_servers(&places, plan)?;
    }
    let others = usage.taken_by_others()?;
    println!("Other processes took {:.0} % of the machine's CPU time while this was measured.", 100.0 * others);
    if others > BUSY_SHARE {
        println!("**That is too much: on a busy machine not even the ratios can be trusted.**");
    }
    println!();
    if arguments.builds {
        println!("{}", builds_table(builds::measure(&places)?));
    }
    Ok(())
}

fn measure_functions(places: &Places, plan: Plan, before: Option<&Path>) -> io::Result<()> {
    let signer = Signer::new()?;
    let database = Database::start()?;
    let subjects = subject::subjects(places, &database, &signer, before)?;
    let rounds = rounds::measure(&subjects, plan, &places.logs)?;
    let floor = median(&floor::round_trips_us(&database, plan.calls)?);
    let measured: Vec<Measured> =
        subjects.iter().zip(rounds).map(|(subject, rounds)| Measured::of(subject, rounds)).collect();
    println!("{}", functions_table(&measured));
    println!("The same GetItem as ready-made bytes, without any function: {floor:.0} µs.\n");
    println!("{}", ratios_table(&comparison::functions(&measured)?));
    Ok(())
}

fn measure_servers(places: &Places, plan: Plan) -> io::Result<()> {
    let servers = servers::servers(places)?;
    let rounds = load::measure(&servers, plan, &places.logs)?;
    let loaded: Vec<Loaded> = servers
        .iter()
        .zip(rounds)
        .map(|(server, requests_per_second)| Loaded { name: server.name, requests_per_second })
        .collect();
    println!("{}", servers_table(&loaded));
    println!("{}", ratios_table(&comparison::servers(&loaded)?));
    Ok(())
}
