//! A browser: it keeps cookies, says which page it is on, and sends the token against cross-site requests.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use serde_json::{Value, json};

use super::{Answer, Connection, Request, Service};

/// The session's cookie, of a service on this machine.
pub const SESSION: &str = "onefold-local";
/// The cookie by which an account knows a browser.
pub const DEVICE: &str = "onefold-device-local";
/// The header with the token against cross-site requests.
pub const CSRF: &str = "x-csrf-token";

/// A browser with a page of the service open.
#[derive(Clone, Debug)]
pub struct Browser {
    address: SocketAddr,
    from: IpAddr,
    cookies: BTreeMap<String, String>,
    /// The token that the last answer had.
    csrf: Option<String>,
}

impl Browser {
    /// One that was never used.
    pub fn new(service: &Service) -> Self {
        Self::at(service, Ipv4Addr::LOCALHOST)
    }

    /// The same at another of this machine's loopback addresses.
    pub fn at(service: &Service, from: Ipv4Addr) -> Self {
        Self { address: service.address, from: from.into(), cookies: BTreeMap::new(), csrf: None }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> &str {
        self.cookies.get(name).unwrap_or_else(|| panic!("no cookie {name}")).as_str()
    }

    pub fn has(&self, name: &str) -> bool {
        self.cookies.contains_key(name)
    }

    /// Puts a cookie into it, as somebody at its keyboard could.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self.csrf = None;
    }

    /// The session's secret.
    pub fn session(&self) -> &str {
        self.cookie(SESSION)
    }

    /// The header with all cookies.
    pub fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// The origin of its page: the service's own.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token against cross-site requests, asked for if it is not known.
    pub async fn csrf(&mut self) -> String {
        if self.csrf.is_none() {
            self.query("auth.me", Value::Null).await;
        }
        self.csrf.clone().unwrap_or_default()
    }

    pub async fn query(&mut self, procedure: &str, input: Value) -> Answer {
        self.send(Request::query(procedure, &input)).await
    }

    /// Calls a mutation as the generated client does.
    pub async fn mutation(&mut self, procedure: &str, input: Value) -> Answer {
        let mut request = Request::mutation(procedure, &input).header("origin", self.origin());
        if self.has(SESSION) {
            request = request.header(CSRF, self.csrf().await);
        }
        self.send(request).await
    }

    pub async fn login(&mut self, email: &str, password: &str) -> Answer {
        self.mutation("auth.login", json!({"email": email, "password": password})).await
    }

    /// Whether it is signed in.
    pub async fn is_signed_in(&mut self) -> bool {
        match self.query("auth.me", Value::Null).await.code().as_str() {
            "OK" => true,
            "UNAUTHORIZED" => false,
            code => panic!("{code}"),
        }
    }

    /// Sends a request with its cookies, and keeps those of the answer.
    pub async fn send(&mut self, request: Request) -> Answer {
        let request = if self.cookies.is_empty() { request } else { request.header("cookie", self.cookies()) };
        let mut connection = Connection::open_from(self.from, self.address).await.unwrap();
        let answer = connection.send(&request).await.unwrap();
        if let Some(token) = answer.header(CSRF) {
            self.csrf = Some(token.to_owned());
        }
        for line in answer.all("set-cookie") {
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if name == SESSION {
                self.csrf = None;
            }
        }
        answer
    }
}
