//! A provider of accounts elsewhere, of Facebook's kind: it says the same of everybody who comes.

use serde_json::{Value, json};
use testbed::Role;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{Folder, Key, Service, TestServer};

/// A running provider. It is stopped when it goes out of scope.
pub struct Provider {
    address: String,
    /// What the service proves itself with there.
    pub secret: String,
    /// What the provider gives the service for a code.
    pub access_token: String,
    task: JoinHandle<()>,
}

impl Provider {
    /// `user`: what it says of everybody.
    pub async fn start(user: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let random = || format!("planted{}", uuid::Uuid::now_v7().simple());
        let (secret, access_token) = (random(), random());
        let token = json!({"access_token": access_token, "token_type": "bearer"});
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                answer(connection, &token, &user).await;
            }
        });
        Self { address, secret, access_token, task }
    }

    /// A data folder of a service that knows the provider.
    pub fn folder(&self) -> Folder {
        let data = Folder::new();
        std::fs::create_dir_all(data.path().join("secrets")).unwrap();
        let file = data.path().join("secrets/identity-providers.json");
        std::fs::write(file, self.configuration().to_string()).unwrap();
        data
    }

    /// The service's secret `identity-providers`.
    pub fn configuration(&self) -> Value {
        let at = |path: &str| format!("{}/{path}", self.address);
        json!([{
            "id": "facebook", "kind": "facebook", "clientId": "1", "clientSecret": self.secret,
            "authorizationEndpoint": at("dialog"), "tokenEndpoint": at("token"), "userinfoEndpoint": at("me"),
        }])
    }
}

impl TestServer {
    /// The testbed, kept in a folder, where one signs in with accounts of a provider as well.
    pub async fn with(provider: &Provider) -> Self {
        let data = Folder::new();
        std::fs::create_dir_all(data.path().join("secrets")).unwrap();
        let file = data.path().join("secrets/identity-providers.json");
        std::fs::write(file, provider.configuration().to_string()).unwrap();
        let service = Service::kept(&data).await;
        let key = Key::of(data.path());
        Self { admin: key.token_of(Role::Administrator, "the operator"), service, key, data }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A code is exchanged by POST; who somebody is, is asked by GET.
async fn answer(mut connection: TcpStream, token: &Value, user: &Value) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let body = if head.starts_with(b"POST") { token } else { user }.to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = connection.write_all((head + &body).as_bytes()).await;
}
