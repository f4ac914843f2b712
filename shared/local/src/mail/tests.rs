//! The local SES through the mail capability, and the mailbox behind it.

use std::{fs, path::PathBuf, sync::Arc};

use aws::{Letter, MailSettings};
use bytes::Bytes;
use http::Request;
use protocol::Code;
use runtime::mail::{Mail, MailTransport, Message};
use serde_json::json;

use super::{LocalSes, Mailbox, page};
use crate::database::Credentials;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("onefold-mail-{}", uuid::Uuid::new_v4())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mail_of(local_ses: &LocalSes, access_key_id: &str) -> Mail {
    let credentials = Credentials { access_key_id: access_key_id.to_owned(), secret_access_key: "secret".to_owned() };
    Mail::new(Arc::new(MailTransport::new(Some(MailSettings {
        from: "Test <test@localhost>".to_owned(),
        access: credentials.access(local_ses.endpoint()),
        retries: MailSettings::RETRIES,
    }))))
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let folder = Folder::new();
    for mailbox in [Mailbox::in_memory(), Mailbox::in_folder(&folder.0)] {
        let local_ses = LocalSes::start(mailbox).await.unwrap();
        local_ses.admit("MAY");
        let mail = mail_of(&local_ses, "MAY");
        let text = "Grüße & <mehr>: 100 %\r\n+ a=b&c=d\n\n日本 🍰\n";
        mail.send(Message { to: "ada@example.com", subject: "Grüße & 日本", text }).await.unwrap();
        mail.send(Message { to: "Bob@example.com", subject: "Second", text: "2" }).await.unwrap();

        let all = local_ses.mailbox().latest(None).unwrap();
        let told: Vec<_> = all.iter().map(|m| (m.to.as_str(), m.subject.as_str(), m.text.as_str())).collect();
        let first = ("ada@example.com", "Grüße & 日本", "Grüße & <mehr>: 100 %\n+ a=b&c=d\n\n日本 🍰\n");
        assert_eq!(told, [("Bob@example.com", "Second", "2"), first]);
        assert_eq!(local_ses.mailbox().latest(Some("bob@EXAMPLE.com")).unwrap(), all[..1]);
        assert_eq!(local_ses.mailbox().latest(Some("eve@example.com")).unwrap(), []);
        assert!(all[0].sent_at >= all[1].sent_at && all[0].id > all[1].id);
        local_ses.stop().await;
    }
}

#[tokio::test]
async fn who_does_not_name_it_sends_nothing() {
    let local_ses = LocalSes::start(Mailbox::in_memory()).await.unwrap();
    local_ses.admit("MAY");
    let fault = mail_of(&local_ses, "OTHER")
        .send(Message { to: "ada@example.com", subject: "s", text: "t" })
        .await
        .expect_err("it has no right to it");
    assert_eq!(fault.code, Code::InternalServerError);
    assert!(runtime::telemetry::chain(&*fault.cause.unwrap()).contains("AccessDenied"));
    assert_eq!(local_ses.mailbox().latest(None).unwrap(), []);
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_written_is_a_trouble_of_ses() {
    let folder = Folder::new();
    fs::write(&folder.0, "a file where the folder should be").unwrap();
    let local_ses = LocalSes::start(Mailbox::in_folder(&folder.0)).await.unwrap();
    local_ses.admit("MAY");
    let sent = mail_of(&local_ses, "MAY").send(Message { to: "ada@example.com", subject: "s", text: "t" }).await;
    assert_eq!(sent.unwrap_err().code, Code::ServiceUnavailable);
    fs::remove_file(&folder.0).unwrap();
}

fn letter(number: usize) -> Letter {
    let to = if number.is_multiple_of(2) { "ada@example.com" } else { "bob@example.com" };
    Letter { to: to.to_owned(), subject: format!("{number}"), text: String::new() }
}

#[test]
fn the_latest_hundred_are_shown() {
    let folder = Folder::new();
    for mailbox in [Mailbox::in_memory(), Mailbox::in_folder(&folder.0)] {
        for number in 0..150 {
            mailbox.put("test@localhost", letter(number)).unwrap();
        }
        let shown: Vec<_> = mailbox.latest(None).unwrap().into_iter().map(|mail| mail.subject).collect();
        assert_eq!(shown, (50..150).rev().map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(mailbox.latest(Some("ada@example.com")).unwrap()[0].subject, "148");
    }
}

#[test]
fn a_folder_keeps_its_mails_and_shows_no_half_ones() {
    let folder = Folder::new();
    assert_eq!(Mailbox::in_folder(&folder.0).latest(None).unwrap(), [], "a folder that is not there yet");
    let put = Mailbox::in_folder(&folder.0).put("test@localhost", letter(0)).unwrap();
    fs::write(folder.0.join(format!("{}.eml", uuid::Uuid::now_v7())), "Subject: of somebody else\r\n\r\n").unwrap();
    fs::write(folder.0.join("notes.txt"), "of somebody else").unwrap();
    fs::write(folder.0.join(".draft"), "half").unwrap();
    assert_eq!(Mailbox::in_folder(&folder.0).latest(None).unwrap(), std::slice::from_ref(&put));
    let names = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.collect::<Vec<_>>().contains(&format!("{}.eml", put.id)));
}

fn request(mailbox: &Mailbox, method: &str, host: &str, query: &str) -> Result<serde_json::Value, protocol::Code> {
    let uri = format!("{}{query}", page::PATH);
    let request = Request::builder().method(method).uri(uri).header("host", host).body(Bytes::new()).unwrap();
    let response = page::answer(mailbox, &request).map_err(|fault| fault.code)?;
    Ok(serde_json::from_slice(response.body()).unwrap())
}

#[test]
fn a_mailbox_is_shown_to_this_machine() {
    let mailbox = Mailbox::in_memory();
    mailbox.put("test@localhost", letter(0)).unwrap();
    let second = mailbox.put("test@localhost", Letter { text: "Line\n".to_owned(), ..letter(1) }).unwrap();
    let all = request(&mailbox, "GET", "127.0.0.1:9000", "").unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let expected = json!({
        "id": second.id, "to": "bob@example.com", "subject": "1", "text": "Line\n", "sentAt": second.sent_at
    });
    assert_eq!(all[0], expected);
    assert_eq!(request(&mailbox, "GET", "localhost:9000", "?to=bob%40example.com").unwrap(), json!([expected]));
    assert_eq!(request(&mailbox, "GET", "localhost", "?to=eve@example.com"), Ok(json!([])));
    assert_eq!(request(&mailbox, "POST", "localhost", ""), Err(Code::MethodNotSupported));
    for host in ["", "evil.example.com", "evil.example.com:9000", "localhost.example.com", "127.0.0.1.example.com"] {
        assert_eq!(request(&mailbox, "GET", host, ""), Err(Code::Forbidden), "{host}");
    }
}
