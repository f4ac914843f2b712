//! Validation of the claims that the command line signs.

/// The longest validity of a token that is signed here, in minutes: 30 days. A leaked token stays valid until its key
/// is retired.
const MAX_MINUTES: u32 = 30 * 24 * 60;
/// The longest subject, in bytes. A token has at most 4 KiB, and the subject is part of keys.
const MAX_SUBJECT_BYTES: usize = 255;

/// Parses the validity of a token, in minutes.
pub(crate) fn minutes(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|minutes| (1..=MAX_MINUTES).contains(minutes)).ok_or_else(|| {
        format!("a token is valid for 1 to {MAX_MINUTES} minutes, which are 30 days; whoever needs it longer signs another one")
    })
}

/// Parses the subject of a token.
pub(crate) fn subject(text: &str) -> Result<String, String> {
    let is_name = !text.trim().is_empty() && text.len() <= MAX_SUBJECT_BYTES && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned()).ok_or_else(|| {
        format!("a subject says who calls, such as a user's id, in at most {MAX_SUBJECT_BYTES} bytes; leave it out for a new one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_and_has_begun() {
        for good in ["1", "720", "43200"] {
            assert_eq!(minutes(good), Ok(good.parse().unwrap()));
        }
        for bad in ["0", "43201", "99999999", "99999999999", "-1", "1.5", "", "soon"] {
            assert!(minutes(bad).unwrap_err().starts_with("a token is valid for 1 to 43200 minutes"), "{bad:?}");
        }
    }

    #[test]
    fn a_subject_is_somebody() {
        for good in ["ada", "01890a5d-ac96-774b-bcce-b302099a8057", "Ada Lovelace", &"a".repeat(255)] {
            assert_eq!(subject(good), Ok(good.to_owned()));
        }
        for bad in ["", " ", "\t", "a\nb", &"a".repeat(256)] {
            assert!(subject(bad).unwrap_err().starts_with("a subject says who calls"), "{bad:?}");
        }
    }
}
