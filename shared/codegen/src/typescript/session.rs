//! Renders what is a service's own of its session client, which keeps a caller signed in, by cookie or by tokens. A service
//! without `session` has none.

use protocol::{
    Kind, SessionSignIn,
    case::type_name,
    contract::{AuthContract, Contract},
};

/// `createSession`, which tells the framework's what the service calls things.
pub fn function(contract: &Contract) -> Option<String> {
    let names = serde_json::to_string_pretty(contract.session.as_ref()?).unwrap_or_default();
    Some(format!(
        r#"/** The procedures by which people sign in, and their fields. */
const SESSION = {names};

function createSession(options) {{
  return session.createSession(options, SESSION);
}}
"#
    ))
}

/// What the types need of the framework's.
pub fn imports(contract: &Contract) -> &'static str {
    let imports = "import type { SessionOptions, TokenStorage } from \"./client/session.js\";\n";
    contract.session.as_ref().map_or("", |_| imports)
}

/// The types of the function.
pub fn types(contract: &Contract) -> String {
    let Some(session) = &contract.session else { return String::new() };
    // An example of a query for every caller who is signed in.
    let is_example = |kind, auth: &AuthContract| kind == Kind::Query && matches!(auth, AuthContract::SignedIn);
    let example = contract.in_styles().find(|known| known.input_optional && is_example(known.kind, &known.auth));
    let example = example.map_or("things.mine", |procedure| &procedure.name);
    render(session, example)
}

fn render(session: &SessionSignIn<String>, example: &str) -> String {
    let SessionSignIn { sign_in, keep_field, who_field, sign_out, .. } = session;
    let sign_in_type = type_name(sign_in);
    let reauthenticate = session.reauthenticate.as_ref().map_or_else(String::new, |name| {
        format!(
            r#"  /**
   * `{name}`: proves again who is signed in, for calls that `wantsReauthentication`. The session goes on with
   * another secret. `failureOf("{name}", error)` says why it failed.
   */
  reauthenticate(password: string): Promise<void>;
"#
        )
    });
    format!(
        r#"
export type {{ SessionOptions, TokenStorage }};

/** Whoever is signed in. */
export type Session = {{
  /** Makes calls as whoever is signed in, and as nobody otherwise. It has `withEnvelopes` already. */
  fetch: Fetch;
  /** `{sign_in}`; `failureOf("{sign_in}", error)` says why it failed. Answers who is signed in. */
  signIn(input: Omit<{sign_in_type}Input, "{keep_field}">): Promise<{sign_in_type}Output["{who_field}"]>;
{reauthenticate}  /** `{sign_out}`. When the service cannot be reached it fails; tokens are forgotten nevertheless. */
  signOut(): Promise<void>;
}};

/**
 * Signs in, stays signed in, signs out:
 *
 * ```ts
 * const session = createSession({{ url, onEnd: () => location.assign("/login") }});
 * const client = createClient({{ url, fetch: session.fetch }});
 *
 * const user = await session.signIn({{ email, password }});
 * await client.{example}.query(); // as `user`, after a reload of the page as well
 * await session.signOut();
 * ```
 *
 * With a cookie it sends the CSRF token that the service wants and has the cookie renewed when it is time. With tokens,
 * `createSession({{ url, keep: "tokens" }})`, it renews the access token shortly before it expires or when it is refused,
 * once for all calls and all tabs, and repeats what was refused. `session.fetch` fits every link of the official client:
 * `httpLink({{ url, fetch: session.fetch }})`.
 */
export declare function createSession(options: SessionOptions): Session;
"#
    )
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
    fn a_session_is_typed_by_what_the_service_states() {
        let types = render(&SESSION.into(), "doors.mine");
        for said in [
            "signIn(input: Omit<DoorsOpenInput, \"by\">): Promise<DoorsOpenOutput[\"visitor\"]>;",
            "`doors.knock`: proves again",
            "await client.doors.mine.query();",
            "`doors.close`.",
        ] {
            assert!(types.contains(said), "{types}");
        }
        let without = render(&SessionSignIn { reauthenticate: None, ..SESSION }.into(), "doors.mine");
        assert!(without.contains("signOut") && !without.contains("eauthenticat"), "{without}");
    }
}
