//! Takeovers by mail: somebody registers with a stranger's address, or brings an account elsewhere that claims it, and
//! waits for its owner to click. Each is told as a whole, through the owner's mailbox and everybody's browser.

use serde_json::{Value, json};
use testbed::Role;

use super::drive::sent_with;
use crate::support::{
    Answer, Browser, Request, TestServer,
    browser::SESSION,
    mailbox::{self, Mail},
    people::password,
    provider::Provider,
};

const VICTIM: &str = "victim@example.com";
/// The name that the stranger chooses.
const MALLORY: &str = "Mallory";

/// Somebody at a browser, with a password that they chose.
struct Party {
    browser: Browser,
    name: &'static str,
    password: String,
}

impl Party {
    fn new(server: &TestServer, name: &'static str) -> Self {
        Self { browser: Browser::new(&server.service), name, password: password() }
    }

    async fn registers(&mut self) {
        let input = json!({"email": VICTIM, "name": self.name, "password": self.password});
        assert_eq!(self.browser.mutation("auth.register", input).await.code(), "OK");
    }

    /// Opens a link that confirms an address, as the page does.
    async fn opens(&mut self, mail: &Mail) -> Answer {
        self.browser.mutation("auth.verifyEmail", json!({"token": mail.token()})).await
    }

    /// Chooses a password with a link.
    async fn chooses(&mut self, mail: &Mail) -> Answer {
        self.password = password();
        let input = json!({"token": mail.token(), "password": self.password});
        self.browser.mutation("auth.resetPassword", input).await
    }

    async fn signs_in(&mut self) -> Answer {
        self.browser.login(VICTIM, &self.password).await
    }

    async fn me(&mut self) -> Value {
        self.browser.query("auth.me", Value::Null).await.data()
    }

    /// Neither signed in nor able to sign in.
    async fn expect_out(&mut self) {
        assert!(!self.browser.has(SESSION) || !self.browser.is_signed_in().await, "{} is signed in", self.name);
        // In another browser, so that this one keeps what it has.
        let mut other = self.browser.clone();
        assert_eq!(other.login(VICTIM, &self.password).await.failure(), "wrongCredentials", "{}", self.name);
    }

    /// Comes from an account elsewhere. Answers the page that is shown in the end.
    async fn comes_from_elsewhere(&mut self) -> String {
        let start = Request::new("GET", "/oauth/start?provider=facebook&return_to=/in");
        let state = sent_with(&self.browser.send(start).await, "state");
        let back = Request::new("GET", format!("/oauth/callback/facebook?state={state}&code=x"));
        let page = self.browser.send(back).await.header("location").unwrap().to_owned();
        page.split_once("/in").map(|(_, rest)| rest.to_owned()).unwrap_or(page)
    }
}

async fn two(server: &TestServer) -> (Party, Party) {
    (Party::new(server, MALLORY), Party::new(server, "Victoria"))
}

async fn mail(server: &TestServer, count: usize) -> Mail {
    mailbox::mail(&server.service, VICTIM, count).await
}

async fn asks_for(server: &TestServer, procedure: &str) {
    let request = Request::mutation(procedure, &json!({"email": VICTIM}));
    assert_eq!(server.service.send(&request).await.code(), "OK");
}

/// A link proves the address. It makes nobody's password good.
#[tokio::test]
async fn a_click_gives_nothing_to_who_registered() {
    for asks_again in [false, true] {
        let server = TestServer::inhabited().await;
        let (mut stranger, mut owner) = two(&server).await;
        stranger.registers().await;
        assert_eq!(stranger.signs_in().await.failure(), "wrongCredentials", "nobody has proved the address");
        if asks_again {
            asks_for(&server, "auth.resendVerification").await;
        }
        let link = mail(&server, 1 + usize::from(asks_again)).await;
        assert_eq!(owner.opens(&link).await.failure(), "passwordNeeded");
        // What the owner guesses is nothing, either, and uses the link up no more than the click.
        let guess = json!({"token": link.token(), "password": password()});
        assert_eq!(owner.browser.mutation("auth.verifyEmail", guess).await.failure(), "passwordNeeded");
        assert_eq!(owner.chooses(&link).await.code(), "OK");
        stranger.expect_out().await;
        owner.signs_in().await.data();
        let me = owner.me().await;
        assert_eq!((&me["isVerified"], &me["name"]), (&json!(true), &json!("victim")), "nor does the name stay");
    }
}

/// Both have registered, and two mails are there that look the same.
#[tokio::test]
async fn each_link_is_of_the_browser_that_registered() {
    for stranger_is_first in [true, false] {
        let server = TestServer::inhabited().await;
        let (mut stranger, mut owner) = two(&server).await;
        let (first, second) = if stranger_is_first { (&mut stranger, &mut owner) } else { (&mut owner, &mut stranger) };
        first.registers().await;
        second.registers().await;
        let links = mailbox::mails(&server.service, VICTIM).await;
        let (theirs, own) = if stranger_is_first { (&links[0], &links[1]) } else { (&links[1], &links[0]) };
        assert_eq!(owner.opens(theirs).await.failure(), "passwordNeeded", "stranger first: {stranger_is_first}");
        assert_eq!(owner.opens(own).await.code(), "OK", "stranger first: {stranger_is_first}");
        owner.signs_in().await.data();
        assert_eq!(owner.me().await["name"], "Victoria");
        stranger.expect_out().await;
        // The stranger's link is still in the mailbox, and good for nothing.
        assert_eq!(owner.opens(theirs).await.failure(), "notValid");
        assert_eq!(stranger.opens(theirs).await.failure(), "notValid", "nor in the browser that it is of");
        assert_eq!(stranger.chooses(theirs).await.failure(), "notValid");
        assert!(owner.browser.is_signed_in().await);
    }
}

/// With the password of the registration, any browser will do.
#[tokio::test]
async fn who_knows_the_password_confirms_anywhere() {
    for is_second in [false, true] {
        let server = TestServer::inhabited().await;
        let (mut stranger, mut owner) = two(&server).await;
        if is_second {
            stranger.registers().await;
        }
        owner.registers().await;
        let link = mail(&server, 1 + usize::from(is_second)).await;
        let mut telephone = Browser::new(&server.service);
        let proof = json!({"token": link.token(), "password": owner.password});
        assert_eq!(telephone.mutation("auth.verifyEmail", proof).await.code(), "OK");
        assert!(!telephone.has(SESSION), "it signs nobody in");
        owner.signs_in().await.data();
        assert_eq!(owner.me().await["name"], "Victoria");
        stranger.expect_out().await;
    }
}

/// A link that is older than the first proof, a password chosen by mail, or a change of the password is void, whatever
/// it was for and whoever opens it.
#[tokio::test]
async fn what_was_mailed_before_is_void() {
    let server = TestServer::inhabited().await;
    let (mut stranger, mut owner) = two(&server).await;
    stranger.registers().await;
    owner.registers().await;
    asks_for(&server, "auth.resendVerification").await;
    asks_for(&server, "auth.requestReset").await;
    let mut old = mailbox::mails(&server.service, VICTIM).await;
    let own = old.remove(1);
    let mut expect_void = async |owner: &mut Party, old: &[Mail], since: &str| {
        for link in old {
            let kept = owner.password.clone();
            assert_eq!(owner.opens(link).await.failure(), "notValid", "{} since {since}", link.subject);
            assert_eq!(stranger.opens(link).await.failure(), "notValid", "{} since {since}", link.subject);
            assert_eq!(owner.chooses(link).await.failure(), "notValid", "{} since {since}", link.subject);
            owner.password = kept;
        }
        stranger.expect_out().await;
        assert!(owner.browser.is_signed_in().await, "since {since}");
    };
    assert_eq!(owner.opens(&own).await.code(), "OK");
    owner.signs_in().await.data();
    expect_void(&mut owner, &old, "the first proof").await;

    asks_for(&server, "auth.requestReset").await;
    asks_for(&server, "auth.requestReset").await;
    let links = mailbox::mails(&server.service, VICTIM).await;
    let used = links.last().unwrap().clone();
    old.push(links[links.len() - 2].clone());
    assert_eq!(owner.chooses(&used).await.code(), "OK");
    owner.signs_in().await.data();
    expect_void(&mut owner, &old, "a password chosen by mail").await;

    asks_for(&server, "auth.requestReset").await;
    old.push(mailbox::mails(&server.service, VICTIM).await.pop().unwrap());
    let next = password();
    let change = json!({"current": owner.password, "password": next});
    assert_eq!(owner.browser.mutation("auth.changePassword", change).await.code(), "OK");
    owner.password = next;
    expect_void(&mut owner, &old, "a change of the password").await;
}

/// What an administrator made, or decided about, is nobody's to register.
#[tokio::test]
async fn an_account_that_an_administrator_made_is_not_registered() {
    let server = TestServer::inhabited().await;
    let made = json!({"email": VICTIM, "name": "Victoria", "role": "administrator"});
    let id = server.mutation("users.create", made).await.data()["id"].clone();
    let before = server.query("users.get", json!({"id": id})).await.data();
    let (mut stranger, mut owner) = two(&server).await;
    stranger.registers().await;
    stranger.expect_out().await;
    assert_eq!(server.query("users.get", json!({"id": id})).await.data(), before, "nothing is touched");
    let invitation = mail(&server, 1).await;
    assert_eq!(invitation.subject, "You have an account: choose a password");
    assert_eq!(owner.opens(&invitation).await.failure(), "notValid", "there is nothing to confirm");
    assert_eq!(stranger.opens(&invitation).await.failure(), "notValid");
    assert_eq!(owner.chooses(&invitation).await.code(), "OK");
    owner.signs_in().await.data();
    let me = owner.me().await;
    assert_eq!((&me["role"], &me["name"]), (&json!("administrator"), &json!("Victoria")));
    stranger.expect_out().await;
}

/// Another address that an administrator gave, proof that was taken away, a role for somebody who registered: from then
/// on nobody registers it.
#[tokio::test]
async fn what_an_administrator_decided_about_is_not_registered() {
    for change in [json!({"email": VICTIM}), json!({"email": VICTIM, "isVerified": false, "role": "administrator"})] {
        let server = TestServer::inhabited().await;
        let ada = server.person("ada", Role::Employee).await;
        let mut change = change;
        change["id"] = ada.id.clone().into();
        server.mutation("users.update", change).await.data();
        let (mut stranger, mut owner) = two(&server).await;
        stranger.registers().await;
        let invitation = mail(&server, 1).await;
        assert_eq!(stranger.opens(&invitation).await.failure(), "notValid");
        stranger.expect_out().await;
        assert_eq!(owner.chooses(&invitation).await.code(), "OK");
        owner.signs_in().await.data();
        assert_eq!(owner.me().await["id"], ada.id);
    }
}

/// Nor is the password good that a stranger registered, whatever an administrator takes the account for.
#[tokio::test]
async fn what_an_administrator_decides_makes_no_strangers_password_good() {
    for change in [
        json!({"role": "administrator"}),
        json!({"isVerified": true}),
        json!({"isVerified": true, "role": "administrator"}),
    ] {
        let server = TestServer::inhabited().await;
        let (mut stranger, mut owner) = two(&server).await;
        stranger.registers().await;
        let pending = mail(&server, 1).await;
        let mut input = change.clone();
        input["id"] = server.id_of(VICTIM).await;
        server.mutation("users.update", input).await.data();
        stranger.expect_out().await;
        assert_eq!(owner.opens(&pending).await.failure(), "notValid", "{change}");
        assert_eq!(stranger.opens(&pending).await.failure(), "notValid", "{change}");
        asks_for(&server, "auth.requestReset").await;
        let link = mailbox::mails(&server.service, VICTIM).await.pop().unwrap();
        assert_eq!(owner.chooses(&link).await.code(), "OK", "{change}");
        stranger.expect_out().await;
        owner.signs_in().await.data();
    }
}

/// A mail says what it is about: when it was asked for, from where, and that a way to sign in comes with it.
#[tokio::test]
async fn a_mail_says_when_from_where_and_what_comes_with_it() {
    let server = TestServer::inhabited().await;
    let (mut stranger, _) = two(&server).await;
    stranger.registers().await;
    stranger.registers().await;
    asks_for(&server, "auth.resendVerification").await;
    asks_for(&server, "auth.requestReset").await;
    let today = protocol::Clock::System.now().to_string();
    for mail in mailbox::mails(&server.service, VICTIM).await {
        assert!(mail.text.contains("from the network address 127.0.0.1"), "{}", mail.text);
        assert!(mail.text.contains(&format!("on {}", &today[..8])) && mail.text.contains(" UTC"), "{}", mail.text);
        assert_eq!(mail.subject.starts_with("Confirm"), mail.text.contains("such as a password"), "{}", mail.text);
        assert!(!mail.text.contains(MALLORY), "a stranger's words do not reach the owner");
    }
}

/// An account elsewhere that claims the address goes with the first proof, whichever link it is by.
#[tokio::test]
async fn an_account_elsewhere_does_not_outlive_the_first_proof() {
    for way in ["the stranger's own link", "another link", "a registration", "a password by mail"] {
        let provider = Provider::start(json!({"id": "666", "name": MALLORY, "email": VICTIM})).await;
        let server = TestServer::with(&provider).await;
        let (mut stranger, mut owner) = two(&server).await;
        stranger.comes_from_elsewhere().await;
        let link = mail(&server, 1).await;
        match way {
            "the stranger's own link" => {
                assert_eq!(owner.opens(&link).await.failure(), "passwordNeeded");
                assert_eq!(owner.chooses(&link).await.code(), "OK");
            }
            "another link" => {
                asks_for(&server, "auth.resendVerification").await;
                let again = mail(&server, 2).await;
                assert_eq!(owner.opens(&again).await.failure(), "passwordNeeded");
                assert_eq!(owner.chooses(&again).await.code(), "OK");
            }
            "a registration" => {
                owner.registers().await;
                assert_eq!(owner.opens(&mail(&server, 2).await).await.code(), "OK");
            }
            _ => {
                asks_for(&server, "auth.requestReset").await;
                assert_eq!(owner.chooses(&mail(&server, 2).await).await.code(), "OK");
            }
        }
        owner.signs_in().await.data();
        let linked = owner.browser.query("oauth.identities", Value::Null).await.data();
        assert_eq!(linked["items"], json!([]), "{way}");
        stranger.expect_out().await;
        stranger.comes_from_elsewhere().await;
        assert!(!stranger.browser.has(SESSION) || !stranger.browser.is_signed_in().await, "{way}");
    }
}

/// Whoever came from elsewhere with their own address confirms it in that browser, and goes on.
#[tokio::test]
async fn an_account_elsewhere_stays_for_the_browser_that_brought_it() {
    let provider = Provider::start(json!({"id": "1", "name": "Victoria", "email": VICTIM})).await;
    let server = TestServer::with(&provider).await;
    let (_, mut owner) = two(&server).await;
    assert_eq!(owner.comes_from_elsewhere().await, "#error=confirm_email");
    assert!(!owner.browser.has(SESSION), "the provider vouches for nothing");
    assert_eq!(owner.opens(&mail(&server, 1).await).await.code(), "OK");
    assert_eq!(owner.comes_from_elsewhere().await, "");
    let me = owner.me().await;
    assert_eq!((&me["isVerified"], &me["name"]), (&json!(true), &json!("Victoria")));
}

/// What a thief linked with a stolen cookie goes with a password that is chosen by mail, and with one that is changed
/// if its owner says so.
#[tokio::test]
async fn a_linked_account_does_not_outlive_recovery() {
    let provider = Provider::start(json!({"id": "666", "name": MALLORY, "email": "mallory@example.com"})).await;
    for by_mail in [true, false] {
        let server = TestServer::with(&provider).await;
        server.keeper().await;
        let ada = server.person("ada", Role::Viewer).await;
        let mut browser = server.browser(&ada).await;
        let mut thief = Party { browser: browser.clone(), name: MALLORY, password: String::new() };
        let url = thief.browser.mutation("oauth.link", json!({"provider": "facebook"})).await.data()["url"].clone();
        let state = super::drive::parameter(url.as_str().unwrap(), "state");
        thief.browser.send(Request::new("GET", format!("/oauth/callback/facebook?state={state}&code=x"))).await;
        let is_let_in = async || {
            let mut elsewhere = Party::new(&server, MALLORY);
            elsewhere.comes_from_elsewhere().await;
            elsewhere.browser.has(SESSION) && elsewhere.me().await["email"] == ada.email
        };
        assert!(is_let_in().await, "the thief has linked an account");
        if by_mail {
            assert_eq!(browser.mutation("auth.requestReset", json!({"email": ada.email})).await.code(), "OK");
            let link = mailbox::mails(&server.service, &ada.email).await.pop().unwrap();
            let chosen = json!({"token": link.token(), "password": password()});
            assert_eq!(browser.mutation("auth.resetPassword", chosen).await.code(), "OK");
        } else {
            let next = password();
            let kept = json!({"current": ada.password, "password": next});
            assert_eq!(browser.mutation("auth.changePassword", kept).await.code(), "OK");
            assert!(is_let_in().await, "it stays if nothing is said of it");
            let dropped = json!({"current": next, "password": password(), "unlinkIdentities": true});
            assert_eq!(browser.mutation("auth.changePassword", dropped).await.code(), "OK");
        }
        assert!(!is_let_in().await, "by mail: {by_mail}");
    }
}

/// Who brings an account elsewhere with an address for which nobody vouches learns nothing of that address, however
/// often they come.
#[tokio::test]
async fn a_made_up_address_elsewhere_tells_nothing() {
    let mut subjects = Vec::new();
    for case in ["proved", "registered", "made by an administrator", "nobody's"] {
        let provider = Provider::start(json!({"id": "666", "name": MALLORY, "email": VICTIM})).await;
        let server = TestServer::with(&provider).await;
        server.keeper().await;
        let (mut stranger, mut owner) = two(&server).await;
        match case {
            "nobody's" => {}
            "made by an administrator" => {
                server.mutation("users.create", json!({"email": VICTIM, "name": "Victoria"})).await.data();
            }
            _ => owner.registers().await,
        }
        if case == "proved" {
            assert_eq!(owner.opens(&mail(&server, 1).await).await.code(), "OK");
        }
        let before = mailbox::mails(&server.service, VICTIM).await.len();
        for _ in 0..2 {
            assert_eq!(stranger.comes_from_elsewhere().await, "#error=confirm_email", "{case}");
            assert!(!stranger.browser.has(SESSION), "{case}");
        }
        let mails = mailbox::mails(&server.service, VICTIM).await;
        assert_eq!(mails.len(), before + 2, "{case}: one for each");
        subjects.push(mails.last().unwrap().subject.clone());
    }
    // Only the owner is told, by mail.
    let confirm = "Confirm your e-mail address";
    assert_eq!(subjects, ["You have an account already", confirm, "You have an account: choose a password", confirm]);
}
