//! Renders the session client, which keeps a caller signed in, by cookie or by tokens. A service without `session`
//! has none.

use protocol::{
    Kind, SessionSignIn,
    case::type_name,
    contract::{AuthContract, Contract},
};

const CLIENT: &str = include_str!("session.js");
const TYPES: &str = include_str!("session.d.ts");

/// The functions of the module.
pub fn client(contract: &Contract) -> String {
    contract.session.as_ref().map(|session| render(CLIENT, session)).unwrap_or_default()
}

/// The types of the functions.
pub fn types(contract: &Contract) -> String {
    let Some(session) = &contract.session else { return String::new() };
    // An example of a query for every caller who is signed in.
    let is_example = |kind, auth: &AuthContract| kind == Kind::Query && matches!(auth, AuthContract::SignedIn);
    let example = contract.in_styles().find(|known| known.input_optional && is_example(known.kind, &known.auth));
    let example = example.map_or("things.mine", |procedure| &procedure.name);
    render(TYPES, session).replace("@EXAMPLE@", example)
}

/// The text with the service's names. Lines between `// if reauthenticate` and `// end` are left out if the service
/// has no such procedure.
fn render(text: &str, session: &SessionSignIn<String>) -> String {
    let mut is_there = true;
    let lines = text.split_inclusive('\n').filter(|line| match line.trim() {
        "// if reauthenticate" => {
            is_there = session.reauthenticate.is_some();
            false
        }
        "// end" => {
            is_there = true;
            false
        }
        _ => is_there,
    });
    let mut text: String = lines.collect();
    let names = [
        ("@SIGN_IN@", session.sign_in.clone()),
        ("@SIGN_IN_TYPE@", type_name(&session.sign_in)),
        ("@KEEP@", session.keep_field.clone()),
        ("@COOKIE@", session.cookie.clone()),
        ("@TOKENS@", session.tokens.clone()),
        ("@WHO@", session.who_field.clone()),
        ("@WHO_AS_USER@", member(&session.who_field, "user")),
        ("@TOKENS_FIELD@", session.tokens_field.clone()),
        ("@TOKENS_AS_TOKENS@", member(&session.tokens_field, "tokens")),
        ("@ACCESS_TOKEN@", member(&session.access_token_field, "accessToken")),
        ("@REFRESH_TOKEN_FIELD@", session.refresh_token_field.clone()),
        ("@REFRESH_TOKEN@", member(&session.refresh_token_field, "refreshToken")),
        ("@EXPIRES_IN_S@", member(&session.expires_in_field, "expiresInS")),
        ("@REFRESH@", session.refresh.clone()),
        ("@ENDED@", session.ended.clone()),
        ("@SIGN_OUT@", session.sign_out.clone()),
        ("@REAUTHENTICATE@", session.reauthenticate.clone().unwrap_or_default()),
        ("@PASSWORD@", member(&session.password_field, "password")),
    ];
    for (mark, name) in names {
        text = text.replace(mark, &name);
    }
    text
}

/// A member of an object in JavaScript, written from a variable or read into one.
fn member(field: &str, variable: &str) -> String {
    if field == variable { field.to_owned() } else { format!("{field}: {variable}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionSignIn = SessionSignIn {
        register: None,
        sign_in: "doors.open",
        keep_field: "by",
        cookie: "biscuit",
        tokens: "tickets",
        who_field: "visitor",
        tokens_field: "passes",
        access_token_field: "day",
        refresh_token_field: "season",
        expires_in_field: "seconds",
        refresh: "doors.renew",
        ended: "over",
        sign_out: "doors.close",
        reauthenticate: Some("doors.knock"),
        password_field: "word",
    };

    #[test]
    fn a_session_calls_what_the_service_states_and_nothing_else() {
        let client = render(CLIENT, &SESSION.into());
        for said in [
            "const { visitor: user } = await client(fetch).doors.open.mutate({ ...input, by: \"biscuit\" });",
            "const { visitor: user, passes: tokens } = await service.doors.open.mutate({ ...input, by: \"tickets\" });",
            "({ day: accessToken, season: refreshToken, seconds: expiresInS })",
            "doors.close.mutate({ season: before.refreshToken })",
            "doors.knock.mutate({ word: password })).passes;",
            "service.doors.renew.mutate({ season: refreshToken }, { signal })",
            "failureOf(\"doors.renew\", error)?.type === \"over\"",
        ] {
            assert!(client.contains(said), "{said}");
        }
        let types = render(TYPES, &SESSION.into());
        let said = "signIn(input: Omit<DoorsOpenInput, \"by\">): Promise<DoorsOpenOutput[\"visitor\"]>;";
        assert!(types.contains(said), "{types}");
    }

    #[test]
    fn what_the_service_has_not_is_left_out() {
        for text in [CLIENT, TYPES] {
            let without = SessionSignIn { reauthenticate: None, ..SESSION };
            let (whole, some) = (render(text, &SESSION.into()), render(text, &without.into()));
            assert!(whole.contains("doors.knock") && !some.contains("eauthenticat"), "{some}");
            for rendered in [&whole, &some] {
                assert!(rendered.contains("createSession") && rendered.contains("signOut"));
                assert!(!rendered.contains("// if ") && !rendered.contains("// end"), "{rendered}");
                assert!(!rendered.replace("@EXAMPLE@", "").contains('@'), "a name is not filled in: {rendered}");
                assert_eq!(rendered.matches('{').count(), rendered.matches('}').count());
            }
        }
    }
}
