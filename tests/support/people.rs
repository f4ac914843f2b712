//! People with accounts.

use serde_json::{Value, json};
use testbed::Role;

use super::{
    Browser, TestServer,
    mailbox::{self, Mail},
};

/// Somebody who has an account with a proved address and a password.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub password: String,
}

/// The tokens of a program that signed in.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Tokens {
    /// From `tokens` of an answer.
    pub fn of(answer: &Value) -> Self {
        let text = |name: &str| answer["tokens"][name].as_str().unwrap_or_default().to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken") }
    }
}

/// A password that nobody has guessed.
pub fn password() -> String {
    format!("violet tractor {}", uuid::Uuid::now_v7().simple())
}

impl TestServer {
    /// The testbed with somebody in it already, so that who registers is not the first.
    pub async fn inhabited() -> Self {
        let server = Self::open().await;
        server.keeper().await;
        server
    }

    /// An administrator who can act, so that others may go. Answers the id.
    pub async fn keeper(&self) -> Value {
        let keeper =
            json!({"email": "keeper@example.org", "name": "Keeper", "role": "administrator", "isVerified": true});
        self.mutation("users.create", keeper).await.data()["id"].clone()
    }

    /// Registers somebody, and does not prove the address.
    pub async fn registered(&self, name: &str) -> Person {
        self.registered_in(&mut Browser::new(&self.service), name).await
    }

    /// The same in a browser, which may then prove the address without the password.
    pub async fn registered_in(&self, browser: &mut Browser, name: &str) -> Person {
        let (email, password) = (format!("{name}@example.com"), password());
        let input = json!({"email": email, "name": name, "password": password});
        let answer = browser.mutation("auth.register", input).await;
        assert_eq!(answer.code(), "OK", "{}", answer.text());
        Person { id: String::new(), email, password }
    }

    /// Registers somebody, proves the address, and gives a role.
    pub async fn person(&self, name: &str, role: Role) -> Person {
        let registered = self.registered(name).await;
        let mail = self.mail(&registered.email, 1).await;
        let mut browser = Browser::new(&self.service);
        let proof = json!({"token": mail.token(), "password": registered.password});
        assert_eq!(browser.mutation("auth.verifyEmail", proof).await.code(), "OK");
        let me = browser.login(&registered.email, &registered.password).await.data()["user"].clone();
        let id = me["id"].as_str().unwrap_or_default().to_owned();
        if me["role"] != role.name() {
            self.mutation("users.update", json!({"id": id, "role": role.name()})).await.data();
        }
        assert_eq!(browser.mutation("auth.logout", json!({})).await.code(), "OK");
        Person { id, ..registered }
    }

    /// The id of whoever has an address.
    pub async fn id_of(&self, email: &str) -> Value {
        let page = self.query("users.list", json!({"limit": 100})).await.data();
        let has_it = |user: &&Value| user["email"] == email;
        page["items"].as_array().unwrap().iter().find(has_it).unwrap()["id"].clone()
    }

    /// The newest of so many mails to an address.
    pub async fn mail(&self, to: &str, count: usize) -> Mail {
        mailbox::mail(&self.service, to, count).await
    }

    /// A browser in which somebody has signed in.
    pub async fn browser(&self, person: &Person) -> Browser {
        let mut browser = Browser::new(&self.service);
        let answer = browser.login(&person.email, &person.password).await;
        assert_eq!(answer.code(), "OK", "{}", answer.text());
        browser
    }

    /// The tokens of a program in which somebody has signed in.
    pub async fn tokens(&self, person: &Person) -> Tokens {
        let input = json!({"email": person.email, "password": person.password, "keep": "tokens"});
        Tokens::of(&Browser::new(&self.service).mutation("auth.login", input).await.data())
    }
}
