//! What a service states of itself, beside its procedures.

use serde::Serialize;

/// Where a service's files are, each from the folder of its workspace. What is generated goes there, and two services in
/// one workspace have no folder in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// The folder of what callers get: the contract, the npm package and the documents, such as `bindings`.
    pub bindings: &'static str,
    /// The packages of its Lambda functions; a service in one file may have none, and is not deployed.
    pub packages: Option<Packages>,
}

/// The packages of a service's Lambda functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// The package of the procedures: its sources hold `<domain>/<procedure>.rs`, and its `src/bin` one program for each.
    pub functions: Package,
    /// The package of the gateways' programs, apart: those of procedures neither wait for what gateways need, nor are
    /// those of gateways linked again after a change of a procedure.
    pub gateways: Package,
}

/// A Cargo package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// Its folder, from that of the workspace.
    pub folder: &'static str,
}

/// How a gateway signs somebody in for one call, for styles in which a name and a password come with the call
/// (SOAP's UsernameToken): by the same procedures as everybody, so that their limits and their log count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordSignIn {
    /// The procedure that takes name and password, such as `accounts.signIn`.
    pub sign_in: &'static str,
    /// The field of its input that takes the name.
    pub name_field: &'static str,
    /// The field that takes the password.
    pub password_field: &'static str,
    /// What its input holds besides: fields and their texts, such as `("keep", "tokens")`.
    pub with: &'static [(&'static str, &'static str)],
    /// Where its output has the access token, as a JSON Pointer (RFC 6901): `/tokens/accessToken`.
    pub access_token: &'static str,
    /// Where its output has what ends the sign-in.
    pub refresh_token: &'static str,
    /// The procedure that ends it, such as `accounts.signOut`.
    pub sign_out: &'static str,
    /// The field of its input that takes what was at `refresh_token`.
    pub refresh_token_field: &'static str,
}

/// How a client signs in at the service itself and stays signed in, by a cookie or by tokens. `createSession` of the npm
/// package is made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSignIn {
    /// The procedure that makes an account for whoever calls it, if there is one.
    pub register: Option<&'static str>,
    /// The procedure that signs in, such as `accounts.signIn`.
    pub sign_in: &'static str,
    /// The field of its input that says how the session is kept.
    pub keep_field: &'static str,
    /// The text in that field that asks for a cookie.
    pub cookie: &'static str,
    /// The text in that field that asks for tokens.
    pub tokens: &'static str,
    /// The field of its output that has who is signed in.
    pub who_field: &'static str,
    /// The field of the outputs of `sign_in`, `refresh` and `reauthenticate` that has the tokens, or null.
    pub tokens_field: &'static str,
    /// The field of the tokens that has the access token.
    pub access_token_field: &'static str,
    /// The field that has the refresh token: of the tokens, and of the inputs of `refresh` and `sign_out`.
    pub refresh_token_field: &'static str,
    /// The field of the tokens that says for how many seconds the access token is valid.
    pub expires_in_field: &'static str,
    /// The procedure that renews a cookie, or gives the next tokens.
    pub refresh: &'static str,
    /// The failure of `refresh` that says that the session is over.
    pub ended: &'static str,
    /// The procedure that signs out.
    pub sign_out: &'static str,
    /// The procedure by which a caller proves again who they are, if there is one.
    pub reauthenticate: Option<&'static str>,
    /// The field of the input of `reauthenticate` that takes the password.
    pub password_field: &'static str,
}

/// How applications of others are let in: the service is an authorization server (OAuth 2.1) for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationServer {
    /// The procedure at the authorization endpoint (RFC 6749, section 3.1).
    pub authorize: &'static str,
    /// The procedure at the token endpoint (section 3.2).
    pub token: &'static str,
}
