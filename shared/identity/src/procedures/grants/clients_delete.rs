//! `grants.clientsDelete`.

use runtime::prelude::*;

use crate::{ApplicationClient, AuditAction, AuditEntry, ClientId, audit::Audit};

/// Which application.
#[wire(input)]
pub struct Input {
    /// Its `client_id`.
    pub id: ClientId,
}

/// Why nothing was removed.
#[derive(Debug, Failure)]
pub enum Error {
    /// No application has this id.
    #[failure(NOT_FOUND)]
    Missing(ClientId),
}

/// Remove a third party's application for good.
///
/// From now on it gets no code and no token, and can refresh none: whoever let it in has nothing to do. Its access
/// tokens change nothing any more; what only reads takes them for up to 15 minutes.
#[procedure(mutation, auth = permission("clients:write"), rest = "DELETE /v1/clients/{id}")]
pub async fn clients_delete(
    clients: Delete<ApplicationClient>,
    audit: Audit,
    caller: Caller,
    #[input] input: Input,
) -> Result<(), Error> {
    let client = clients.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    let entry = AuditEntry {
        detail: Some(client.application.name.clone()),
        ..audit.by_on(&caller, AuditAction::ClientDeleted, input.id)
    };
    Ok(store::transaction(vec![clients.deleting(&client), audit.creating(entry)]).await?)
}
