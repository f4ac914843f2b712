//! `seed`: demonstration data for a service, whether it runs or not.

use std::path::Path;

use protocol::{Cause, Clock};
use runtime::{
    seed::{DemonstrationUser, Seeder},
    telemetry,
};
use store::{Settings, Store, StoreLimits, StoreSession};

use crate::{
    command::{App, token},
    data::{DataFolder, Running},
    database::Credentials,
    local_cloud::{Addresses, LocalCloud, table_name},
};

/// Runs the seeds of the service's domains, and prints who can sign in.
///
/// # Errors
/// When the service has no demonstration data, or the table cannot be reached.
pub async fn run(app: &App, data: &Path) -> Result<(), Cause> {
    if app.service.seeds.is_empty() {
        return Err("this service has no demonstration data".into());
    }
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
    let scope = protocol::CursorScope { procedure: "seed", caller: None, input: bytes::Bytes::new() };
    let mut seeder = Seeder::new(StoreSession::new(store, scope, Clock::System));
    for seed in &app.service.seeds {
        seed(&mut seeder).await?;
    }
    if let Some(cloud) = cloud {
        cloud.database.stop().await;
    }
    println!("{}.", seeder.summary());
    if let Some(DemonstrationUser { subject, name, roles, email, password }) = seeder.user().cloned() {
        println!("{name} <{email}> has the role {}.", roles.join(", "));
        println!("Sign in as {email} with the password {password}");
        println!("or, as {} for 12 hours, with the token:", roles.join(", "));
        println!("{}", token(&app.service, &folder.signer()?, Some(subject), roles, 720)?);
    }
    Ok(())
}

/// The table of the service that runs with this folder, if one does.
///
/// # Errors
/// When its database cannot be used: data in another database would not be seen there.
async fn running_store(folder: &DataFolder, table: String, service: &str) -> Result<Option<Store>, Cause> {
    let Some(running) = Running::all(folder.path())?.into_iter().find(|running| running.service == service) else {
        return Ok(None);
    };
    let endpoint = running.database_endpoint;
    let credentials =
        Credentials { access_key_id: running.access_key_id, secret_access_key: running.secret_access_key };
    let store = Store::new(Settings {
        table,
        access: credentials.access(&endpoint),
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
