//! `oauth.providers`.

use runtime::{Secret, prelude::*};

use crate::{federation::IdentityProviders, sign_in_flows};

/// With which providers one can sign in.
#[wire]
pub struct Listed {
    /// In the order in which they are configured.
    pub items: Vec<Button>,
}

/// One provider.
#[wire]
pub struct Button {
    /// For `oauth.start`.
    pub id: String,
    /// What stands on the button.
    pub label: String,
}

/// List the providers with which one can sign in.
#[procedure(query, auth = public, rest = "GET /v1/oauth/providers", cache_s = 60)]
pub async fn providers(providers: Secret<IdentityProviders>) -> Result<Listed, NoFailure> {
    let known = sign_in_flows::providers(&providers).await?;
    let buttons = known.iter().map(|it| Button { id: it.id.clone(), label: it.label.clone() });
    Ok(Listed { items: buttons.collect() })
}
