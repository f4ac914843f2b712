//! Authorization requests (OAuth 2.1, section 4.1.1). They have one form, from the application's link and from the
//! consent page.

use runtime::{Definition, Parameters, Site, prelude::*, scope};
use serde::Deserialize;

use super::registry;
use crate::{
    ApplicationClient, GrantType,
    authorization_server::{pkce, redirect},
};

/// The longest query string of a request, in bytes: a person who is not signed in takes it along to the sign-in page,
/// to a provider and back.
pub(crate) const MAX_BYTES: usize = 2_500;
/// The parameter that names the resource of a token; it may occur several times (RFC 8707 section 2).
pub(crate) const RESOURCE: &str = "resource";

/// The parameters of an authorization request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct RequestParameters {
    client_id: Option<String>,
    redirect_uri: Option<String>,
    response_type: Option<String>,
    response_mode: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    #[serde(skip)]
    resources: Vec<String>,
    /// Why the parameters other than client and redirect URI could not be read.
    #[serde(skip)]
    unreadable: Option<String>,
}

/// The client and its redirect URI.
#[derive(Deserialize)]
struct Asker {
    client_id: Option<String>,
    redirect_uri: Option<String>,
}

/// The `state`, which goes back with the response.
#[derive(Default, Deserialize)]
struct State {
    state: Option<String>,
}

/// A valid request, for which the person can be asked.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: ApplicationClient,
    /// Where the browser is sent back to: one of the client's registered URIs.
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) challenge: String,
    state: Option<String>,
    issuer: String,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// The redirect URI is not trusted: a page tells the person (OAuth 2.1, section 4.1.2.1).
    ShowPage(&'static str),
    /// The browser goes to this address, which tells the application.
    Redirect(String),
}

impl RequestParameters {
    /// Reads the query string or the form. A parameter that occurs twice is reported to the application, if client and
    /// redirect URI are clear.
    pub(crate) fn read(parameters: &Parameters) -> Self {
        let resources = parameters.all(RESOURCE).map(str::to_owned).collect();
        match parameters.read::<Self>() {
            Ok(asking) => Self { resources, ..asking },
            Err(fault) => {
                let State { state } = parameters.read().unwrap_or_default();
                let (client_id, redirect_uri) = match parameters.read() {
                    Ok(Asker { client_id, redirect_uri }) => (client_id, redirect_uri),
                    Err(_) => (None, None),
                };
                Self { client_id, redirect_uri, state, unreadable: Some(fault.message), ..Self::default() }
            }
        }
    }

    /// The same request, refused if its query string is longer than [`MAX_BYTES`].
    pub(crate) fn within(self, query: &str) -> Self {
        let is_long = query.len() > MAX_BYTES;
        let unreadable = is_long.then(|| format!("The request is longer than {MAX_BYTES} bytes."));
        Self { unreadable: self.unreadable.or(unreadable), ..self }
    }

    /// Validates the request against the registered applications.
    pub(crate) async fn check(
        self,
        clients: &Read<ApplicationClient>,
        (service, site): (&Definition, &Site),
    ) -> Result<Result<AuthorizationRequest, RequestError>, StoreError> {
        let client = match self.client_id.as_deref().map(str::parse) {
            Some(Ok(id)) => clients.get(&id).await?,
            _ => None,
        };
        Ok(self.expect_valid(client, service, site))
    }

    /// The parameters that the consent form sends again.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", &self.response_type),
            ("response_mode", &self.response_mode),
            ("scope", &self.scope),
            ("state", &self.state),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
        ];
        let resources = self.resources.iter().map(|resource| (RESOURCE, resource.as_str()));
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).chain(resources)
    }

    fn expect_valid(
        self,
        client: Option<ApplicationClient>,
        service: &Definition,
        site: &Site,
    ) -> Result<AuthorizationRequest, RequestError> {
        let Some(client) = client else {
            return Err(RequestError::ShowPage("The application that sent you here is not known."));
        };
        let registered = &client.application.redirect_uris;
        let redirect_uri = match (self.redirect_uri, registered.as_slice()) {
            (Some(given), _) if registered.iter().any(|known| redirect::matches(known, &given)) => given,
            (None, [only]) => only.clone(),
            _ => {
                return Err(RequestError::ShowPage(
                    "The application wants you to be sent to an address that is not one of its own.",
                ));
            }
        };
        let redirect_error = |error: &str, why: &str| {
            let issuer = site.url();
            let mut answer = vec![("error", error), ("error_description", why), ("iss", issuer)];
            answer.extend(self.state.as_deref().map(|state| ("state", state)));
            Err(RequestError::Redirect(redirect::with(&redirect_uri, &answer)))
        };
        if let Some(why) = &self.unreadable {
            return redirect_error("invalid_request", why);
        }
        // RFC 6749 appendix A.5. HTML changes line breaks in form fields.
        if self.state.as_deref().is_some_and(|state| state.chars().any(char::is_control)) {
            return redirect_error("invalid_request", "The state has control characters.");
        }
        match self.response_type.as_deref() {
            Some("code") => {}
            None => return redirect_error("invalid_request", "The parameter response_type is missing."),
            Some(_) => return redirect_error("unsupported_response_type", "The response_type is code."),
        }
        if !matches!(self.response_mode.as_deref(), None | Some("query")) {
            return redirect_error("invalid_request", "The response_mode is query.");
        }
        if !client.may(GrantType::AuthorizationCode) {
            return redirect_error("unauthorized_client", "The application is not registered for authorization_code.");
        }
        let challenge = self.code_challenge.filter(|text| pkce::is_challenge(text));
        let Some(challenge) = challenge.filter(|_| self.code_challenge_method.as_deref() == Some(pkce::METHOD)) else {
            return redirect_error(
                "invalid_request",
                "A code_challenge with the code_challenge_method S256 is required.",
            );
        };
        if !are_here(self.resources.iter().map(String::as_str), site) {
            return redirect_error("invalid_target", "There are no tokens for this resource here.");
        }
        let registered = registry::allowed_scopes(service, &client.application.scopes);
        let scopes = match self.scope.as_deref().map(scope::parse) {
            // A request without a scope is for the registered scopes: the person sees them.
            None => registered.clone(),
            Some(scopes) => scopes.unwrap_or_default(),
        };
        if scopes.is_empty() || !scope::is_within(&scopes, &registered) {
            return redirect_error("invalid_scope", "The application is not registered for this scope.");
        }
        Ok(AuthorizationRequest {
            client,
            redirect_uri,
            scopes,
            challenge,
            state: self.state,
            issuer: site.url().to_owned(),
        })
    }
}

/// Whether all resources (RFC 8707) are this service.
pub(crate) fn are_here<'a>(mut resources: impl Iterator<Item = &'a str>, site: &Site) -> bool {
    resources.all(|resource| resource.strip_suffix('/').unwrap_or(resource) == site.url())
}

impl AuthorizationRequest {
    /// The address to which the browser goes with a response. `iss` names this issuer, so that an application with
    /// several servers cannot confuse them (RFC 9207).
    pub(crate) fn response_url(&self, name: &str, value: &str) -> String {
        let mut answer = vec![(name, value), ("iss", &self.issuer)];
        answer.extend(self.state.as_deref().map(|state| ("state", state)));
        redirect::with(&self.redirect_uri, &answer)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Application, ClientKind, tests::SERVICE};
    use runtime::Ids;

    use super::*;

    const URL: &str = "https://api.example.com";

    fn client() -> ApplicationClient {
        ApplicationClient {
            application: Application {
                id: Ids::counting().next(),
                name: "Reader".to_owned(),
                kind: ClientKind::Public,
                redirect_uris: vec!["https://app.example.com/callback".to_owned()],
                scopes: vec!["orders:read".to_owned(), "orders:write".to_owned()],
                grant_types: vec![GrantType::AuthorizationCode],
                created_at: Timestamp::from_unix_ms(0),
            },
            secret: None,
            version: Version(1),
        }
    }

    fn good() -> RequestParameters {
        let some = |text: &str| Some(text.to_owned());
        RequestParameters {
            client_id: Some(client().application.id.to_string()),
            redirect_uri: some("https://app.example.com/callback"),
            response_type: some("code"),
            response_mode: None,
            scope: some("orders:read"),
            state: some("a&b"),
            code_challenge: some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            code_challenge_method: some("S256"),
            ..RequestParameters::default()
        }
    }

    fn check_with(change: impl FnOnce(&mut RequestParameters)) -> Result<AuthorizationRequest, RequestError> {
        let mut asking = good();
        change(&mut asking);
        asking.expect_valid(Some(client()), &SERVICE, &Site::new(URL, "", ""))
    }

    #[test]
    fn a_good_request_is_put_to_the_person() {
        let request = check_with(|_| {}).unwrap();
        assert_eq!(request.scopes, ["orders:read"]);
        let expected = "https://app.example.com/callback?code=c&iss=https%3A%2F%2Fapi.example.com&state=a%26b";
        assert_eq!(request.response_url("code", "c"), expected);
        let request = check_with(|it| (it.redirect_uri, it.scope, it.state) = (None, None, None)).unwrap();
        assert_eq!(request.scopes, ["orders:read", "orders:write"]);
        assert_eq!(request.redirect_uri, "https://app.example.com/callback", "there is one only");
        assert!(check_with(|it| it.scope = Some("orders:write:own".to_owned())).is_ok());
        assert!(check_with(|it| it.resources = vec![format!("{URL}/"), URL.to_owned()]).is_ok());
    }

    #[test]
    fn the_browser_is_sent_to_no_address_that_is_not_the_client_s() {
        assert!(matches!(good().expect_valid(None, &SERVICE, &Site::new(URL, "", "")), Err(RequestError::ShowPage(_))));
        for uri in ["", "https://evil.example/callback", "https://app.example.com/callback/", "javascript:alert(1)"] {
            assert!(
                matches!(check_with(|it| it.redirect_uri = Some(uri.to_owned())), Err(RequestError::ShowPage(_))),
                "{uri}"
            );
        }
        let mut two = client();
        two.application.redirect_uris.push("https://app.example.com/other".to_owned());
        let asking = RequestParameters { redirect_uri: None, ..good() };
        assert!(
            matches!(asking.expect_valid(Some(two), &SERVICE, &Site::new(URL, "", "")), Err(RequestError::ShowPage(_))),
            "which one?"
        );
    }

    fn read(query: &str) -> RequestParameters {
        let request = http::Request::get(format!("/oauth/authorize?{query}")).body(bytes::Bytes::new()).unwrap();
        RequestParameters::read(&runtime::HttpRequest::new(request).query())
    }

    #[test]
    fn a_parameter_without_a_value_is_left_out() {
        let names = ["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"];
        let more = ["code_challenge", "code_challenge_method", "resource"];
        for name in names.into_iter().chain(more) {
            assert_eq!(read(&format!("{name}=&{name}&{name}=x")).fields().collect::<Vec<_>>(), [(name, "x")]);
        }
    }

    #[test]
    fn who_asks_is_told_what_is_there_twice() {
        let good = redirect::with("", &good().fields().collect::<Vec<_>>())[1..].to_owned();
        let check_with = |query: &str| read(query).expect_valid(Some(client()), &SERVICE, &Site::new(URL, "", ""));
        assert!(check_with(&good).is_ok());
        assert!(check_with(&format!("{good}&resource={URL}&resource={URL}/")).is_ok(), "of which there may be several");
        for name in ["response_type", "response_mode", "scope", "code_challenge", "code_challenge_method", "state"] {
            let location = match check_with(&format!("{good}&{name}=a&{name}=b")) {
                Err(RequestError::Redirect(url)) => url,
                other => panic!("{name}: {other:?}"),
            };
            assert!(location.starts_with("https://app.example.com/callback?error=invalid_request"), "{location}");
            assert!(location.contains(&format!("duplicate%3A+{name}.")), "{location}");
            assert_eq!(location.contains("&state=a%26b"), name != "state", "{location}");
        }
        for name in ["client_id", "redirect_uri"] {
            let twice = read(&format!("{good}&{name}=https://app.example.com/callback"));
            assert_eq!((twice.client_id.as_deref(), twice.redirect_uri.as_deref()), (None, None), "{name}");
        }
    }

    /// A text that is not UTF-8 would change in `state`, and mean another scope.
    #[test]
    fn who_asks_is_told_what_is_no_text() {
        let good = |without: &str| {
            let good = good();
            let fields: Vec<_> = good.fields().filter(|(name, _)| *name != without).collect();
            redirect::with("", &fields)[1..].to_owned()
        };
        let check_with = |query: &str| read(query).expect_valid(Some(client()), &SERVICE, &Site::new(URL, "", ""));
        for text in ["%ff", "a%c3", "%ed%a0%80", "%c0%af", "%f5%80%80%80", "%", "%a", "%zz"] {
            for name in ["response_type", "response_mode", "scope", "code_challenge", "code_challenge_method", "state"]
            {
                let location = match check_with(&format!("{}&{name}={text}", good(name))) {
                    Err(RequestError::Redirect(url)) => url,
                    other => panic!("{name}={text}: {other:?}"),
                };
                assert!(location.starts_with("https://app.example.com/callback?error=invalid_request"), "{location}");
                assert!(location.contains(&format!("percent-encoded+UTF-8%3A+{name}.")), "{location}");
                assert_eq!(location.contains("&state="), name != "state", "{location}");
            }
            let location = check_with(&format!("{}&resource={text}", good("")));
            assert!(
                matches!(&location, Err(RequestError::Redirect(url)) if url.contains("error=invalid_target")),
                "{location:?}"
            );
            for name in ["client_id", "redirect_uri"] {
                let asking = read(&format!("{}&{name}={text}", good(name)));
                assert_eq!((asking.client_id, asking.redirect_uri), (None, None), "{name}={text}");
            }
            assert!(
                check_with(&format!("{}&unknown={text}&{text}=1", good(""))).is_ok(),
                "what nobody reads is ignored"
            );
        }
    }

    #[test]
    fn what_cannot_be_given_back_as_it_came_is_not_put_to_the_person() {
        let good = redirect::with("", &good().fields().collect::<Vec<_>>())[1..].replace("state=a%26b", "");
        let check_with =
            |query: &str| read(query).within(query).expect_valid(Some(client()), &SERVICE, &Site::new(URL, "", ""));
        let longest = format!("{good}&state=");
        let longest = format!("{longest}{}", "a".repeat(MAX_BYTES - longest.len()));
        assert!(check_with(&longest).is_ok() && check_with(&format!("{good}&state=%C3%A4+%EF%BF%BD")).is_ok());
        for (query, why) in [
            (format!("{good}&state=%FF"), "not+percent-encoded+UTF-8%3A+state."),
            (format!("{good}&state=a%00"), "control+characters"),
            (format!("{good}&state=a%0Ab"), "control+characters"),
            (format!("{longest}a"), "longer+than+2500+bytes"),
        ] {
            match check_with(&query) {
                Err(RequestError::Redirect(url)) => {
                    assert!(url.contains("error=invalid_request") && url.contains(why), "{url}")
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_application_is_told_what_else_is_wrong() {
        let some = |text: &str| Some(text.to_owned());
        let error_code = |change: &dyn Fn(&mut RequestParameters)| match check_with(change) {
            Err(RequestError::Redirect(url)) => {
                assert!(url.starts_with("https://app.example.com/callback?error="), "{url}");
                assert!(url.contains("&iss=https%3A%2F%2Fapi.example.com") && url.ends_with("&state=a%26b"), "{url}");
                url["https://app.example.com/callback?error=".len()..].split('&').next().map(str::to_owned).unwrap()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(error_code(&|it| it.response_type = None), "invalid_request");
        assert_eq!(error_code(&|it| it.response_type = some("token")), "unsupported_response_type");
        assert_eq!(error_code(&|it| it.response_type = some("code id_token")), "unsupported_response_type");
        assert_eq!(error_code(&|it| it.response_mode = some("fragment")), "invalid_request");
        assert_eq!(error_code(&|it| it.code_challenge = None), "invalid_request");
        assert_eq!(error_code(&|it| it.code_challenge = some("short")), "invalid_request");
        assert_eq!(
            error_code(&|it| it.code_challenge_method = None),
            "invalid_request",
            "without it, it would be plain"
        );
        assert_eq!(error_code(&|it| it.code_challenge_method = some("plain")), "invalid_request");
        assert_eq!(error_code(&|it| it.code_challenge_method = some("s256")), "invalid_request");
        assert_eq!(error_code(&|it| it.scope = some("orders:read stock:read")), "invalid_scope");
        assert_eq!(error_code(&|it| it.scope = some("")), "invalid_scope");
        assert_eq!(error_code(&|it| it.scope = some("orders:read\u{7f}")), "invalid_scope");
        assert_eq!(
            error_code(&|it| it.resources = vec![URL.to_owned(), "https://api.example.com.evil.example".to_owned()]),
            "invalid_target"
        );
    }
}
