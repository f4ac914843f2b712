//! The command line of a service.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Parser, Subcommand};
use protocol::Cause;
use runtime::{
    Definition, Service, environment, telemetry,
    tokens::{Claims, SignerSettings, TokenSigner},
};

use crate::{
    aws_commands,
    build::Build,
    call::{self, CallOptions},
    claims,
    data::{DataFolder, random_key},
    dev::{self, Dev},
    diff,
    local_cloud::token_settings,
    permissions, seed,
    serve::{self, Options},
    workspace::{self, Tree},
};

/// The data folder in a workspace.
const DATA: &str = ".onefold";

/// A service and its options, as its `main` starts it.
pub struct App {
    /// The procedures.
    pub service: Service,
    /// Whether the table is in memory unless the command line says otherwise.
    pub ephemeral: bool,
    /// The package whose program this is: `env!("CARGO_PKG_NAME")`.
    pub package: &'static str,
}

/// One typed procedure in Rust; everything else folds out of it.
#[derive(Parser)]
#[command(name = "onefold", arg_required_else_help = false)]
struct CommandLine {
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
    /// Append to FILE which rights each procedure uses: one JSON object for each action, index and key prefix
    #[arg(long, value_name = "FILE")]
    record_access: Option<PathBuf>,
    /// Where the frontend is, such as http://localhost:5173: mails lead there, and sign-ins with identity providers
    /// come back there
    #[arg(long, value_name = "URL", default_value = "")]
    app_url: String,
    /// Which pages of other machines may call, with commas, such as https://app.example.com; * lets all. Pages of this
    /// machine always may
    #[arg(long, value_name = "ORIGINS", default_value = "")]
    allowed_origins: String,
    /// Who may register: open, closed, or domains of addresses with commas; open if left out
    #[arg(long, value_name = "WHO", default_value = "")]
    registration: String,
    /// How many units of read capacity one caller may use in a minute; 3000 if left out
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    read_units: Option<u32>,
}

#[derive(Subcommand)]
enum Command {
    /// Build and start the service anew after each change of its sources, and write what is generated
    Dev {
        /// The options of the service, as without a command: --port 9100
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<String>,
    },
    /// Write everything that is generated
    Regen {
        /// Write nothing; fail when something is stale
        #[arg(long)]
        check: bool,
    },
    /// Sign a token with this service's own key, or with that of a deployed stage
    Token {
        /// The deployed stage that is to accept it; the local service if left out
        #[arg(long)]
        stage: Option<String>,
        /// The caller's role; may be repeated
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Who the caller is; a new id if left out
        #[arg(long, value_parser = claims::subject)]
        subject: Option<String>,
        /// How long it is valid, 1 to 43200
        #[arg(long, default_value_t = 720, value_name = "MINUTES", value_parser = claims::minutes)]
        minutes: u32,
    },
    /// Call a procedure of a running service, and print what it answers
    Call(CallOptions),
    /// Fill the table with a demonstration company
    Seed,
    /// Print who may call which procedure
    Permissions,
    /// Build all functions and deploy them with their infrastructure to AWS
    Deploy {
        /// dev, prod, or pr-N for a preview
        #[arg(long)]
        stage: String,
        /// Ask nothing
        #[arg(long)]
        yes: bool,
        /// arm64 or x86_64, when it is not the stage's own
        #[arg(long)]
        architecture: Option<String>,
        /// Build the functions for it, and ask AWS nothing
        #[arg(long)]
        build_only: bool,
    },
    /// Remove a deployed stage, with all that it stores
    Destroy {
        /// dev, or pr-N for a preview
        #[arg(long)]
        stage: String,
        /// Ask nothing
        #[arg(long)]
        yes: bool,
    },
    /// Show the log of a deployed procedure
    Logs {
        /// Its name: DOMAIN.PROCEDURE
        procedure: String,
        /// dev, prod, or pr-N for a preview
        #[arg(long, default_value = "dev")]
        stage: String,
        /// How far back: 90s, 10m, 2h, 1d
        #[arg(long, default_value = "10m", value_name = "SPAN")]
        since: String,
        /// Go on until Ctrl-C
        #[arg(long)]
        follow: bool,
    },
    /// Make or rotate the keys of a deployed stage, in its secret at AWS
    Keys {
        /// dev, prod, or pr-N for the previews, which share theirs
        #[arg(long)]
        stage: String,
        /// Sign with other keys: this machine from now on, the functions after the next deployment; tokens of those
        /// before stay good
        #[arg(long, conflicts_with = "retire")]
        rotate: bool,
        /// Accept no token of this key any more
        // One key id in 64 begins with a hyphen.
        #[arg(long, value_name = "KID", allow_hyphen_values = true)]
        retire: Option<String>,
    },
    /// Compare the contract with an older one, style by style; fails with 1 when a caller that worked may fail
    Diff {
        /// The older contract; that of the last release if left out
        old_contract: Option<PathBuf>,
        /// Fail only when nothing can be compared
        #[arg(long)]
        report_only: bool,
    },
    /// Make this contract the released one: clients that know it may not break from now on
    Release,
}

/// Runs a service's command line.
pub fn main(app: App) -> ExitCode {
    let line = CommandLine::parse();
    match run(app, line) {
        Ok(code) => code,
        Err(cause) => {
            eprintln!("onefold: {}", telemetry::chain(&*cause));
            ExitCode::FAILURE
        }
    }
}

fn run(app: App, line: CommandLine) -> Result<ExitCode, Cause> {
    let definition = app.service.definition;
    let data = || line.data.clone().map_or_else(|| default_data(definition), Ok);
    let in_cloud = |parameters: &[String]| aws_commands::run(&workspace::tree(definition)?, parameters, None);
    match line.command {
        None => {
            let options = options(line.serve, data()?, &app)?;
            // The log of calls goes to standard output through one buffer and one thread, so that a slow terminal does
            // not slow calls down; the guard flushes it at the end.
            let (writer, _rest) =
                tracing_appender::non_blocking::NonBlockingBuilder::default().lossy(false).finish(io::stdout());
            telemetry::start(writer, tracing::Level::INFO);
            tokio()?.block_on(serve::run(app.service, options))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Dev { options }) => {
            let Tree { root, layout } = workspace::tree(definition)?;
            let programs = layout.packages.map(|packages| codegen::programs(packages.functions));
            let data = option("--data", line.data.as_ref().map(|data| data.display().to_string()));
            let dev = Dev { root, package: app.package, programs, options: [data, options].concat() };
            tokio()?.block_on(dev::run(dev))
        }
        Some(Command::Regen { check }) => regen(&app, &workspace::root(definition)?, check),
        Some(Command::Token { stage, roles, subject, minutes }) => {
            if let Err(why) = check_roles(&app.service, &roles) {
                return Ok(usage_error(&why));
            }
            println!("{}", token(&app.service, &signer(data()?, stage.as_deref())?, subject, roles, minutes)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Call(options)) => call(&app.service, options, data),
        Some(Command::Seed) => {
            tokio()?.block_on(seed::run(&app, &data()?))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Permissions) => {
            print!("{}", permissions::matrix(&app.service));
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Diff { old_contract, report_only }) => {
            Ok(diff::run(definition, old_contract.as_deref(), report_only))
        }
        Some(Command::Release) => diff::release(&workspace::tree(definition)?),
        Some(Command::Deploy { stage, yes, architecture, build_only }) => {
            let named = parameters(&["deploy", "--stage", &stage]);
            let flags = [flag("--yes", yes), flag("--build-only", build_only)].concat();
            in_cloud(&[named, flags, option("--architecture", architecture)].concat())
        }
        Some(Command::Destroy { stage, yes }) => {
            let named = parameters(&["destroy", "--stage", &stage]);
            in_cloud(&[named, flag("--yes", yes)].concat())
        }
        Some(Command::Logs { procedure, stage, since, follow }) => {
            let named = parameters(&["logs", &procedure, "--stage", &stage, "--since", &since]);
            in_cloud(&[named, flag("--follow", follow)].concat())
        }
        Some(Command::Keys { stage, rotate, retire }) => keys(&app.service, data, &stage, rotate, retire),
    }
}

/// The default data folder.
fn default_data(definition: &Definition) -> Result<PathBuf, Cause> {
    match workspace::root(definition) {
        Ok(root) => Ok(root.join(DATA)),
        Err(cause) => Err(format!("{cause}; or name the folder of its keys and data with --data DIR").into()),
    }
}

fn options(serve: Serve, data: PathBuf, app: &App) -> Result<Options, Cause> {
    let build = || {
        let Tree { root, layout } = workspace::tree(app.service.definition)?;
        let packages = layout.packages.ok_or_else(|| {
            format!("the service {} has no package of functions to build", app.service.definition.name)
        })?;
        let (functions, prefix) = (packages.functions.name, packages.prefix.unwrap_or_default());
        Ok::<_, Cause>(Build { root, functions, prefix, package: app.package })
    };
    Ok(Options {
        port: serve.port,
        data,
        ephemeral: serve.ephemeral || app.ephemeral,
        isolated: if serve.isolated { Some(build()?) } else { None },
        record_access: serve.record_access,
        app_url: serve.app_url,
        allowed_origins: serve.allowed_origins,
        registration: serve.registration,
        read_units: serve.read_units,
    })
}

/// Prints why the command's usage is wrong.
fn usage_error(why: &str) -> ExitCode {
    eprintln!("onefold: {why}");
    ExitCode::from(call::USAGE_ERROR)
}

/// Calls a procedure of the stated service, or of the one that runs with the data folder.
fn call(service: &Service, options: CallOptions, data: impl Fn() -> Result<PathBuf, Cause>) -> Result<ExitCode, Cause> {
    let target = options.target(service, data().ok())?;
    let signed = match options.signs(service, &target).and_then(|signs| {
        check_roles(service, &options.roles(service))?;
        Ok(signs)
    }) {
        Ok(false) => None,
        Ok(true) => {
            let signer = signer(data()?, options.stage.as_deref())?;
            Some(token(service, &signer, options.subject.clone(), options.roles(service), CALL_MINUTES)?)
        }
        Err(why) => return Ok(usage_error(&why)),
    };
    Ok(tokio()?.block_on(call::run(service, options, &target, signed)))
}

/// Creates the keys of a stage and stores in its secrets what they need: the public half of this machine's key, and the
/// functions' key as a whole, which is not stored here.
fn keys(
    service: &Service,
    data: impl Fn() -> Result<PathBuf, Cause>,
    stage: &str,
    rotate: bool,
    retire: Option<String>,
) -> Result<ExitCode, Cause> {
    // The target is checked before a key is created: tokens by a key that only this machine has are accepted nowhere.
    let tree = workspace::tree(service.definition)?;
    let checked = aws_commands::run(&tree, &parameters(&["keys", "--stage", stage, "--check"]), None)?;
    if checked != ExitCode::SUCCESS {
        return Ok(checked);
    }
    let keys = DataFolder::open(data()?)?.stage_keys(stage)?;
    let is_first = keys.existing().is_err() && retire.is_none();
    // Retiring a key takes no key.
    let signer = match (rotate, &retire) {
        (true, _) => Some(keys.rotate()?),
        (false, None) => Some(keys.signer()?),
        (false, Some(_)) => keys.existing().ok(),
    };
    let pkcs8 = TokenSigner::generate()?;
    let functions = TokenSigner::with_thumbprint(&pkcs8)?;
    let kid = functions.public_key().kid.clone();
    let made = serde_json::json!({
        "secret": { environment::TOKENS: token_settings(service.definition, signer.as_ref()) },
        "cursors": { environment::CURSOR_KEY: URL_SAFE_NO_PAD.encode(random_key()?) },
        "functions": {
            "public": functions.public_key(),
            "signer": SignerSettings { kid, pkcs8: URL_SAFE_NO_PAD.encode(pkcs8) },
        },
    });
    let named = [parameters(&["keys", "--stage", stage]), flag("--rotate", rotate), option("--retire", retire)];
    let done = aws_commands::run(&tree, &named.concat(), Some(made.to_string().as_bytes()));
    if is_first && !matches!(done, Ok(ExitCode::SUCCESS)) {
        keys.forget()?;
    }
    if rotate && !matches!(done, Ok(ExitCode::SUCCESS)) {
        eprintln!("This machine signs with its new key already; `cargo run -- keys --stage {stage}` publishes it.");
    }
    done
}

fn parameters(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn flag(name: &str, set: bool) -> Vec<String> {
    if set { parameters(&[name]) } else { Vec::new() }
}

fn option(name: &str, value: Option<String>) -> Vec<String> {
    value.map_or_else(Vec::new, |value| vec![format!("{name}={value}")])
}

fn tokio() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn regen(app: &App, root: &Path, check: bool) -> Result<ExitCode, Cause> {
    let rendered = codegen::render(&app.service).map_err(|faults| faults.join("\n"))?;
    let touched = if check { codegen::stale(root, &rendered)? } else { codegen::write(root, &rendered)? };
    for path in &touched {
        let is_made = rendered.files.iter().any(|file| &file.path == path);
        println!(
            "{} {}",
            if check {
                "stale:"
            } else if is_made {
                "wrote"
            } else {
                "removed"
            },
            path.display()
        );
    }
    let left_out = codegen::left_out(root, &app.service)?;
    for said in &left_out {
        eprintln!("{said}");
    }
    let is_done = left_out.is_empty() && (!check || touched.is_empty());
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How long a token for one call is valid, in minutes.
const CALL_MINUTES: u32 = 5;

/// The signer of tokens: with this service's own key, or with that of a stage.
fn signer(data: PathBuf, stage: Option<&str>) -> Result<TokenSigner, Cause> {
    let data = DataFolder::open(data)?;
    let Some(stage) = stage else { return data.signer() };
    data.stage_keys(stage)?.existing().map_err(|cause| {
        format!("there is no key for {stage} here ({cause}); `cargo run -- keys --stage {stage}` makes one").into()
    })
}

/// Checks that the service has these roles; a service without roles has its own authentication.
fn check_roles(service: &Service, roles: &[String]) -> Result<(), String> {
    let there = service.definition.roles;
    match roles.iter().find(|role| !there.is_empty() && !there.contains(&role.as_str())) {
        Some(unknown) => Err(format!("there is no role {unknown}; there are {}", there.join(", "))),
        None => Ok(()),
    }
}

/// Signs a token; without a `subject`, for a new one.
pub(crate) fn token(
    service: &Service,
    signer: &TokenSigner,
    subject: Option<String>,
    roles: Vec<String>,
    minutes: u32,
) -> Result<String, Cause> {
    let settings = token_settings(service.definition, Some(signer));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let iat = i64::try_from(now)?;
    signer.sign(&Claims {
        iss: settings.issuer,
        aud: settings.audience,
        sub: subject.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        iat,
        nbf: None,
        exp: iat + i64::from(minutes) * 60,
        jti: uuid::Uuid::new_v4().to_string(),
        roles,
        ..Claims::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_whose_name_begins_with_a_hyphen_can_be_retired() {
        let cli = CommandLine::try_parse_from(["onefold", "keys", "--stage", "dev", "--retire", "-aELeehx5"]).unwrap();
        let Some(Command::Keys { retire, .. }) = cli.command else { panic!("another command") };
        assert_eq!(option("--retire", retire), ["--retire=-aELeehx5"], "node's parser takes it in one piece only");
    }
}
