use super::*;

fn is_same(one: &str, other: &str) -> bool {
    comparable(one) == comparable(other)
}

/// All letters that a host may be written in.
fn letters() -> impl Iterator<Item = char> {
    OF_ANY.iter().copied().flatten().flat_map(|&(from, to)| from..=to)
}

#[test]
fn spellings_of_one_address_are_one() {
    assert!(is_same("Tilda@Example.com", "tilda@example.COM"));
    assert!(is_same("ida@müller.example", "ida@xn--mller-kva.example"));
    assert!(is_same("ida@MÜLLER.example", "ida@XN--Mller-KVA.example"));
    assert!(is_same("ida@mu\u{308}ller.example", "ida@müller.example"));
    assert!(is_same("ida@か\u{3099}.example", "ida@が.example"));
    assert!(is_same("ida@\u{1112}\u{1161}\u{11ab}.example", "ida@한.example"));
}

/// Letters that some mapping of Unicode makes another letter of: before the `@` and behind it, in every spelling that
/// comes to the one of the other mailbox.
#[test]
fn a_letter_that_is_mapped_to_another_joins_no_two_addresses() {
    for (odd, plain) in [
        ("\u{212a}", "k"),
        ("\u{212b}", "å"),
        ("\u{2126}", "ω"),
        ("ſ", "s"),
        ("İ", "i"),
        ("ı", "i"),
        ("ｋ", "k"),
        ("ﬁ", "fi"),
        ("ß", "ss"),
        ("ẞ", "ß"),
        ("\u{1f71}", "ά"),
        ("\u{f900}", "豈"),
        ("a\u{ad}", "a"),
        ("a\u{200d}", "a"),
        ("\u{340}a", "\u{300}a"),
    ] {
        let (local, other) = (format!("eri{odd}@example.com"), format!("eri{plain}@example.com"));
        assert!(!is_valid(&local) && !is_same(&local, &other), "{local}");
        let (host, other) = (format!("erik@ti{odd}.example"), format!("erik@ti{plain}.example"));
        assert!(!is_same(&host, &other), "{host}");
        assert_eq!(is_valid(&host), ["ß", "ı"].contains(&odd), "{host}");
    }
}

#[test]
fn mail_goes_to_the_ascii_form_of_a_host() {
    assert_eq!(deliverable("Ida@Müller.example").as_deref(), Some("Ida@xn--mller-kva.example"));
    assert_eq!(deliverable("Ida@Example.com").as_deref(), Some("Ida@Example.com"));
    assert_eq!(deliverable("jürgen@example.com"), None);
    assert_eq!(deliverable("ida@ti\u{212a}.example"), None);
}

#[test]
fn what_no_mail_can_reach_is_no_address() {
    let label = "a".repeat(63);
    let total = format!("ada@{label}.{label}.{label}.{}.com", "a".repeat(54));
    assert_eq!(total.len(), MAX_BYTES);
    for good in [
        "ada@example.com",
        "a.b+c@mail.example.co.uk",
        "O'Neil_1@ex-ample.org",
        "ida@müller.example",
        "ida@почта.рф",
        "ida@日本語.jp",
        "ida@한국.kr",
        "ida@xn--mller-kva.example",
        "a@b--c.example",
        &format!("{}@example.com", "a".repeat(64)),
        &format!("{}ab@example.com", "a.".repeat(31)),
        &format!("{}a@müller.example", "a.".repeat(31)),
        &total,
    ] {
        assert!(is_valid(good), "{good}");
    }
    for bad in [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "ada@127.0.0.1",
        "Ada <ada@example.com>",
        "a b@example.com",
        "a@[127.0.0.1]",
        "\"a b\"@example.com",
        "a\u{1}@example.com",
        "a@b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a@-b.example",
        "a@b-.example",
        "a@b..example",
        "a@b.example.",
        "a@b_c.example",
        "jürgen@example.com",
        "a@xn--ü.example",
        "a@\u{308}b.example",
        "a@b。example",
        "a@דוגמה.example",
        &format!("{}@example.com", "a".repeat(65)),
        &format!("{}a@example.com", "a.".repeat(32)),
        &format!("{}a@example.com", "a.".repeat(63)),
        &format!("{}ab@müller.example", "a.".repeat(31)),
        &format!("a@{label}a.example"),
        &format!("a{total}"),
    ] {
        assert!(!is_valid(bad), "{bad}");
    }
}

#[test]
fn a_host_has_one_form_and_is_one_that_mail_can_reach() {
    for (written, compared) in [
        ("Example.com", "example.com"),
        ("Müller.example", "xn--mller-kva.example"),
        ("mu\u{308}ller.example", "xn--mller-kva.example"),
        ("XN--mller-kva.example", "xn--mller-kva.example"),
    ] {
        assert_eq!(host(written).as_deref(), Some(compared));
    }
    let label = "a".repeat(64);
    for none in
        ["", "localhost", "1.2.3.4", "a..example", "a@b.example", "ti\u{212a}.example", &format!("{label}.example")]
    {
        assert_eq!(host(none), None, "{none}");
    }
}

/// Each letter that is taken stays what it is, but for its case: so no mapping joins two hosts.
#[test]
fn a_letter_of_a_host_is_itself_or_its_small_letter() {
    for letter in letters() {
        let small: Vec<char> = letter.to_lowercase().collect();
        assert_eq!(small.len(), 1, "{letter:?}");
        // No mark is composed with a `q`.
        let host = format!("q{letter}.example");
        let ascii = converted(&host).unwrap_or_else(|| panic!("{letter:?}")).to_ascii_lowercase();
        let back = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check).0;
        assert_eq!(back, format!("q{}.example", small[0]), "{letter:?}");
    }
}

/// The bounds hold for whatever takes most bytes: letters far from each other, and as many as there may be.
#[test]
fn no_host_is_too_long_in_ascii() {
    for (most, sets) in [(MAX_EUROPEAN, OF_EUROPEAN), (MAX_ANY, OF_ANY)] {
        let all: Vec<char> = sets.iter().copied().flatten().flat_map(|&(from, to)| from..=to).collect();
        for step in 1..100 {
            for start in (0..all.len()).step_by(all.len() / 50) {
                let label: String = (0..most).map(|place| all[(start + place * step * 7) % all.len()]).collect();
                if !is_label_beyond_ascii(&label) || label.is_ascii() {
                    continue;
                }
                let ascii = converted(&format!("{label}.example")).map(|host| host.len() - ".example".len());
                assert!(ascii.is_some_and(|bytes| bytes <= MAX_LABEL - 2), "{label}: {ascii:?}");
            }
        }
    }
}
