//! Runs a local service from start to Ctrl-C.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use gateways::Gateways;
use protocol::{Cause, ConfigNeed, Needs};
use runtime::{Definition, Service, Site, environment};
use rustix::{fs::Mode, process::umask};
use tokio::net::TcpListener;

use crate::{
    backend::{Backend, BackendTransport},
    build::{self, Build},
    data::{DataFolder, Note, Running},
    front::{Front, Routes, serve},
    isolated::{Function, Pool},
    local_cloud::{Addresses, LocalCloud, needs},
    welcome::Welcome,
};

/// The most instances of one function.
const MAX_INSTANCES: usize = 8;
/// How long an idle instance is kept.
const IDLE_FOR: Duration = Duration::from_secs(120);
/// How long a function may take to request its first call.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The options of a local service.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The data folder.
    pub data: PathBuf,
    /// Whether the table is in memory.
    pub ephemeral: bool,
    /// How to build the functions, if each procedure runs as its own binary.
    pub isolated: Option<Build>,
    /// The file that records which rights the procedures use.
    pub record_access: Option<PathBuf>,
    /// The address of the service's pages; the service's own, when it is empty.
    pub app_url: String,
    /// The origins of other machines that may call, separated by commas; `*` is all, and none when it is empty.
    pub allowed_origins: String,
    /// Who may register, in the form of a stage's setting.
    pub registration: String,
    /// The read units that one caller may use in a minute; the default, if it is not set.
    pub read_units: Option<u32>,
}

/// Refuses addresses that no page can have: links in mails would lead nowhere, and pages would be refused without a
/// message.
fn check_addresses(options: &Options) -> Result<(), Cause> {
    let Options { app_url, allowed_origins, .. } = options;
    if !app_url.is_empty() && !Site::is_address(app_url) {
        return Err(format!("--app-url {app_url} is no address of pages, such as http://localhost:5173").into());
    }
    match Site::listed(allowed_origins).find(|origin| !Site::is_origin(origin)) {
        Some(other) => Err(format!(
            "--allowed-origins has {other}, which is no origin: a scheme, a host and perhaps a port, and nothing behind \
             them, such as https://app.example.com"
        )
        .into()),
        None => Ok(()),
    }
}

/// Runs a service until Ctrl-C or SIGTERM.
///
/// # Errors
/// When it cannot start; the message says what to do.
pub async fn run(service: Service, options: Options) -> Result<(), Cause> {
    check_addresses(&options)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            Cause::from(format!("port {} is taken; choose another one with --port, or stop what uses it", options.port))
        }
        _ => Cause::from(format!("{address} cannot be listened on: {error}")),
    })?;
    let address = listener.local_addr()?;
    let (contract, _) = codegen::contract(&service).map_err(|faults| faults.join("\n"))?;
    let contract = Arc::new(contract);
    let programs = match &options.isolated {
        Some(build) => Some(build::functions(build, service.procedures.len()).await?),
        None => None,
    };
    // Files of this process are for their owner only from now on. The build precedes it, since its files are for all
    // who build.
    umask(Mode::RWXG | Mode::RWXO);
    let data = DataFolder::open(&options.data)?;
    let url = format!("http://{address}");
    // In the cloud a page learns nothing without a token, which it does not have. Here any page that is open in the
    // browser could read development data: without the option, only this machine's pages may call.
    let allowed_origins = Some(options.allowed_origins).filter(|list| !list.trim().is_empty());
    let allowed_origins = allowed_origins.unwrap_or_else(|| url.clone());
    let addresses = Addresses { url, app_url: options.app_url, allowed_origins };
    let cloud = LocalCloud::start(service.definition, &data, options.ephemeral, addresses).await?;
    let cloud = cloud.with_registration(&options.registration)?.with_read_units(options.read_units);
    if let Some(path) = &options.record_access {
        cloud.database.record_accesses(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let needs = needs(&service);
    let note = announce(&cloud, &data, service.definition)?;
    if !options.ephemeral {
        publish_functions_env(&cloud, &data, service.definition, &needs)?;
    }
    let routes = Routes::new(service.procedures.iter().map(|procedure| procedure.entry))?;
    let backend = match programs {
        Some(programs) => isolated(&cloud, &service, &needs, &programs, &routes).await?,
        None => cloud.in_process(&service, &needs)?,
    };
    let trpc_procedures = service.procedures.iter().map(|procedure| procedure.entry);
    let trpc_procedures = trpc_procedures.filter(|entry| entry.http().is_none()).map(|entry| entry.name).collect();
    let welcome = Welcome::new(&service, address);
    let (site, index) = (Arc::new(cloud.site()), welcome.json()?);
    let (backend, cors) = (Arc::new(backend), cloud.cors());
    let gateways = {
        let transport = BackendTransport { backend: Arc::clone(&backend), cors: cors.clone(), site: Arc::clone(&site) };
        let transport: Arc<dyn gateways::Transport> = Arc::new(transport);
        Gateways::new(&contract, &transport, &cors, &site)?
    };
    let mailbox = cloud.local_ses.mailbox().clone();
    let front = Front { backend: Arc::clone(&backend), trpc_procedures, gateways, cors, site, routes, index, mailbox };
    let front = Arc::new(front);
    eprint!("{}", welcome.text());
    // The note is removed first: commands reach this service no more, while another one may be running.
    let stop = async move {
        stop_signal().await;
        drop(note);
    };
    serve(listener, Arc::clone(&front), stop).await;
    drop(front);
    if let Some(Backend::Isolated { pool, .. }) = Arc::into_inner(backend) {
        pool.shutdown().await;
    }
    cloud.local_ses.stop().await;
    cloud.database.stop().await;
    Ok(())
}

/// Leaves a note for the commands that run beside this service.
fn announce(cloud: &LocalCloud, data: &DataFolder, definition: &Definition) -> Result<Note, Cause> {
    let administrator = cloud.database.administrator();
    data.announce(&Running {
        service: definition.name.to_owned(),
        ephemeral: cloud.is_ephemeral(),
        pid: std::process::id(),
        url: cloud.addresses.url.clone(),
        database_endpoint: cloud.database.endpoint().to_owned(),
        access_key_id: administrator.access_key_id.clone(),
        secret_access_key: administrator.secret_access_key.clone(),
    })
}

/// Leaves a file for `cargo lambda watch`: the environment of functions that use this service's table.
fn publish_functions_env(
    cloud: &LocalCloud,
    data: &DataFolder,
    definition: &Definition,
    needs: &HashMap<String, Needs>,
) -> Result<(), Cause> {
    // `cargo lambda watch` gives every function the same environment, so they share their rights there.
    let secrets: BTreeSet<&'static str> = needs.values().flat_map(|needs| &needs.secrets).copied().collect();
    let configs: BTreeMap<&'static str, ConfigNeed> =
        needs.values().flat_map(|needs| &needs.configs).map(|config| (config.name(), *config)).collect();
    let all = Needs {
        grants: needs.values().flat_map(|needs| &needs.grants).copied().collect(),
        mail: needs.values().any(|needs| needs.mail),
        secrets: secrets.into_iter().collect(),
        configs: configs.into_values().collect(),
        ..Needs::default()
    };
    let credentials = cloud.admit("the functions under cargo lambda watch", &all);
    data.write_functions_env(&cloud.environment(definition, &credentials, &all)?)
}

async fn isolated(
    cloud: &LocalCloud,
    service: &Service,
    needs: &HashMap<String, Needs>,
    programs: &HashMap<String, PathBuf>,
    routes: &Routes,
) -> Result<Backend, Cause> {
    let mut functions = Vec::new();
    let mut entries = HashMap::new();
    for procedure in &service.procedures {
        let entry = procedure.entry;
        let name = entry.function();
        let program =
            programs.get(&name).cloned().ok_or_else(|| format!("there is no binary {name}: run `cargo regen`"))?;
        let own = needs.get(entry.name).cloned().unwrap_or_default();
        let credentials = cloud.admit(entry.name, &own);
        let mut environment = cloud.environment(service.definition, &credentials, &own)?;
        environment.extend(routes.methods_of(entry.name).map(|methods| (environment::METHODS.to_owned(), methods)));
        functions.push(Function {
            name,
            program,
            environment,
            // The procedure gives up first, with a typed error.
            timeout: Duration::from_millis(u64::from(entry.spec.timeout_ms) + 1_000),
            init_timeout: INIT_TIMEOUT,
            max_instances: max_instances(entry.spec.concurrency),
            idle_for: IDLE_FOR,
            memory_mb: entry.spec.memory_mb,
        });
        entries.insert(entry.name, entry);
    }
    Ok(Backend::Isolated { entries, pool: Pool::start(functions).await? })
}

/// The procedure's concurrency, but no more than [`MAX_INSTANCES`].
fn max_instances(concurrency: Option<u32>) -> usize {
    concurrency
        .and_then(|stated| usize::try_from(stated).ok())
        .map_or(MAX_INSTANCES, |stated| stated.min(MAX_INSTANCES))
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_procedure_has_as_many_instances_as_it_states_but_no_more_than_a_laptop_bears() {
        assert_eq!(max_instances(None), MAX_INSTANCES);
        assert_eq!(max_instances(Some(1)), 1);
        assert_eq!(max_instances(Some(u32::MAX)), MAX_INSTANCES);
    }
}
