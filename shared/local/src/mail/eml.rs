//! Mails as files (RFC 5322, with MIME: RFC 2045 and 2047).
//!
//! The reader understands what the writer writes: one text part, and headers of one line or of encoded words.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use protocol::{Timestamp, media_type};

use super::ReceivedMail;

/// The longest line that a mail may have, in bytes, without its end (RFC 5322 section 2.1.1).
const MAX_LINE_BYTES: usize = 998;
/// The length of a line of base64.
const BASE64_COLUMNS: usize = 76;
/// How much text an encoded word holds, in bytes: with `=?utf-8?B?` and `?=` it is shorter than 75 characters (RFC 2047
/// section 2).
const WORD_BYTES: usize = 45;

/// Writes a mail as a file. `date` is the time of sending, in the form of RFC 5322.
pub(super) fn write(mail: &ReceivedMail, from: &str, date: &str) -> String {
    let ReceivedMail { id, to, subject, text, .. } = mail;
    let lines: Vec<&str> = text.split('\n').collect();
    let (encoding, body) = if lines.iter().all(|line| line.len() <= MAX_LINE_BYTES) {
        ("8bit", lines.join("\r\n"))
    } else {
        let encoded = BASE64.encode(text);
        let lines = (0..encoded.len()).step_by(BASE64_COLUMNS);
        let lines = lines.map(|at| &encoded[at..encoded.len().min(at + BASE64_COLUMNS)]);
        ("base64", lines.collect::<Vec<_>>().join("\r\n"))
    };
    let headers = [
        format!("Date: {date}"),
        format!("From: {from}"),
        format!("To: {to}"),
        format!("Message-ID: <{id}@localhost>"),
        format!("Subject: {}", header_text(subject)),
        "MIME-Version: 1.0".to_owned(),
        format!("Content-Type: {}", media_type::TEXT_UTF8),
        format!("Content-Transfer-Encoding: {encoding}"),
    ];
    format!("{}\r\n\r\n{body}\r\n", headers.join("\r\n"))
}

/// Reads a file that [`write`] wrote; none if it is of another form.
pub(super) fn read(id: &str, sent_at: Timestamp, file: &str) -> Option<ReceivedMail> {
    let (headers, body) = file.split_once("\r\n\r\n")?;
    let headers = headers.replace("\r\n ", " ");
    let header = |name: &str| {
        headers.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
    };
    let body = body.strip_suffix("\r\n")?.replace("\r\n", "\n");
    let text = match header("content-transfer-encoding")?.1 {
        "8bit" => body,
        "base64" => String::from_utf8(BASE64.decode(body.replace('\n', "")).ok()?).ok()?,
        _ => return None,
    };
    let subject = read_header_text(header("subject")?.1)?;
    Some(ReceivedMail { id: id.to_owned(), to: header("to")?.1.to_owned(), subject, text, sent_at })
}

/// A header's value for a text: plain, or in encoded words.
fn header_text(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_plain && !text.contains("=?") && text.trim() == text {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD_BYTES => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn read_header_text(value: &str) -> Option<String> {
    if !value.starts_with("=?") {
        return Some(value.to_owned());
    }
    let mut text = Vec::new();
    for word in value.split(' ') {
        let word = word.strip_prefix("=?utf-8?B?")?.strip_suffix("?=")?;
        text.extend(BASE64.decode(word).ok()?);
    }
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, text: &str) -> ReceivedMail {
        ReceivedMail {
            id: "01890a5d".to_owned(),
            to: "ada@example.com".to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            sent_at: Timestamp::from_unix_ms(0),
        }
    }

    #[test]
    fn a_file_is_a_mail_that_a_person_can_read() {
        let file =
            write(&mail("Hello: 100 %", "Line 1\n\nhttp://x/#token=a=b\n"), "Us <us@localhost>", "Thu, 1 Jan 1970");
        let expected = "Date: Thu, 1 Jan 1970\r\nFrom: Us <us@localhost>\r\nTo: ada@example.com\r\n\
            Message-ID: <01890a5d@localhost>\r\nSubject: Hello: 100 %\r\nMIME-Version: 1.0\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
            Line 1\r\n\r\nhttp://x/#token=a=b\r\n\r\n";
        assert_eq!(file, expected);
    }

    #[test]
    fn what_was_written_is_read() {
        let long = "ü".repeat(2_000);
        for (subject, text) in [
            ("Plain", ""),
            ("Plain", "\n"),
            ("Plain", "no end"),
            ("Plain", "To: eve@example.com\n\n.\nFrom here\n"),
            ("=?utf-8?B?QQ==?=", "a subject that looks encoded"),
            (" spaces ", "\n\n spaces \n\n"),
            ("Grüße 🍰", "日本\n\u{2028}\t"),
            (&"🍰".repeat(200), &format!("{long}\nshort\n")),
        ] {
            let file = write(&mail(subject, text), "us@localhost", "d");
            assert_eq!(read("01890a5d", Timestamp::from_unix_ms(0), &file), Some(mail(subject, text)), "{file}");
            for line in file.split("\r\n") {
                assert!(line.len() <= MAX_LINE_BYTES && !line.contains(['\r', '\n']), "{line}");
            }
            let (headers, _) = file.split_once("\r\n\r\n").unwrap();
            assert!(headers.is_ascii() && headers.lines().all(|line| line.len() <= 210), "{headers}");
        }
    }

    #[test]
    fn other_files_are_no_mails_of_ours() {
        for file in ["", "Subject: x", "Subject: x\r\n\r\n", "Subject: x\r\nTo: y\r\n\r\nbody\r\n"] {
            assert_eq!(read("1", Timestamp::from_unix_ms(0), file), None, "{file:?}");
        }
    }
}
