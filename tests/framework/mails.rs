//! Mail, from a procedure to the mailbox of the local service. What the mails say is tested elsewhere.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Folder, Request, Service, http::percent_encode};

/// Registers somebody, who then gets a mail.
pub async fn register(service: &Service, email: &str) {
    let input = json!({"email": email, "name": "Somebody", "password": "vexing otters juggle"});
    let answer = service.send(&Request::mutation("auth.register", &input)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// To whom the mails in the mailbox are, the latest first.
pub async fn receivers(service: &Service, query: &str) -> Vec<String> {
    let answer = service.send(&Request::new("GET", format!("/_local/mail{query}"))).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None), "{}", answer.text());
    let mails = answer.json();
    for mail in mails.as_array().unwrap() {
        let texts = ["id", "sentAt", "subject", "text"].map(|field| mail[field].as_str().unwrap_or_default());
        assert!(texts.iter().all(|text| !text.is_empty()), "{mail}");
    }
    mails.as_array().unwrap().iter().map(|mail| mail["to"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_kept_in_the_data_folder() {
    let data = Folder::new();
    let service = Service::kept(&data).await;
    assert_eq!(receivers(&service, "").await, [""; 0]);
    register(&service, "ada@example.com").await;
    register(&service, "bob@example.com").await;
    assert_eq!(receivers(&service, "").await, ["bob@example.com", "ada@example.com"]);
    drop(service);

    let service = Service::kept(&data).await;
    assert_eq!(receivers(&service, "?to=ADA%40example.com").await, ["ada@example.com"]);
    let files: Vec<_> = fs::read_dir(data.path().join("mail")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(file.extension().is_some_and(|end| end == "eml") && text.starts_with("Date: "), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_of_an_ephemeral_service_are_in_memory() {
    let data = Folder::new();
    let service = Service::ephemeral(&data).await;
    register(&service, "ada@example.com").await;
    assert_eq!(receivers(&service, "").await, ["ada@example.com"]);
    assert!(!data.path().join("mail").exists());
    // The front says where they are.
    let index: Value = service.send(&Request::new("GET", "/")).await.json();
    assert_eq!(index["mail"], format!("http://{}/_local/mail", service.address));
}

/// The mail service takes ASCII only: a host goes in its ASCII form, in which it is found again as well.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_the_ascii_form_of_a_host() {
    let data = Folder::new();
    let service = Service::ephemeral(&data).await;
    register(&service, "ida@müller.example").await;
    assert_eq!(receivers(&service, "").await, ["ida@xn--mller-kva.example"]);
    for spelling in ["ida@xn--mller-kva.example", "IDA@Müller.example"] {
        let asked = format!("?to={}", percent_encode(spelling.as_bytes()));
        assert_eq!(receivers(&service, &asked).await.len(), 1, "{spelling}");
    }
}
