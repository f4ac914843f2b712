//! E-mail addresses: validation, comparison, and the form for delivery. All code that compares or checks addresses
//! uses this module.
//!
//! - The host alone decides what the part before the `@` means (RFC 5321 section 2.4). It is in ASCII, since SES does
//!   not support RFC 6531; two spellings of one address may differ only in the case of its letters.
//! - A host may contain letters beyond ASCII; the DNS has its ASCII form (RFC 5890 section 2.3.2.1), which is
//!   compared and which mail goes to. Only letters are accepted whose ASCII form is known to mean the same letter,
//!   perhaps in lower case, perhaps composed of a letter and a mark: a mapping of KELVIN SIGN to `k`, as IDNA has it,
//!   would make one host of two.
//!
//! The grammar of hosts is a regular language on purpose, lengths included, so that the published schema says all
//! that is checked: the [`pattern`], and [`TOO_LONG`], which no address matches. The pattern alone is wider: it
//! counts the letters before the `@` and not the dots between them.

use std::borrow::Cow;

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};

use letters::{ASIAN, ASIAN_MARK, DIGITS, EUROPEAN, Letters, MARK};

mod letters;
#[cfg(test)]
mod tests;

/// The longest address that mail can be sent to, in bytes (RFC 5321 section 4.5.3.1.3, without the brackets).
pub const MAX_BYTES: usize = 254;
/// A pattern that no address matches: of texts with more than [`MAX_LOCAL`] bytes before the `@`. It is a pattern of
/// its own, since a regular expression that counts dots with the rest, and refuses two in a row, would need
/// lookahead, which not all readers of [`pattern`] have.
pub const TOO_LONG: &str = "^[^@]{65}";
/// The maximum number of bytes before the `@`, dots included (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The maximum number of characters before the `@` for a host beyond ASCII, without the dots between them: the whole
/// address is then never too long in ASCII.
const MAX_LOCAL_BEYOND_ASCII: usize = 32;
/// The longest label of a host, in bytes (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;
/// The longest label beyond ASCII in letters of European scripts, in characters: such a label has at most
/// [`MAX_LABEL`] bytes in ASCII, whatever its letters.
const MAX_EUROPEAN: usize = 20;
/// [`MAX_EUROPEAN`] for letters of all scripts.
const MAX_ANY: usize = 14;
/// The maximum number of labels of a host beyond ASCII.
const MAX_LABELS_BEYOND_ASCII: usize = 3;
/// The characters of such labels, in addition to hyphens.
const OF_EUROPEAN: &[Letters] = &[DIGITS, EUROPEAN, MARK];
/// [`OF_EUROPEAN`] for all scripts.
const OF_ANY: &[Letters] = &[DIGITS, EUROPEAN, MARK, ASIAN, ASIAN_MARK];
/// The characters before the `@`, in addition to letters, digits and dots (RFC 5322 section 3.2.3).
const SIGNS: &str = "!#$%&'*+/=?^_`{|}~-";

/// Whether this is an address that mail can reach.
pub fn is_valid(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@').filter(|_| address.len() <= MAX_BYTES) else { return false };
    let most = if domain.is_ascii() { MAX_LOCAL } else { MAX_LOCAL_BEYOND_ASCII };
    is_local(local, most) && host(domain).is_some()
}

/// The host of addresses in the form for comparison: ASCII in lower case; none if mail cannot reach it.
pub fn host(text: &str) -> Option<String> {
    if text.is_ascii() && !is_ascii_host(text) {
        return None;
    }
    Some(converted(text)?.to_ascii_lowercase())
}

/// The form of an address for comparison: two addresses are the same exactly if their forms are.
pub fn comparable(address: &str) -> String {
    deliverable(address).unwrap_or(Cow::Borrowed(address)).to_ascii_lowercase()
}

/// The address with the ASCII form of its host, for delivery; none if it has none.
pub fn deliverable(address: &str) -> Option<Cow<'_, str>> {
    if address.is_ascii() {
        return Some(Cow::Borrowed(address));
    }
    let (local, host) = address.rsplit_once('@').filter(|(local, _)| local.is_ascii())?;
    Some(Cow::Owned(format!("{local}@{}", converted(host)?)))
}

/// The check of an address, except for [`TOO_LONG`], as a regular expression, in the common syntax of ECMA-262,
/// Python, Java, RE2 and others.
pub fn pattern() -> String {
    let atom = format!("[A-Za-z0-9{SIGNS}]");
    let local = |most: usize| format!(r"{atom}(\.?{atom}){{0,{}}}", most - 1);
    let rest = format!("([A-Za-z0-9-]{{0,{}}}[A-Za-z0-9])?", MAX_LABEL - 2);
    let label = |digits: Letters| {
        let european = beyond_ascii(&class(&[digits, EUROPEAN]), &class(OF_EUROPEAN), MAX_EUROPEAN);
        format!("{european}|{}", beyond_ascii(&class(&[digits, EUROPEAN, ASIAN]), &class(OF_ANY), MAX_ANY))
    };
    format!(
        r"^({}@([A-Za-z0-9]{rest}\.)+[A-Za-z]{rest}|{}@(({})\.){{1,{}}}({}))$",
        local(MAX_LOCAL),
        local(MAX_LOCAL_BEYOND_ASCII),
        label(DIGITS),
        MAX_LABELS_BEYOND_ASCII - 1,
        label(&[]),
    )
}

/// A label whose third and fourth character are not both hyphens, as in labels that are in ASCII form already (RFC
/// 5891 section 4.2.3.1).
fn beyond_ascii(first: &str, others: &str, most: usize) -> String {
    let (first, last, any) = (format!("[{first}]"), format!("[{others}]"), format!("[{others}-]"));
    format!("{first}({any}{{0,2}}{last}|{any}({last}{any}|-{last}){any}{{0,{}}}{last})?", most - 5)
}

/// The inside of a character class of a regular expression.
fn class(letters: &[Letters]) -> String {
    letters.iter().copied().flatten().map(|(from, to)| format!("{from}-{to}")).collect()
}

/// Whether this is a sequence of words of letters, digits and signs, separated by single dots, with at most `most`
/// characters without the dots.
fn is_local(local: &str, most: usize) -> bool {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c);
    let is_word = |word: &str| !word.is_empty() && word.chars().all(is_atom);
    local.len() <= MAX_LOCAL && local.split('.').all(is_word) && local.chars().filter(|c| *c != '.').count() <= most
}

/// Whether this is two labels or more, the last of which is not a number: otherwise it would be an IP address.
fn is_ascii_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(is_good)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, last)) = host.rsplit_once('.').filter(|_| host.len() <= MAX_BYTES) else { return false };
    host.split('.').all(is_label) && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The ASCII form of a host; none if the text is not a host.
fn converted(host: &str) -> Option<Cow<'_, str>> {
    if host.is_ascii() {
        return Some(Cow::Borrowed(host));
    }
    let (_, last) = host.rsplit_once('.')?;
    let is_host = host.split('.').count() <= MAX_LABELS_BEYOND_ASCII
        && host.split('.').all(is_label_beyond_ascii)
        && !last.starts_with(|c: char| c.is_ascii_digit());
    if !is_host {
        return None;
    }
    Uts46::new().to_ascii(host.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify).ok()
}

/// Whether this is a valid label of a host beyond ASCII; the label itself may be in ASCII.
fn is_label_beyond_ascii(label: &str) -> bool {
    let is_in = |sets: &[Letters], c: char| sets.iter().copied().flatten().any(|(from, to)| (*from..=*to).contains(&c));
    let is_of = |sets: &[Letters]| label.chars().all(|c| c == '-' || is_in(sets, c));
    let most = if is_of(OF_EUROPEAN) { MAX_EUROPEAN } else { MAX_ANY };
    is_of(OF_ANY)
        && label.chars().count() <= most
        && label.starts_with(|c| is_in(&[DIGITS, EUROPEAN, ASIAN], c))
        && !label.ends_with('-')
        && !label.chars().skip(2).take(2).eq(['-', '-'])
}
