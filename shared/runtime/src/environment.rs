//! The environment variables of a function. No other module reads any.

use std::{collections::HashMap, num::NonZeroU32};

use aws::{Access, MailSettings, SecretSettings};
use protocol::{Cause, case};
use serde_json::Value;
use store::{Settings, StoreLimits};

use crate::{registration::RegistrationPolicy, secrets::Source, site::Site, tokens::TokenSettings};

/// The AWS region. Lambda sets it, and the variables of the credentials.
pub const REGION: &str = "AWS_REGION";
/// The access key id of the credentials.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret access key of the credentials.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// The session token of temporary credentials.
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// The stage that the function belongs to, such as `dev`; none if it is not deployed.
pub const STAGE: &str = "ONEFOLD_STAGE";
/// Where X-Ray's daemon is. Lambda sets it, whether calls are traced or not.
pub const XRAY_DAEMON: &str = "AWS_XRAY_DAEMON_ADDRESS";
/// The name of the table.
pub const TABLE: &str = "ONEFOLD_TABLE";
/// The database's endpoint when it is not AWS. All AWS SDKs read this name.
pub const DATABASE_ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// The endpoint of all AWS services when they are not at AWS; the variable of a single service overrides it.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// The key that seals cursors: 32 bytes in base64url without padding. It is set where callers hold cursors.
pub const CURSOR_KEY: &str = "ONEFOLD_CURSOR_KEY";
/// [`TokenSettings`] as JSON.
pub const TOKENS: &str = "ONEFOLD_TOKENS";
/// The origins that may call, separated by commas; any origin may if it is not set.
pub const ALLOWED_ORIGINS: &str = "ONEFOLD_ALLOWED_ORIGINS";

/// Secrets of AWS Secrets Manager, by name or ARN, separated by commas. Each is a JSON object of variables by name; a
/// value that is not a text stands for its JSON. Variables of the environment override them, and a later secret
/// overrides an earlier one: list the general ones first.
pub const SECRET: &str = "ONEFOLD_SECRET";
/// The endpoint of Secrets Manager when it is not AWS. All AWS SDKs read this name.
pub const SECRETS_ENDPOINT: &str = "AWS_ENDPOINT_URL_SECRETS_MANAGER";

/// The sender of mails: `no-reply@example.com` or `Example <no-reply@example.com>`.
pub const MAIL_FROM: &str = "ONEFOLD_MAIL_FROM";
/// The endpoint of SES when it is not AWS. All AWS SDKs read this name.
pub const MAIL_ENDPOINT: &str = "AWS_ENDPOINT_URL_SES";

/// The service's address: `https://api.example.com`. It is the issuer of its tokens.
pub const URL: &str = "ONEFOLD_URL";
/// The address of the service's pages; links in mails lead there.
pub const APP_URL: &str = "ONEFOLD_APP_URL";
/// Who may register an account: `open`, `closed`, or mail domains separated by commas. If it is not set, registration
/// is open at a loopback address and closed anywhere else.
pub const REGISTRATION: &str = "ONEFOLD_REGISTRATION";
/// The read capacity units that one caller may use in a minute; the store's default if it is not set.
pub const READ_UNITS: &str = "ONEFOLD_READ_UNITS";
/// The header in which the front before the gateway states the caller's network address. Set it only where every
/// request passes that front, which must overwrite the header that callers send.
pub const ADDRESS_HEADER: &str = "ONEFOLD_ADDRESS_HEADER";
/// The name pattern of the procedures' functions at Lambda: `shop-dev-{}`, where `{}` stands for `orders-get`.
pub const FUNCTIONS: &str = "ONEFOLD_FUNCTIONS";
/// The endpoint of Lambda when it is not AWS. All AWS SDKs read this name.
pub const FUNCTIONS_ENDPOINT: &str = "AWS_ENDPOINT_URL_LAMBDA";
/// All methods of the function's path, by REST or by `http`: `GET, HEAD, PATCH, DELETE`. It is set where other
/// functions answer some of them.
pub const METHODS: &str = "ONEFOLD_METHODS";
/// `off` hides the service's documents from callers: no documents, no descriptions, no schema of GraphQL. They are
/// public if it is not set.
pub const DOCUMENTS: &str = "ONEFOLD_DOCUMENTS";
/// The names of the secrets that the function may read, separated by commas. [`SECRET_OF`] and the name in capitals,
/// with underscores for hyphens, holds the secret's place at Secrets Manager; or [`VALUE_OF`] and the name holds its
/// value.
pub const SECRETS: &str = "ONEFOLD_SECRETS";
/// The prefix of variables with a secret's name or ARN, see [`SECRETS`].
pub const SECRET_OF: &str = "ONEFOLD_SECRET_";
/// The prefix of variables with a secret's value, see [`SECRETS`]. Only the local service sets them.
pub const VALUE_OF: &str = "ONEFOLD_VALUE_";

/// The prefix of variables with a configuration, as JSON: `ONEFOLD_CONFIG_SHOP` for `shop`. Those of the local service
/// may state some members only.
pub const CONFIG_OF: &str = "ONEFOLD_CONFIG_";

/// The functions of the procedures, for a gateway that invokes them.
#[derive(Clone)]
pub struct FunctionSettings {
    /// The pattern of their names; `{}` stands for the part that the contract states.
    pub pattern: String,
    /// How Lambda is reached.
    pub access: Access,
}

impl FunctionSettings {
    /// The name of a function in the stage: `shop-dev-orders-get` for `orders-get`.
    pub fn name_of(&self, function: &str) -> String {
        self.pattern.replace("{}", function)
    }
}

/// The settings of a function.
pub struct Environment {
    /// The stage, if the function is deployed.
    pub stage: Option<String>,
    /// Where X-Ray's daemon is.
    pub xray_daemon: Option<String>,
    /// The database, when the function has one.
    pub store: Option<Settings>,
    /// How tokens are checked, when they are.
    pub tokens: Option<TokenSettings>,
    /// The origins that may call, separated by commas.
    pub allowed_origins: String,
    /// The service's address; empty if it is not set.
    pub url: String,
    /// The address of its pages; empty if it is the service's own.
    pub app_url: String,
    /// Who may register an account.
    pub registration: RegistrationPolicy,
    /// All methods of its path, where other functions answer some of them.
    pub methods: Option<String>,
    /// The header that states the caller's network address, where a front stands before the gateway.
    pub address_header: Option<String>,
    /// Whether the documents are public.
    pub documents: bool,
    /// Its secrets, by name.
    pub secrets: Vec<(String, Source)>,
    /// The settings of mail, if the function sends any.
    pub mail: Option<MailSettings>,
    /// The functions that it may invoke, if it is a gateway.
    pub functions: Option<FunctionSettings>,
}

impl Environment {
    /// Reads the process's environment, and the secrets that it names.
    ///
    /// # Errors
    /// When a variable is missing or malformed, which the error names, or when a secret cannot be read.
    pub async fn from_process() -> Result<Self, Cause> {
        Self::load(|name| std::env::var(name).ok()).await
    }

    async fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Cause> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let Some(ids) = set(SECRET) else { return Self::from_lookup(lookup) };
        let settings = ids.split(',').map(|id| secret_settings(&set, id.to_owned())).collect::<Result<Vec<_>, _>>()?;
        let texts = futures_util::future::try_join_all(settings.into_iter().map(aws::read_secret)).await?;
        let secrets = texts.iter().map(|text| parse_secret(text)).collect::<Result<Vec<_>, _>>()?;
        let in_secrets = |name: &str| secrets.iter().rev().find_map(|secret| secret.get(name).cloned());
        Self::from_lookup(|name| set(name).or_else(|| in_secrets(name)))
    }

    /// Reads the settings from variables.
    ///
    /// # Errors
    /// As [`Environment::from_process`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Cause> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let tokens = lookup(TOKENS).map(|json| serde_json::from_str(&json)).transpose();
        let tokens = tokens.map_err(|error| Cause::from(format!("{TOKENS} is malformed: {error}")))?;
        let store = match lookup(TABLE) {
            None => None,
            Some(table) => Some(Settings {
                table,
                access: access(&lookup, DATABASE_ENDPOINT)?,
                cursor_key: lookup(CURSOR_KEY).map(|text| parse_key(&text)).transpose()?,
                limits: limits(&lookup)?,
            }),
        };
        let (url, app_url) = (lookup(URL).unwrap_or_default(), lookup(APP_URL).unwrap_or_default());
        let registration =
            RegistrationPolicy::parse(&lookup(REGISTRATION).unwrap_or_default(), &Site::new(&url, &app_url, ""));
        Ok(Self {
            stage: lookup(STAGE),
            xray_daemon: lookup(XRAY_DAEMON),
            store,
            tokens,
            allowed_origins: lookup(ALLOWED_ORIGINS).unwrap_or_default(),
            url,
            app_url,
            registration: registration.map_err(|cause| format!("{REGISTRATION}: {cause}"))?,
            methods: lookup(METHODS),
            address_header: lookup(ADDRESS_HEADER),
            documents: documents(&lookup)?,
            secrets: secrets(&lookup)?,
            mail: mail(&lookup)?,
            functions: functions(&lookup)?,
        })
    }
}

/// The variable of a secret or of a configuration: `ONEFOLD_SECRET_IDENTITY_PROVIDERS` for `identity-providers`.
pub fn variable_of(before: &str, name: &str) -> String {
    before.to_owned() + &case::variable(name)
}

/// The text of a configuration's variable, if it is set.
pub fn config(name: &str) -> Option<String> {
    std::env::var(variable_of(CONFIG_OF, name)).ok().filter(|text| !text.is_empty())
}

fn limits(lookup: &impl Fn(&str) -> Option<String>) -> Result<StoreLimits, Cause> {
    let Some(units) = lookup(READ_UNITS) else { return Ok(StoreLimits::default()) };
    let units: NonZeroU32 = units.parse().map_err(|_| format!("{READ_UNITS} is no whole number from 1"))?;
    Ok(StoreLimits { read_units_a_minute: units.get(), ..StoreLimits::default() })
}

/// A misspelt word is an error: otherwise documents that were meant to be off would stay on.
fn documents(lookup: &impl Fn(&str) -> Option<String>) -> Result<bool, Cause> {
    match lookup(DOCUMENTS).as_deref() {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(_) => Err(format!("{DOCUMENTS} is neither `on` nor `off`").into()),
    }
}

fn secrets(lookup: &impl Fn(&str) -> Option<String>) -> Result<Vec<(String, Source)>, Cause> {
    let Some(names) = lookup(SECRETS) else { return Ok(Vec::new()) };
    let mut secrets = Vec::new();
    for name in names.split(',') {
        let source = match (lookup(&variable_of(VALUE_OF, name)), lookup(&variable_of(SECRET_OF, name))) {
            (Some(value), _) => Source::Value(value),
            (None, Some(id)) => Source::Stored(Box::new(secret_settings(lookup, id)?)),
            (None, None) => continue,
        };
        secrets.push((name.to_owned(), source));
    }
    Ok(secrets)
}

fn mail(lookup: &impl Fn(&str) -> Option<String>) -> Result<Option<MailSettings>, Cause> {
    let Some(from) = lookup(MAIL_FROM) else { return Ok(None) };
    if !from.contains('@') || !from.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(format!("{MAIL_FROM} is no address in ASCII").into());
    }
    Ok(Some(MailSettings { from, access: access(lookup, MAIL_ENDPOINT)?, retries: MailSettings::RETRIES }))
}

fn functions(lookup: &impl Fn(&str) -> Option<String>) -> Result<Option<FunctionSettings>, Cause> {
    let Some(pattern) = lookup(FUNCTIONS) else { return Ok(None) };
    if pattern.matches("{}").count() != 1 {
        return Err(format!("{FUNCTIONS} has no {{}} for the part of a name that stands for the procedure").into());
    }
    Ok(Some(FunctionSettings { pattern, access: access(lookup, FUNCTIONS_ENDPOINT)? }))
}

fn secret_settings(lookup: &impl Fn(&str) -> Option<String>, id: String) -> Result<SecretSettings, Cause> {
    Ok(SecretSettings { id, access: access(lookup, SECRETS_ENDPOINT)? })
}

/// The access to a service of AWS, whose endpoint has a variable of its own.
fn access(lookup: &impl Fn(&str) -> Option<String>, endpoint: &str) -> Result<Access, Cause> {
    let required = |name: &str| lookup(name).ok_or_else(|| Cause::from(format!("{name} is not set")));
    Ok(Access {
        region: required(REGION)?,
        endpoint: lookup(endpoint).or_else(|| lookup(ENDPOINT)),
        access_key_id: required(ACCESS_KEY_ID)?,
        secret_access_key: required(SECRET_ACCESS_KEY)?,
        session_token: lookup(SESSION_TOKEN),
    })
}

/// The variables in a secret. Errors do not quote malformed text: it may be the secret itself.
fn parse_secret(text: &str) -> Result<HashMap<String, String>, Cause> {
    let fields: serde_json::Map<String, Value> =
        serde_json::from_str(text).map_err(|_| format!("the secret that {SECRET} names is no JSON object"))?;
    let plain = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(fields.into_iter().map(|(name, value)| (name, plain(value))).collect())
}

fn parse_key(text: &str) -> Result<[u8; 32], Cause> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let malformed = || Cause::from(format!("{CURSOR_KEY} is not 32 bytes in base64url"));
    URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?.try_into().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn a_secret_holds_variables_as_text_or_as_json() {
        let secret = parse_secret(r#"{"A": "text", "B": {"issuer": "us"}}"#).unwrap();
        assert_eq!((secret["A"].as_str(), secret["B"].as_str()), ("text", r#"{"issuer":"us"}"#));
    }

    /// What stands behind a function that is told of a general secret and of that of cursors, and where it found them.
    async fn with_secrets(general: Value, cursors: Value) -> (Settings, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let manager = tokio::spawn(async move {
            for _ in 0..2 {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut asked = [0; 4096];
                let length = connection.read(&mut asked).await.unwrap();
                let is_of_cursors = String::from_utf8_lossy(&asked[..length]).contains("onefold/test/cursors");
                let secret = if is_of_cursors { &cursors } else { &general };
                let body = json!({ "SecretString": secret.to_string() }).to_string();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                connection.write_all((head + &body).as_bytes()).await.unwrap();
            }
        });
        let environment = Environment::load(|name| match name {
            SECRET => Some("onefold/test,onefold/test/cursors".to_owned()),
            ENDPOINT => Some(endpoint.clone()),
            TABLE => Some("ours".to_owned()),
            REGION | ACCESS_KEY_ID | SECRET_ACCESS_KEY => Some("x".to_owned()),
            _ => None,
        });
        let store = environment.await.unwrap().store.unwrap();
        manager.await.unwrap();
        (store, endpoint)
    }

    const ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[tokio::test]
    async fn what_is_not_in_the_environment_comes_from_the_secrets() {
        let (store, endpoint) = with_secrets(json!({ TABLE: "another" }), json!({ CURSOR_KEY: ZEROS })).await;
        assert_eq!(store.access.endpoint.as_deref(), Some(endpoint.as_str()), "what is said of all counts for each");
        assert_eq!((store.table.as_str(), store.cursor_key), ("ours", Some([0; 32])), "what is set counts");
    }

    /// The general secret of an old stage still has the key that has a secret of its own by now.
    #[tokio::test]
    async fn what_stands_in_two_secrets_counts_as_in_the_more_particular_one() {
        let general = json!({ CURSOR_KEY: "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE" });
        assert_eq!(with_secrets(general.clone(), json!({ CURSOR_KEY: ZEROS })).await.0.cursor_key, Some([0; 32]));
        assert_eq!(with_secrets(general, json!({})).await.0.cursor_key, Some([1; 32]));
    }

    #[test]
    fn documents_are_on_until_they_are_switched_off() {
        let read = |value: &'static str| {
            let lookup = move |name: &str| (name == DOCUMENTS).then(|| value.to_owned());
            Environment::from_lookup(lookup).map(|environment| environment.documents).ok()
        };
        assert_eq!([read(""), read("on"), read("off"), read("Off")], [Some(true), Some(true), Some(false), None]);
    }

    #[test]
    fn how_much_a_caller_may_read_is_a_number_from_one() {
        let read = |units: &'static str| limits(&move |_: &str| Some(units.to_owned()).filter(|it| !it.is_empty()));
        assert_eq!(read("").unwrap().read_units_a_minute, StoreLimits::default().read_units_a_minute);
        assert_eq!(read("12").unwrap().read_units_a_minute, 12);
        for wrong in ["0", "-1", "1.5", "many"] {
            assert!(read(wrong).err().unwrap().to_string().contains(READ_UNITS), "{wrong}");
        }
    }

    #[test]
    fn mail_is_sent_by_who_is_told_from_whom() {
        let read = |from: &'static str, of_ses: Option<&'static str>| {
            Environment::from_lookup(move |name| match name {
                MAIL_FROM => Some(from.to_owned()),
                MAIL_ENDPOINT => of_ses.map(str::to_owned),
                ENDPOINT => Some("http://all".to_owned()),
                REGION | ACCESS_KEY_ID | SECRET_ACCESS_KEY => Some("x".to_owned()),
                _ => None,
            })
            .map(|environment| environment.mail)
        };
        assert!(read("", None).unwrap().is_none());
        let mail = read("Us <us@example.com>", Some("http://ses")).unwrap().unwrap();
        assert_eq!((mail.from.as_str(), mail.access.endpoint.as_deref()), ("Us <us@example.com>", Some("http://ses")));
        assert_eq!(read("us@example.com", None).unwrap().unwrap().access.endpoint.as_deref(), Some("http://all"));
        for wrong in ["us", "us@example.com\r\nBcc: eve@example.com", "Büro <us@example.com>"] {
            assert!(read(wrong, None).err().unwrap().to_string().contains(MAIL_FROM), "{wrong}");
        }
    }

    #[test]
    fn a_gateway_knows_functions_by_a_pattern() {
        let read = |pattern: &str| {
            Environment::from_lookup(|name| match name {
                FUNCTIONS => Some(pattern.to_owned()),
                FUNCTIONS_ENDPOINT => None,
                ENDPOINT => Some("http://all".to_owned()),
                name if name.starts_with("AWS_") => Some("x".to_owned()),
                _ => None,
            })
            .map(|environment| environment.functions)
        };
        assert!(read("").unwrap().is_none());
        let functions = read("shop-dev-{}").unwrap().unwrap();
        assert_eq!(functions.name_of("orders-mark-paid"), "shop-dev-orders-mark-paid");
        assert_eq!(functions.access.endpoint.as_deref(), Some("http://all"));
        for wrong in ["shop-dev-", "{}-{}"] {
            assert!(read(wrong).err().unwrap().to_string().contains(FUNCTIONS), "{wrong}");
        }
    }

    #[test]
    fn a_malformed_secret_is_not_shown() {
        for malformed in ["hunter2", r#"["hunter2"]"#, ""] {
            let message = parse_secret(malformed).unwrap_err().to_string();
            assert!(message.contains(SECRET) && !message.contains("hunter2"), "{message}");
        }
    }
}
