//! `seed`: demonstration data for a service, whether it runs or not.

use std::{future::Future, path::Path, pin::Pin};

use protocol::{Cause, Clock};
use runtime::telemetry;
use store::{Settings, Store, StoreLimits, StoreSession};

use crate::{
    command::{App, token},
    data::{DataFolder, Running},
    local_cloud::{Addresses, LocalCloud, table_name},
};

/// A function that fills a service with demonstration data.
pub type Seed = fn(StoreSession) -> Pin<Box<dyn Future<Output = Result<Seeded, Cause>> + Send>>;

/// The result of a seed.
pub struct Seeded {
    /// The subject (`sub`) of a token for the demonstration user.
    pub subject: String,
    /// The roles of that token.
    pub roles: Vec<String>,
    /// The address and the password with which the user signs in.
    pub credentials: (String, String),
    /// A message for the person who ran it.
    pub message: String,
}

/// Fills the table, and prints who can sign in.
///
/// # Errors
/// When the service has no demonstration data, or the table cannot be reached.
pub async fn run(app: &App, data: &Path) -> Result<(), Cause> {
    let seed = app.seed.ok_or("this service has no demonstration data")?;
    let folder = DataFolder::open(data)?;
    let definition = app.service.definition;
    // The database is that of a running service, if there is one; else it is started here.
    let (store, cloud) = match running_store(&folder, table_name(definition), definition.name).await? {
        Some(store) => (store, None),
        None => {
            let cloud = LocalCloud::start(definition, &folder, false, Addresses::default()).await?;
            (cloud.store.clone(), Some(cloud))
        }
    };
    let scope = store::Scope { procedure: "seed", caller: None, input: bytes::Bytes::new() };
    let seeded = seed(StoreSession::new(store, scope, Clock::System)).await?;
    if let Some(cloud) = cloud {
        cloud.database.stop().await;
    }
    println!("{}", seeded.message);
    let (email, password) = seeded.credentials;
    println!("Sign in as {email} with the password {password}");
    println!("or, as {} for 12 hours, with the token:", seeded.roles.join(", "));
    println!("{}", token(&app.service, &folder.signer()?, Some(seeded.subject), seeded.roles, 720)?);
    Ok(())
}

/// The table of the service that runs with this folder, if one does.
///
/// # Errors
/// When its database cannot be used: data that is written elsewhere would not be seen there.
async fn running_store(folder: &DataFolder, table: String, service: &str) -> Result<Option<Store>, Cause> {
    let Some(running) = Running::all(folder.path())?.into_iter().find(|running| running.service == service) else {
        return Ok(None);
    };
    let endpoint = running.database_endpoint;
    let store = Store::new(Settings {
        table,
        region: "local".to_owned(),
        endpoint: Some(endpoint.clone()),
        access_key_id: running.access_key_id,
        secret_access_key: running.secret_access_key,
        session_token: None,
        cursor_key: Some(folder.cursor_key()?),
        limits: StoreLimits::default(),
    })?;
    store.create_table_if_missing().await.map_err(|error| {
        format!(
            "the service runs as process {} with the data folder {}, and its database at {endpoint} cannot be used: {}; \
             stop it, or choose another folder with --data DIR",
            running.pid,
            folder.path().display(),
            telemetry::chain(&error),
        )
    })?;
    let place = if running.ephemeral { "in memory, until it ends" } else { "in this data folder" };
    eprintln!("Into the service that runs as process {}, whose table is {place}.", running.pid);
    Ok(Some(store))
}
