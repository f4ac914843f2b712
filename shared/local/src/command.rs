//! The command line of a service.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    time::SystemTime,
};

use clap::{Args, Parser, Subcommand};
use protocol::{Cause, Clock};
use runtime::{Service, telemetry, tokens::Claims};
use store::{Limits, Session, Settings, Store};

use crate::{
    changes,
    data::DataFolder,
    serve::{self, Ground, Options, table_name, token_settings},
};

/// Fills a service with demonstration data and says who can sign in: the subject of a token, its
/// roles, and a sentence for the person who asked.
pub type Seed = fn(Session) -> Pin<Box<dyn Future<Output = Result<Seeded, Cause>> + Send>>;

/// What a seed made.
pub struct Seeded {
    /// Who signs in: a token's `sub`.
    pub subject: String,
    /// With which roles.
    pub roles: Vec<String>,
    /// What to tell.
    pub message: String,
}

/// A service as its `main` starts it.
pub struct App {
    /// The procedures.
    pub service: Service,
    /// How demonstration data is made, if there is a way.
    pub seed: Option<Seed>,
    /// Nothing is kept unless it is asked for.
    pub ephemeral: bool,
}

/// One typed procedure in Rust; everything else folds out of it.
#[derive(Parser)]
#[command(name = "onefold", arg_required_else_help = false)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
    /// Where keys and data are kept; .onefold in the workspace if left out
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Args)]
struct Serve {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Keep the table in memory; keys stay in the data folder
    #[arg(long)]
    ephemeral: bool,
    /// Run each procedure as its own Lambda binary
    #[arg(long)]
    isolated: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Write everything that is generated
    Regen {
        /// Write nothing; fail when something is stale
        #[arg(long)]
        check: bool,
    },
    /// Sign a token with this service's own key
    Token {
        /// The caller's role; may be repeated
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Who the caller is; a new id if left out
        #[arg(long)]
        subject: Option<String>,
        /// How long it is valid
        #[arg(long, default_value_t = 720, value_name = "MINUTES")]
        minutes: u32,
    },
    /// Fill the table with a demonstration company
    Seed,
    /// Compare the contract with an older one
    Changes {
        /// The older contract
        #[arg(long, value_name = "FILE")]
        against: PathBuf,
        /// Fail when a caller that worked may fail
        #[arg(long)]
        fail_on_breaking: bool,
    },
}

/// A service's `main`.
pub fn main(app: App) -> ExitCode {
    let line = Line::parse();
    match run(app, line) {
        Ok(code) => code,
        Err(cause) => {
            eprintln!("onefold: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn run(app: App, line: Line) -> Result<ExitCode, Cause> {
    let root = workspace()?;
    let data = line.data.unwrap_or_else(|| root.join(".onefold"));
    match line.command {
        None => {
            // The log of calls goes to standard output through one buffer and one thread, so that a
            // slow terminal does not slow calls down; the guard writes out what is left at the end.
            let (writer, _rest) =
                tracing_appender::non_blocking::NonBlockingBuilder::default().lossy(false).finish(io::stdout());
            telemetry::start(writer, tracing::Level::INFO);
            let options = Options {
                port: line.serve.port,
                data,
                ephemeral: line.serve.ephemeral || app.ephemeral,
                isolated: line.serve.isolated,
                root,
            };
            tokio()?.block_on(serve::run(app.service, options))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Regen { check }) => regen(&app, &root, check),
        Some(Command::Token { roles, subject, minutes }) => {
            let subject = subject.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
            println!("{}", token(&app.service, &data, subject, roles, minutes)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Seed) => {
            tokio()?.block_on(seed(&app, &data))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Changes { against, fail_on_breaking }) => changes::run(&root, &against, fail_on_breaking),
    }
}

/// The workspace's folder, where `regen` writes, `--isolated` builds and data is kept: cargo names it to
/// what it runs; else it is the one around the current folder.
fn workspace() -> io::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("CARGO_MANIFEST_DIR") {
        return Ok(folder.into());
    }
    let here = std::env::current_dir()?;
    let is_root = |folder: &&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains("[workspace]"))
    };
    Ok(here.ancestors().find(is_root).unwrap_or(&here).to_owned())
}

fn tokio() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn regen(app: &App, root: &Path, check: bool) -> Result<ExitCode, Cause> {
    let files = codegen::render(&app.service).map_err(|faults| faults.join("\n"))?;
    let touched = if check { codegen::stale(root, &files)? } else { codegen::write(root, &files)? };
    for path in &touched {
        println!("{} {}", if check { "stale:" } else { "wrote" }, path.display());
    }
    Ok(if check && !touched.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn token(service: &Service, data: &Path, subject: String, roles: Vec<String>, minutes: u32) -> Result<String, Cause> {
    let signer = DataFolder::open(data)?.signer()?;
    let settings = token_settings(service.definition, &signer);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let iat = i64::try_from(now)?;
    signer.sign(&Claims {
        iss: settings.issuer,
        aud: settings.audience,
        sub: subject,
        iat,
        nbf: None,
        exp: iat + i64::from(minutes) * 60,
        jti: uuid::Uuid::new_v4().to_string(),
        roles,
    })
}

async fn seed(app: &App, data: &Path) -> Result<(), Cause> {
    let seed = app.seed.ok_or("this service has no demonstration data")?;
    let folder = DataFolder::open(data)?;
    let definition = app.service.definition;
    // Beside a running service, through its database; else through one of our own.
    let (store, ground) = match Ground::start(definition, &folder, false).await {
        Ok(ground) => (ground.store.clone(), Some(ground)),
        Err(cause) => {
            let running = folder.running().map_err(|_| cause)?;
            let store = Store::new(Settings {
                table: table_name(definition),
                region: "local".to_owned(),
                endpoint: Some(running.database_endpoint),
                access_key_id: running.access_key_id,
                secret_access_key: running.secret_access_key,
                session_token: None,
                cursor_key: folder.cursor_key()?,
                limits: Limits::default(),
            })?;
            (store, None)
        }
    };
    let scope = store::Scope { procedure: "seed", caller: None, input: bytes::Bytes::new() };
    let seeded = seed(Session::new(store, scope, Clock::System)).await?;
    if let Some(ground) = ground {
        ground.database.stop().await;
    }
    println!("{}", seeded.message);
    println!("Sign in as {} for 12 hours with the token:", seeded.roles.join(", "));
    println!("{}", token(&app.service, data, seeded.subject, seeded.roles, 720)?);
    Ok(())
}
