//! The definition of a service, apart from its procedures.
//!
//! A service states it in constants, with `&'static str` texts; the contract has the same types with `String` texts,
//! and [`From`] converts to those.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::MAX_INDEXES;

/// What a service's documents and its npm package say of it. What is empty is not stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(concrete(Text = String))]
pub struct About<Text = &'static str> {
    /// The service's own version (semver).
    pub version: Text,
    /// What it is, in a sentence.
    pub description: Text,
    /// An SPDX expression.
    pub license: Text,
    /// Whom to ask.
    pub contact: Text,
    /// Where to read on.
    pub homepage: Text,
}

/// Where a service's files are, each from the folder of its workspace. What is generated goes there, and two services
/// in one workspace have no folder in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(concrete(Text = String))]
pub struct Layout<Text = &'static str> {
    /// The folder of what callers get: the contract, the npm package and the documents, such as `bindings`.
    pub bindings: Text,
    /// The packages of its Lambda functions; a service in one file may have none, and is not deployed.
    pub packages: Option<Packages<Text>>,
}

/// The packages of a service's Lambda functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(concrete(Text = String))]
pub struct Packages<Text = &'static str> {
    /// The package of the procedures: its sources hold `<domain>/<procedure>.rs`, and its `src/bin` one program for
    /// each.
    pub functions: Package<Text>,
    /// The package of the gateways' programs, apart: those of procedures neither wait for what gateways need, nor are
    /// those of gateways linked again after a change of a procedure.
    pub gateways: Package<Text>,
    /// What the names of all these programs begin with, such as `shop-`: two services in one workspace have no program
    /// in common. A service by itself needs none.
    pub prefix: Option<Text>,
}

/// A Cargo package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(concrete(Text = String))]
pub struct Package<Text = &'static str> {
    /// Its name.
    pub name: Text,
    /// Its folder, from that of the workspace.
    pub folder: Text,
}

/// How a gateway signs a user in for one call, for styles in which a name and a password come with the call
/// (SOAP's UsernameToken): by the same procedures as everybody, so that their limits and their log count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(concrete(Text = String, Pairs = Vec<(String, String)>))]
pub struct PasswordSignIn<Text = &'static str, Pairs = &'static [(&'static str, &'static str)]> {
    /// The procedure that takes name and password, such as `accounts.signIn`.
    pub sign_in: Text,
    /// The field of its input that takes the name.
    pub name_field: Text,
    /// The field that takes the password.
    pub password_field: Text,
    /// What its input holds besides: fields and their texts, such as `("keep", "tokens")`.
    pub with: Pairs,
    /// Where its output has the access token, as a JSON Pointer (RFC 6901): `/tokens/accessToken`.
    pub access_token: Text,
    /// Where its output has what ends the sign-in.
    pub refresh_token: Text,
    /// The procedure that ends it, such as `accounts.signOut`.
    pub sign_out: Text,
    /// The field of its input that takes what was at `refresh_token`.
    pub refresh_token_field: Text,
}

/// How a client signs in at the service itself and stays signed in, by a cookie or by tokens. `createSession` of the
/// npm package is made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(concrete(Text = String))]
pub struct SessionSignIn<Text = &'static str> {
    /// The procedure that makes an account for whoever calls it, if there is one.
    pub register: Option<Text>,
    /// The procedure that signs in, such as `accounts.signIn`.
    pub sign_in: Text,
    /// The field of its input that says how the session is kept.
    pub keep_field: Text,
    /// The text in that field that asks for a cookie.
    pub cookie: Text,
    /// The text in that field that asks for tokens.
    pub tokens: Text,
    /// The field of its output that has who is signed in.
    pub who_field: Text,
    /// The field of the outputs of `sign_in`, `refresh` and `reauthenticate` that has the tokens, or null.
    pub tokens_field: Text,
    /// The field of the tokens that has the access token.
    pub access_token_field: Text,
    /// The field that has the refresh token: of the tokens, and of the inputs of `refresh` and `sign_out`.
    pub refresh_token_field: Text,
    /// The field of the tokens that says for how many seconds the access token is valid.
    pub expires_in_field: Text,
    /// The procedure that renews a cookie, or gives the next tokens.
    pub refresh: Text,
    /// The failure of `refresh` that says that the session is over.
    pub ended: Text,
    /// The procedure that signs out.
    pub sign_out: Text,
    /// The procedure by which a caller proves again who they are, if there is one.
    pub reauthenticate: Option<Text>,
    /// The field of the input of `reauthenticate` that takes the password.
    pub password_field: Text,
}

/// How applications of others are let in: the service is an authorization server (OAuth 2.1) for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(concrete(Text = String))]
pub struct AuthorizationServer<Text = &'static str> {
    /// The procedure at the authorization endpoint (RFC 6749, section 3.1).
    pub authorize: Text,
    /// The procedure at the token endpoint (section 3.2).
    pub token: Text,
}

/// The table in which a service keeps what it stores. Its billing is on demand, and all keys are strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(concrete(Text = String, Indexes = Vec<TableIndex<String>>))]
pub struct Table<Text = &'static str, Indexes = [TableIndex; MAX_INDEXES]> {
    /// The attribute that is the partition key.
    pub partition_key: Text,
    /// The attribute that is the sort key.
    pub sort_key: Text,
    /// The secondary indexes. All project every attribute.
    pub indexes: Indexes,
    /// The attribute that holds the time of expiry, in seconds of the Unix epoch.
    pub time_to_live: Text,
    /// What the table's stream carries; there is none as long as nobody reads it, since it is a second copy of what is
    /// stored.
    pub stream_view: Option<Text>,
}

/// One secondary index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(concrete(Text = String))]
pub struct TableIndex<Text = &'static str> {
    /// The index's name.
    pub name: Text,
    /// The attribute that is its partition key.
    pub partition_key: Text,
    /// The attribute that is its sort key.
    pub sort_key: Text,
}

/// Converts a stated constant to its owned form in the contract.
trait IntoOwned {
    type Owned;
    fn into_owned(self) -> Self::Owned;
}

impl IntoOwned for &'static str {
    type Owned = String;
    fn into_owned(self) -> String {
        self.to_owned()
    }
}

impl<T: IntoOwned> IntoOwned for Option<T> {
    type Owned = Option<T::Owned>;
    fn into_owned(self) -> Self::Owned {
        self.map(T::into_owned)
    }
}

impl<A: IntoOwned, B: IntoOwned> IntoOwned for (A, B) {
    type Owned = (A::Owned, B::Owned);
    fn into_owned(self) -> Self::Owned {
        (self.0.into_owned(), self.1.into_owned())
    }
}

impl<T: IntoOwned + Copy> IntoOwned for &'static [T] {
    type Owned = Vec<T::Owned>;
    fn into_owned(self) -> Self::Owned {
        self.iter().map(|one| one.into_owned()).collect()
    }
}

impl<T: IntoOwned, const N: usize> IntoOwned for [T; N] {
    type Owned = Vec<T::Owned>;
    fn into_owned(self) -> Self::Owned {
        self.into_iter().map(T::into_owned).collect()
    }
}

/// Implements the conversion of a struct, field by field.
macro_rules! owned {
    ($($stated:ident => $owned:ty { $($field:ident),* $(,)? })*) => {$(
        impl IntoOwned for $stated {
            type Owned = $owned;
            fn into_owned(self) -> $owned {
                $stated { $($field: self.$field.into_owned()),* }
            }
        }

        impl From<$stated> for $owned {
            fn from(stated: $stated) -> Self {
                stated.into_owned()
            }
        }
    )*};
}

owned! {
    About => About<String> { version, description, license, contact, homepage }
    Layout => Layout<String> { bindings, packages }
    Packages => Packages<String> { functions, gateways, prefix }
    Package => Package<String> { name, folder }
    PasswordSignIn => PasswordSignIn<String, Vec<(String, String)>> {
        sign_in, name_field, password_field, with, access_token, refresh_token, sign_out, refresh_token_field,
    }
    SessionSignIn => SessionSignIn<String> {
        register, sign_in, keep_field, cookie, tokens, who_field, tokens_field, access_token_field, refresh_token_field,
        expires_in_field, refresh, ended, sign_out, reauthenticate, password_field,
    }
    AuthorizationServer => AuthorizationServer<String> { authorize, token }
    Table => Table<String, Vec<TableIndex<String>>> { partition_key, sort_key, indexes, time_to_live, stream_view }
    TableIndex => TableIndex<String> { name, partition_key, sort_key }
}
