//! `account.export`.

use crate::User;
use onefold::{identity, prelude::*};

identity::export! {
    User;
    posts: crate::Post by BY_AUTHOR, "What the person wrote";
}

/// Take along everything that is kept about oneself, list by list and part by part.
#[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/account/export")]
pub async fn export(data: Export, caller: Caller, #[input] input: Input) -> Result<Exported, Error> {
    Ok(data.part(&caller, input).await?)
}
