//! A local service, from start to Ctrl-C.

use std::{
    collections::{BTreeSet, HashMap},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use gateways::Gateways;
use protocol::{
    Cause, Clock,
    contract::{Contract, Needs},
    trpc::BASE_PATH,
};
use runtime::{
    Authenticator, Callers, Context, Definition, RegistrationPolicy, Secrets, Service, Site,
    cors::Cors,
    environment,
    mail::Post,
    secrets::{SIGNING, Source},
    tokens::{TokenSettings, TokenSigner},
};
use rustix::{fs::Mode, process::umask};
use store::{Limits, MailSettings, Settings, Store};
use tokio::net::TcpListener;

use crate::{
    backend::{Backend, Local, Near},
    build,
    data::{DataFolder, Lock, Note, Running, random_key},
    database::{
        Credentials, EmbeddedDatabase, Location,
        guard::{Policy, Rule},
    },
    front::{Front, Routes, serve},
    isolated::{Function, Pool},
    mail::{Mailbox, PostOffice},
};

/// The region that local functions are told. Nothing depends on it.
const REGION: &str = "local";
/// How many instances of one function run at most.
const MAX_INSTANCES: usize = 8;
/// After how long an idle instance ends.
const IDLE_FOR: Duration = Duration::from_secs(120);
/// How long a function may take to ask for its first call.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How a local service is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Where keys and data are kept.
    pub data: PathBuf,
    /// The table lives in memory and is gone at the end.
    pub ephemeral: bool,
    /// Real binaries behind a Lambda Runtime API, built in this workspace.
    pub isolated: Option<PathBuf>,
    /// Where to write down which rights the procedures use.
    pub record_access: Option<PathBuf>,
    /// Where the service's pages are; at its own address when that is empty.
    pub app_url: String,
    /// Which pages of other machines may call, with commas; `*` is all, and none when it is empty.
    pub allowed_origins: String,
    /// Who may register, as a stage's setting says it.
    pub registration: String,
    /// How many units of read capacity one caller may use in a minute, if not as many as elsewhere.
    pub read_units: Option<u32>,
}

/// The table's name.
pub fn table_name(definition: &Definition) -> String {
    definition.name.to_owned()
}

/// Who signs a service's tokens, for whom, and with which key they are checked.
pub fn token_settings(definition: &Definition, signer: Option<&TokenSigner>) -> TokenSettings {
    TokenSettings {
        issuer: format!("urn:onefold:{}", definition.name),
        audience: definition.name.to_owned(),
        keys: signer.map(|signer| signer.public_key().clone()).into_iter().collect(),
    }
}

/// Where a service and its pages are.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The service: `http://127.0.0.1:9000`.
    pub url: String,
    /// Its pages; the same, when it is empty.
    pub app_url: String,
    /// Which pages may call, with commas; all, when it is empty.
    pub allowed_origins: String,
}

impl Addresses {
    fn site(&self) -> Site {
        Site::new(&self.url, &self.app_url, &self.allowed_origins)
    }
}

/// What a local database and its callers have in common.
pub struct Ground {
    /// The database.
    pub database: EmbeddedDatabase,
    /// The table, asked by an administrator.
    pub store: Store,
    /// What stands for SES.
    pub post_office: PostOffice,
    mail_from: String,
    tokens: Option<TokenSettings>,
    cursor_key: [u8; 32],
    addresses: Addresses,
    registration: RegistrationPolicy,
    read_units: u32,
    data: DataFolder,
    _lock: Option<Lock>,
}

impl Ground {
    /// Whether nothing of it is kept.
    const fn is_ephemeral(&self) -> bool {
        self._lock.is_none()
    }

    /// Starts the database of a service, with its table.
    ///
    /// # Errors
    /// When the folder is in use, or the database does not start.
    pub async fn start(
        definition: &Definition,
        data: &DataFolder,
        ephemeral: bool,
        addresses: Addresses,
    ) -> Result<Self, Cause> {
        let (location, lock, cursor_key) = if ephemeral {
            (Location::Memory, None, random_key()?)
        } else {
            let lock = data.lock()?.ok_or_else(|| in_use(data))?;
            (Location::File(data.database()), Some(lock), data.cursor_key()?)
        };
        let mailbox = if ephemeral { Mailbox::in_memory() } else { Mailbox::in_folder(data.mail()?) };
        let post_office = PostOffice::start(mailbox).await?;
        let mail_from = format!("{} <no-reply@localhost>", definition.name);
        let tokens = match definition.callers {
            Callers::Tokens | Callers::Sessions(_) => Some(token_settings(definition, Some(&data.signer()?))),
            Callers::Custom(_) => None,
        };
        let database = EmbeddedDatabase::start(location).await?;
        let administrator = database.administrator();
        let store = Store::new(Settings {
            table: table_name(definition),
            region: REGION.to_owned(),
            endpoint: Some(database.endpoint().to_owned()),
            access_key_id: administrator.access_key_id.clone(),
            secret_access_key: administrator.secret_access_key.clone(),
            session_token: None,
            cursor_key: Some(cursor_key),
            limits: Limits::default(),
        })?;
        store.create_table_if_missing().await?;
        let data = data.clone();
        let registration = RegistrationPolicy::parse("", &addresses.site())?;
        let read_units = Limits::default().read_units_a_minute;
        Ok(Self {
            database,
            store,
            post_office,
            mail_from,
            tokens,
            cursor_key,
            addresses,
            registration,
            read_units,
            data,
            _lock: lock,
        })
    }

    /// The same, where it is said who may register.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn registering(self, setting: &str) -> Result<Self, Cause> {
        Ok(Self { registration: RegistrationPolicy::parse(setting, &self.site())?, ..self })
    }

    /// The same, where one caller may read so many units in a minute.
    #[must_use]
    pub fn reading(self, read_units: Option<u32>) -> Self {
        let read_units = read_units.unwrap_or(Limits::default().read_units_a_minute);
        Self { store: self.store.with_read_units(read_units), read_units, ..self }
    }

    /// Lets somebody into the database, and to the post office, with the rights of these needs and no other.
    pub fn admit(&self, name: &str, Needs { grants, mail, .. }: &Needs) -> Credentials {
        let credentials = Credentials::random();
        if *mail {
            self.post_office.admit(credentials.access_key_id.clone());
        }
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let rules = grants
            .iter()
            .map(|grant| Rule {
                table_actions: owned(grant.access.table_actions()),
                index_actions: owned(grant.access.index_actions()),
                indexes: owned(grant.indexes),
                leading_keys: grant.prefix.to_owned(),
            })
            .collect();
        let policy = Policy::Procedure { name: name.to_owned(), rules };
        self.database.admit(credentials.access_key_id.clone(), policy);
        credentials
    }

    /// The texts of secrets, by name: those that there are.
    fn secrets(&self, names: &[&'static str]) -> Result<Vec<(&'static str, String)>, Cause> {
        let text = |name| match name {
            SIGNING => self.data.signer_settings().map(|settings| Some(settings.to_string())),
            name => self.data.secret(name),
        };
        let found = names.iter().map(|&name| Ok(text(name)?.map(|text| (name, text))));
        found.filter_map(Result::transpose).collect()
    }

    /// The environment of a function that has these credentials and may read these secrets.
    pub fn environment(
        &self,
        definition: &Definition,
        credentials: &Credentials,
        secrets: &[&'static str],
    ) -> Result<Vec<(String, String)>, Cause> {
        let mut variables = vec![
            (environment::TABLE.to_owned(), table_name(definition)),
            (environment::DATABASE_ENDPOINT.to_owned(), self.database.endpoint().to_owned()),
            (environment::CURSOR_KEY.to_owned(), URL_SAFE_NO_PAD.encode(self.cursor_key)),
            (environment::URL.to_owned(), self.addresses.url.clone()),
            (environment::APP_URL.to_owned(), self.addresses.app_url.clone()),
            (environment::ALLOWED_ORIGINS.to_owned(), self.addresses.allowed_origins.clone()),
            (environment::REGISTRATION.to_owned(), self.registration.to_string()),
            (environment::READ_UNITS.to_owned(), self.read_units.to_string()),
            (environment::MAIL_FROM.to_owned(), self.mail_from.clone()),
            (environment::MAIL_ENDPOINT.to_owned(), self.post_office.endpoint().to_owned()),
            (environment::SECRETS.to_owned(), secrets.join(",")),
            ("AWS_REGION".to_owned(), REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), credentials.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), credentials.secret_access_key.clone()),
        ];
        if let Some(tokens) = &self.tokens {
            variables.push((environment::TOKENS.to_owned(), serde_json::to_string(tokens)?));
        }
        for (name, text) in self.secrets(secrets)? {
            variables.push((environment::variable_of(environment::VALUE_OF, name), text));
        }
        Ok(variables)
    }

    /// How somebody's mails get to the post office.
    pub fn post(&self, credentials: &Credentials) -> Post {
        Post::new(Some(MailSettings {
            from: self.mail_from.clone(),
            region: REGION.to_owned(),
            endpoint: Some(self.post_office.endpoint().to_owned()),
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
            session_token: None,
            limits: MailSettings::LIMITS,
        }))
    }

    /// Where the service is, and whose pages it trusts.
    pub fn site(&self) -> Site {
        self.addresses.site()
    }

    /// Which pages may call.
    pub fn cors(&self) -> Cors {
        Cors::from_list(&self.addresses.allowed_origins)
    }

    /// All procedures in this process, each with its own rights at the database.
    ///
    /// # Errors
    /// When a key cannot be used.
    pub fn in_process(&self, service: &Service, needs: &HashMap<String, Needs>) -> Result<Backend, Cause> {
        let authenticator = self.authenticator(service.definition)?;
        let mut procedures = HashMap::new();
        for procedure in &service.procedures {
            let entry = procedure.entry;
            let own = needs.get(entry.name).cloned().unwrap_or_default();
            let context = self.context(entry.name, &own, &authenticator, Clock::System)?;
            procedures.insert(entry.name, Arc::new(Local { entry, context }));
        }
        Ok(Backend::InProcess(procedures))
    }

    /// Knows the callers of a service.
    pub(crate) fn authenticator(&self, definition: &Definition) -> Result<Arc<Authenticator>, Cause> {
        Ok(Arc::new(Authenticator::new(definition, self.tokens.as_ref(), &self.addresses.url)?))
    }

    /// What the calls of one procedure share: with its own rights at the database, and its own secrets.
    pub(crate) fn context(
        &self,
        name: &str,
        needs: &Needs,
        authenticator: &Arc<Authenticator>,
        clock: Clock,
    ) -> Result<Context, Cause> {
        let credentials = self.admit(name, needs);
        let post = Arc::new(self.post(&credentials));
        let secrets = self.secrets(&needs.secrets)?;
        let secrets = secrets.into_iter().map(|(name, text)| (name.to_owned(), Source::Value(text)));
        Ok(Context {
            authenticator: Arc::clone(authenticator),
            store: Some(self.store.with_credentials(credentials.access_key_id, credentials.secret_access_key)),
            clock,
            cors: self.cors(),
            site: Arc::new(self.site()),
            registration: Arc::new(self.registration.clone()),
            secrets: Arc::new(Secrets::new(secrets)),
            post,
        })
    }
}

/// Who has the folder, as far as it is known.
fn in_use(data: &DataFolder) -> String {
    let who = match data.running() {
        Ok(other) if !other.ephemeral => format!(" (process {} at {})", other.pid, other.url),
        _ => String::new(),
    };
    let shown = data.path().display();
    format!("another service uses this data folder, {shown}{who}; choose one with --data DIR, or stop the other")
}

/// What each procedure needs, from its signature.
pub fn needs(service: &Service) -> HashMap<String, Needs> {
    service.procedures.iter().map(|procedure| (procedure.entry.name.to_owned(), (procedure.needs)())).collect()
}

/// Refuses addresses that no page can have: links in mails would lead nowhere, and pages be refused without a word.
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
    let programs = match &options.isolated {
        Some(root) => Some(build::functions(root).await?),
        None => None,
    };
    // Whatever this process makes from now on is for its owner only; what was built before is for those who build.
    umask(Mode::RWXG | Mode::RWXO);
    let data = DataFolder::open(&options.data)?;
    let url = format!("http://{address}");
    // In the cloud a page learns nothing without a token, which it does not have. Here there are pages of development
    // data and of everything else that is open in the same browser: only this machine's are let in by themselves.
    let allowed_origins = Some(options.allowed_origins).filter(|list| !list.trim().is_empty());
    let allowed_origins = allowed_origins.unwrap_or_else(|| url.clone());
    let addresses = Addresses { url, app_url: options.app_url, allowed_origins };
    let ground = Ground::start(service.definition, &data, options.ephemeral, addresses).await?;
    let ground = ground.registering(&options.registration)?.reading(options.read_units);
    if let Some(path) = &options.record_access {
        ground.database.record_accesses(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let needs = needs(&service);
    let note = announce(&ground, &data, service.definition)?;
    if !options.ephemeral {
        lend(&ground, &data, service.definition, &needs)?;
    }
    let backend = match programs {
        Some(programs) => isolated(&ground, &service, &needs, &programs).await?,
        None => ground.in_process(&service, &needs)?,
    };
    let routes = Routes::new(service.procedures.iter().map(|procedure| procedure.entry));
    let called = service.procedures.iter().map(|procedure| procedure.entry);
    let called = called.filter(|entry| entry.http().is_none()).map(|entry| entry.name).collect();
    let (site, index) = (Arc::new(ground.site()), index(&contract, address)?);
    let (backend, cors) = (Arc::new(backend), ground.cors());
    let gateways = {
        let contract = Arc::new(gateways::Contract::parse(&codegen::contract_json(&contract))?);
        let near = Near { backend: Arc::clone(&backend), cors: cors.clone(), site: Arc::clone(&site) };
        let reach: Arc<dyn gateways::Reach> = Arc::new(near);
        Gateways::new(&contract, &reach, &cors, &site)?
    };
    let mailbox = ground.post_office.mailbox().clone();
    let front = Front { backend: Arc::clone(&backend), called, gateways, cors, site, routes, index, mailbox };
    let front = Arc::new(front);
    eprintln!(
        "{} answers at http://{address}{}  (GET / says what there is, Ctrl-C stops)",
        contract.service, BASE_PATH
    );
    serve(listener, Arc::clone(&front), stop_signal()).await;
    drop((note, front));
    if let Some(Backend::Isolated { pool, .. }) = Arc::into_inner(backend) {
        pool.shutdown().await;
    }
    ground.post_office.stop().await;
    ground.database.stop().await;
    Ok(())
}

/// Leaves a note for the commands that run beside this service.
fn announce(ground: &Ground, data: &DataFolder, definition: &Definition) -> Result<Note, Cause> {
    let administrator = ground.database.administrator();
    data.announce(&Running {
        service: definition.name.to_owned(),
        ephemeral: ground.is_ephemeral(),
        pid: std::process::id(),
        url: ground.addresses.url.clone(),
        database_endpoint: ground.database.endpoint().to_owned(),
        access_key_id: administrator.access_key_id.clone(),
        secret_access_key: administrator.secret_access_key.clone(),
    })
}

/// Leaves a note for `cargo lambda watch`: the environment of functions that use this service's table.
fn lend(
    ground: &Ground,
    data: &DataFolder,
    definition: &Definition,
    needs: &HashMap<String, Needs>,
) -> Result<(), Cause> {
    // `cargo lambda watch` gives every function the same environment, so they share their rights there.
    let secrets: BTreeSet<&'static str> = needs.values().flat_map(|needs| &needs.secrets).copied().collect();
    let all = Needs {
        grants: needs.values().flat_map(|needs| &needs.grants).copied().collect(),
        mail: needs.values().any(|needs| needs.mail),
        ..Needs::default()
    };
    let credentials = ground.admit("the functions under cargo lambda watch", &all);
    data.write_functions_env(&ground.environment(definition, &credentials, &Vec::from_iter(secrets))?)
}

async fn isolated(
    ground: &Ground,
    service: &Service,
    needs: &HashMap<String, Needs>,
    programs: &HashMap<String, PathBuf>,
) -> Result<Backend, Cause> {
    let mut functions = Vec::new();
    let mut entries = HashMap::new();
    for procedure in &service.procedures {
        let entry = procedure.entry;
        let name = entry.name.replace('.', "-");
        let program =
            programs.get(&name).cloned().ok_or_else(|| format!("there is no binary {name}: run `cargo regen`"))?;
        let own = needs.get(entry.name).cloned().unwrap_or_default();
        let credentials = ground.admit(entry.name, &own);
        functions.push(Function {
            name,
            program,
            environment: ground.environment(service.definition, &credentials, &own.secrets)?,
            // The procedure gives up by itself first, with a typed error.
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

/// As many as the procedure states, and not more than a laptop bears.
fn max_instances(concurrency: Option<u32>) -> usize {
    concurrency
        .and_then(|stated| usize::try_from(stated).ok())
        .map_or(MAX_INSTANCES, |stated| stated.min(MAX_INSTANCES))
}

/// What `GET /` answers.
fn index(contract: &Contract, address: SocketAddr) -> Result<Bytes, Cause> {
    let procedures: Vec<_> = contract
        .procedures
        .iter()
        .map(|procedure| {
            serde_json::json!({
                "name": procedure.name,
                "kind": procedure.kind,
                "auth": procedure.auth,
                "docs": procedure.docs,
                "url": match procedure.http.as_deref().and_then(|route| route.split_once(' ')) {
                    Some((_, path)) => format!("http://{address}{path}"),
                    None => format!("http://{address}{BASE_PATH}{}", procedure.name),
                },
                "rest": procedure.rest,
            })
        })
        .collect();
    let gateways: std::collections::BTreeMap<_, Vec<_>> = gateways::FACTS
        .iter()
        .map(|facts| (facts.name, facts.paths.iter().map(|path| format!("http://{address}{path}")).collect()))
        .collect();
    let index = serde_json::json!({
        "service": contract.service,
        "trpc": format!("http://{address}{}", BASE_PATH.trim_end_matches('/')),
        "gateways": gateways,
        "signIn": "auth.register and auth.login; or cargo run -- token --role administrator, then authorization: Bearer <token>",
        "mail": format!("http://{address}{}", crate::mail::page::PATH),
        "procedures": procedures,
    });
    Ok(serde_json::to_vec_pretty(&index)?.into())
}

async fn stop_signal() {
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
