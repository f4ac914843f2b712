//! The local cloud of a service: its database and its SES, with the credentials and settings of all who use them.

use std::{collections::HashMap, sync::Arc};

use aws::MailSettings;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{Cause, Clock, ConfigNeed, Needs};
use runtime::{
    Authenticator, Callers, Context, Definition, RegistrationPolicy, Secrets, Service, Site,
    config::{ConfigText, Configs},
    cors::Cors,
    environment,
    mail::MailTransport,
    metrics::MetricOutput,
    secrets::{SIGNING, Source},
    tokens::{TokenSettings, TokenSigner},
};
use serde_json::{Map, Value};
use store::{Settings, Store, StoreLimits};

use crate::{
    backend::{Backend, LocalProcedure},
    data::{DataFolder, Lock, random_key},
    database::{
        Credentials, EmbeddedDatabase, Location, REGION,
        guard::{Policy, Rule},
    },
    mail::{LocalSes, Mailbox},
};

/// The name of the service's table.
pub fn table_name(definition: &Definition) -> String {
    definition.name.to_owned()
}

/// The settings of a service's tokens: issuer, audience, and the keys that verify them.
pub fn token_settings(definition: &Definition, signer: Option<&TokenSigner>) -> TokenSettings {
    TokenSettings {
        issuer: format!("urn:onefold:{}", definition.name),
        audience: definition.name.to_owned(),
        keys: signer.map(|signer| signer.public_key().clone()).into_iter().collect(),
    }
}

/// The addresses of a service and its pages.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The service: `http://127.0.0.1:9000`.
    pub url: String,
    /// Its pages; the service's address, when it is empty.
    pub app_url: String,
    /// The origins that may call, separated by commas; all, when it is empty.
    pub allowed_origins: String,
}

impl Addresses {
    fn site(&self) -> Site {
        Site::new(&self.url, &self.app_url, &self.allowed_origins)
    }
}

/// The database and the SES of a local service, with the settings that all callers share.
pub struct LocalCloud {
    /// The database.
    pub database: EmbeddedDatabase,
    /// The table, accessed as administrator.
    pub store: Store,
    /// The server that stands for Amazon SES.
    pub local_ses: LocalSes,
    mail_from: String,
    tokens: Option<TokenSettings>,
    cursor_key: [u8; 32],
    pub(crate) addresses: Addresses,
    registration: RegistrationPolicy,
    read_units: u32,
    data: DataFolder,
    _lock: Option<Lock>,
}

impl LocalCloud {
    /// Whether nothing of it is stored on disk.
    pub(crate) const fn is_ephemeral(&self) -> bool {
        self._lock.is_none()
    }

    /// Starts the database of a service, and creates its table.
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
        let local_ses = LocalSes::start(mailbox).await?;
        let mail_from = format!("{} <no-reply@localhost>", definition.name);
        let tokens = match definition.callers {
            Callers::Tokens | Callers::Sessions(_) => Some(token_settings(definition, Some(&data.signer()?))),
            Callers::Custom(_) => None,
        };
        let database = EmbeddedDatabase::start(location).await?;
        let store = Store::new(Settings {
            table: table_name(definition),
            access: database.administrator().access(database.endpoint()),
            cursor_key: Some(cursor_key),
            limits: StoreLimits::default(),
        })?;
        store.create_table_if_missing().await?;
        let data = data.clone();
        let registration = RegistrationPolicy::parse("", &addresses.site())?;
        let read_units = StoreLimits::default().read_units_a_minute;
        Ok(Self {
            database,
            store,
            local_ses,
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

    /// Sets who may register, in the form of a stage's setting.
    ///
    /// # Errors
    /// When the setting is malformed.
    pub fn with_registration(self, setting: &str) -> Result<Self, Cause> {
        Ok(Self { registration: RegistrationPolicy::parse(setting, &self.site())?, ..self })
    }

    /// Sets how many read units one caller may use in a minute.
    #[must_use]
    pub fn with_read_units(self, read_units: Option<u32>) -> Self {
        let read_units = read_units.unwrap_or(StoreLimits::default().read_units_a_minute);
        Self { store: self.store.with_read_units(read_units), read_units, ..self }
    }

    /// Creates credentials for the database and the SES, with the rights of these needs and no other.
    pub fn admit(&self, name: &str, Needs { grants, mail, .. }: &Needs) -> Credentials {
        let credentials = Credentials::random();
        if *mail {
            self.local_ses.admit(credentials.access_key_id.clone());
        }
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let rules = grants
            .iter()
            .map(|grant| Rule {
                table_actions: owned(grant.table_actions()),
                index_actions: owned(grant.index_actions()),
                indexes: owned(grant.indexes),
                leading_keys: grant.prefix.to_owned(),
            })
            .collect();
        let policy = Policy::Procedure { name: name.to_owned(), rules };
        self.database.admit(credentials.access_key_id.clone(), policy);
        credentials
    }

    /// The texts of those secrets that exist, by name.
    fn secrets(&self, names: &[&'static str]) -> Result<Vec<(&'static str, String)>, Cause> {
        let text = |name| match name {
            SIGNING => self.data.signer_settings().map(|settings| Some(settings.to_string())),
            name => self.data.secret(name),
        };
        let found = names.iter().map(|&name| Ok(text(name)?.map(|text| (name, text))));
        found.filter_map(Result::transpose).collect()
    }

    /// The texts of configurations, by name: the local values, but for the members that a file or a variable states.
    ///
    /// # Errors
    /// When one is no JSON object, or does not have its type.
    fn configs(&self, needs: &[ConfigNeed]) -> Result<Vec<(&'static str, ConfigText)>, Cause> {
        let text = |need: &ConfigNeed| {
            let (name, mut values) = (need.name(), need.local()?);
            let mut places = vec![format!("the configuration `{name}`")];
            let file = self.data.config(name)?.map(|text| (self.data.config_path(name).display().to_string(), text));
            let variable = environment::variable_of(environment::CONFIG_OF, name);
            let variable = environment::config(name).map(|text| (variable, text));
            for (place, text) in file.into_iter().chain(variable) {
                let stated: Map<String, Value> =
                    serde_json::from_str(&text).map_err(|error| format!("{place} is no JSON object: {error}"))?;
                values.as_object_mut().into_iter().for_each(|values| values.extend(stated.clone()));
                places.push(place);
            }
            let place = places.join(", with ");
            // A shell keeps what has no quote as it is, see `write_functions_env`.
            let text = values.to_string().replace('\'', "\\u0027");
            need.reader.read(&text).map_err(|faults| format!("{place}: {faults}"))?;
            Ok((name, ConfigText { text, place }))
        };
        needs.iter().map(text).collect()
    }

    /// The environment of a function that has these credentials and these needs.
    pub fn environment(
        &self,
        definition: &Definition,
        credentials: &Credentials,
        Needs { secrets, configs, .. }: &Needs,
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
            (environment::MAIL_ENDPOINT.to_owned(), self.local_ses.endpoint().to_owned()),
            (environment::SECRETS.to_owned(), secrets.join(",")),
            (environment::REGION.to_owned(), REGION.to_owned()),
            (environment::ACCESS_KEY_ID.to_owned(), credentials.access_key_id.clone()),
            (environment::SECRET_ACCESS_KEY.to_owned(), credentials.secret_access_key.clone()),
        ];
        if let Some(tokens) = &self.tokens {
            variables.push((environment::TOKENS.to_owned(), serde_json::to_string(tokens)?));
        }
        for (name, text) in self.secrets(secrets)? {
            variables.push((environment::variable_of(environment::VALUE_OF, name), text));
        }
        for (name, ConfigText { text, .. }) in self.configs(configs)? {
            variables.push((environment::variable_of(environment::CONFIG_OF, name), text));
        }
        Ok(variables)
    }

    /// The mail transport of a caller with these credentials.
    pub fn mail_transport(&self, credentials: &Credentials) -> MailTransport {
        MailTransport::new(Some(MailSettings {
            from: self.mail_from.clone(),
            access: credentials.access(self.local_ses.endpoint()),
            retries: MailSettings::RETRIES,
        }))
    }

    /// The addresses of the service, and its trusted origins.
    pub fn site(&self) -> Site {
        self.addresses.site()
    }

    /// The CORS policy.
    pub fn cors(&self) -> Cors {
        Cors::from_list(&self.addresses.allowed_origins)
    }

    /// A backend that runs all procedures in this process, each with its own rights at the database.
    ///
    /// # Errors
    /// When a key is malformed.
    pub fn in_process(&self, service: &Service, needs: &HashMap<String, Needs>) -> Result<Backend, Cause> {
        let authenticator = self.authenticator(service.definition)?;
        let mut procedures = HashMap::new();
        for procedure in &service.procedures {
            let entry = procedure.entry;
            let own = needs.get(entry.name).cloned().unwrap_or_default();
            let context = self.context(entry.name, &own, &authenticator, Clock::System)?;
            procedures.insert(entry.name, Arc::new(LocalProcedure { entry, context }));
        }
        Ok(Backend::InProcess(procedures))
    }

    /// The authenticator of a service.
    pub(crate) fn authenticator(&self, definition: &Definition) -> Result<Arc<Authenticator>, Cause> {
        Ok(Arc::new(Authenticator::new(definition, self.tokens.as_ref(), &self.addresses.url)?))
    }

    /// The context of one procedure's calls: with its own rights at the database, and its own secrets.
    pub(crate) fn context(
        &self,
        name: &str,
        needs: &Needs,
        authenticator: &Arc<Authenticator>,
        clock: Clock,
    ) -> Result<Context, Cause> {
        let credentials = self.admit(name, needs);
        let post = Arc::new(self.mail_transport(&credentials));
        let secrets = self.secrets(&needs.secrets)?;
        let secrets = secrets.into_iter().map(|(name, text)| (name.to_owned(), Source::Value(text)));
        let configs = Configs::of(&needs.configs, self.configs(&needs.configs)?)?;
        Ok(Context {
            authenticator: Arc::clone(authenticator),
            store: Some(self.store.with_credentials(credentials.access_key_id, credentials.secret_access_key)),
            clock,
            cors: self.cors(),
            site: Arc::new(self.site()),
            registration: Arc::new(self.registration.clone()),
            secrets: Arc::new(Secrets::new(secrets)),
            configs,
            metrics: MetricOutput::Log,
            mail_transport: post,
        })
    }
}

/// Says which process uses the folder, as far as it is known.
fn in_use(data: &DataFolder) -> String {
    let who = match data.running() {
        Ok(other) if !other.ephemeral => format!(" (process {} at {})", other.pid, other.url),
        _ => String::new(),
    };
    let shown = data.path().display();
    format!("another service uses this data folder, {shown}{who}; choose one with --data DIR, or stop the other")
}

/// What each procedure needs, by its signature.
pub fn needs(service: &Service) -> HashMap<String, Needs> {
    service.procedures.iter().map(|procedure| (procedure.entry.name.to_owned(), procedure.needs())).collect()
}
