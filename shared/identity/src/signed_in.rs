//! The output of a sign-in: the user, with what the service tells them of themselves.

use std::path::PathBuf;

use protocol::{Form, WireType, WireValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::{Config, TS, TypeVisitor};

use crate::Tokens;

/// A user who has signed in.
///
/// `#[wire]` takes no parameters, since each wire type has one name. A service has one `M`, so that this is one type of
/// its contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SignedIn", description = "A user who has signed in.")]
pub struct SignedIn<M> {
    /// Who it is.
    pub user: M,
    /// The tokens, when they were asked for.
    pub tokens: Option<Tokens>,
}

impl<M: WireType> WireType for SignedIn<M> {
    const FORM: Form = Form::Json;
}
impl<M: WireType> WireValue for SignedIn<M> {}

impl<M: WireType> TS for SignedIn<M> {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn docs() -> Option<String> {
        Some("/**\n * Somebody who has signed in.\n */\n".to_owned())
    }
    fn name(_: &Config) -> String {
        "SignedIn".to_owned()
    }
    fn inline(config: &Config) -> String {
        let (user, tokens) = (M::name(config), Option::<Tokens>::name(config));
        let member = |docs: &str, name: &str, ty: String| format!("\n/**\n * {docs}\n */\n{name}: {ty}, ");
        let user = member("Who it is.", "user", user);
        let tokens = member("The tokens, when they were asked for.", "tokens", tokens);
        format!("{{ {user}{tokens}}}")
    }
    fn decl(config: &Config) -> String {
        format!("type {} = {};", Self::name(config), Self::inline(config))
    }
    fn visit_dependencies(visitor: &mut impl TypeVisitor) {
        visitor.visit::<M>();
        visitor.visit::<Tokens>();
    }
    fn output_path() -> Option<PathBuf> {
        Some("SignedIn.ts".into())
    }
}
