//! `grants.clientsList`.

use runtime::prelude::*;

use crate::{Application, ApplicationClient};

/// Which page.
#[wire(input)]
pub struct Input {
    /// How many applications a page has; 20 if left out.
    #[garde(dive)]
    pub limit: Option<PageSize>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<Cursor>,
}

/// List the third parties' applications, newest first.
#[procedure(query, auth = permission("clients:read"), rest = "GET /v1/clients")]
pub async fn clients_list(
    clients: Read<ApplicationClient>,
    #[input] input: Input,
) -> Result<Page<Application>, NoFailure> {
    let list = clients.list(&ApplicationClient::BY_CREATION).descending();
    let page = list.page(input.limit.unwrap_or_default(), input.cursor.as_ref()).await?;
    Ok(Page { items: page.items.into_iter().map(|client| client.application).collect(), next: page.next })
}
