//! One notion of an address: what is one, which two are the same, and where mail goes.

use fastrand::Rng;
use garde::Validate as _;
use identity::EmailAddress;
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{Browser, TestServer, people::password};

/// Addresses of every kind, to be spoilt.
const GOOD: [&str; 10] = [
    "ada@example.com",
    "a.b+c@mail.example.co.uk",
    "O'Neil_1@ex-ample.org",
    "ida@müller.example",
    "ida@mu\u{308}ller.example",
    "ida@xn--mller-kva.example",
    "ida@почта.рф",
    "ida@日本語.jp",
    "ida@한국.kr",
    "ida@Οδός.example",
];
/// Characters that some rule treats in its own way.
const ODD: &str = "@.-_+\"\\()[]<>:;, \t\n\u{0}\u{7f}\u{ad}\u{b7}\u{130}\u{131}\u{17f}\u{212a}\u{212b}\u{2126}\u{300}\u{301}\
    \u{308}\u{340}\u{345}\u{34f}\u{200c}\u{200d}\u{200f}\u{202e}\u{2028}\u{3002}\u{3099}\u{30fb}\u{387}\u{f900}\u{fb01}\u{feff}\
    \u{ff4b}\u{ff0e}\u{ff20}\u{1100}\u{1161}\u{11a8}ßẞςÅŉĳǆàà×÷٠۰१𐐀🍰\u{e0061}\u{10ffff}";

/// A character of any sort, more often of those that matter.
fn character(rng: &mut Rng, odd: &[char]) -> char {
    match rng.u8(..8) {
        0 | 1 => odd[rng.usize(..odd.len())],
        2 => rng.char('\u{21}'..='\u{7e}'),
        3 => rng.char('\u{a0}'..='\u{52f}'),
        4 => rng.char('\u{1e00}'..='\u{33ff}'),
        5 => rng.char('\u{3400}'..='\u{ffff}'),
        6 => rng.char(..),
        _ => rng.alphanumeric(),
    }
}

/// A good address, changed in a few places, or made longer in one.
fn spoilt(rng: &mut Rng, odd: &[char]) -> String {
    let mut letters: Vec<char> = GOOD[rng.usize(..GOOD.len())].chars().collect();
    for _ in 0..rng.usize(..4) {
        let place = rng.usize(..letters.len());
        match rng.u8(..6) {
            0 => drop(letters.remove(place)),
            1 => letters[place] = character(rng, odd),
            2 => {
                let many = [1, 2, 5, 13, 14, 19, 20, 32, 60, 62, 63, 64, 190][rng.usize(..13)];
                let letter = if rng.bool() { letters[place] } else { character(rng, odd) };
                let word = if rng.u8(..4) == 0 { [letter, '.'] } else { [letter, letter] };
                letters.splice(place..place, word.into_iter().cycle().take(many));
            }
            _ => letters.insert(place, character(rng, odd)),
        }
        if letters.is_empty() {
            break;
        }
    }
    letters.into_iter().collect()
}

/// What fits the published schema is taken, and what is taken fits it: characters of every sort, and lengths.
#[test]
fn the_published_schema_says_what_is_checked() {
    let document: Value = serde_json::from_str(include_str!("../../testbed/bindings/openapi.json")).unwrap();
    let schema = jsonschema::validator_for(&document["components"]["schemas"]["EmailAddress"]).unwrap();
    let (mut rng, odd) = (Rng::with_seed(0x1F01D), ODD.chars().collect::<Vec<_>>());
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let address = spoilt(&mut rng, &odd);
        let is_taken = EmailAddress::new(&*address).validate().is_ok();
        assert_eq!(schema.is_valid(&address.clone().into()), is_taken, "{address:?}");
        *(if is_taken { &mut taken } else { &mut refused }) += 1;
    }
    assert!(taken > 6_000 && refused > 6_000, "{taken} taken, {refused} refused");
}

/// The address of another mailbox is never the same, and what is taken has a way for mail.
#[test]
fn what_is_taken_can_be_mailed_to_and_compared() {
    let (mut rng, odd) = (Rng::with_seed(0xADD4), ODD.chars().collect::<Vec<_>>());
    for _ in 0..20_000 {
        let address = spoilt(&mut rng, &odd);
        if EmailAddress::new(&*address).validate().is_err() {
            continue;
        }
        let mailed = protocol::address::deliverable(&address).unwrap().into_owned();
        assert!(mailed.is_ascii() && mailed.len() <= 254, "{address:?}");
        let mailed = EmailAddress::new(mailed);
        assert!(mailed.validate().is_ok() && mailed.is_same_as(&EmailAddress::new(&*address)), "{address:?}");
    }
}

async fn create(server: &TestServer, email: &str) -> String {
    let answer = server.mutation("users.create", json!({"email": email, "name": "Somebody"})).await;
    if answer.status == 200 { "taken".to_owned() } else { answer.code() }
}

/// Every spelling of one address is one account, whoever asks and for whatever.
#[tokio::test]
async fn spellings_of_one_address_are_one_account() {
    let server = TestServer::inhabited().await;
    assert_eq!(create(&server, "ida@müller.example").await, "taken");
    for again in [
        "ida@müller.example",
        "ida@xn--mller-kva.example",
        "IDA@MÜLLER.example",
        "ida@XN--MLLER-KVA.EXAMPLE",
        "ida@mu\u{308}ller.example",
    ] {
        assert_eq!(create(&server, again).await, "CONFLICT", "{again}");
    }
    // Other letters are another mailbox, or none.
    assert_eq!(create(&server, "ida@muller.example").await, "taken");
    assert_eq!(create(&server, "ida@mueller.example").await, "taken");

    // A link that was asked for by one spelling is good for the account of another, and so is the password.
    let mut browser = Browser::new(&server.service);
    let input = json!({"email": "IDA@xn--mller-kva.example"});
    assert_eq!(browser.mutation("auth.requestReset", input).await.code(), "OK");
    let (token, chosen) = (server.mail("ida@müller.example", 1).await.token(), password());
    let reset = json!({"token": token, "password": chosen});
    assert_eq!(browser.mutation("auth.resetPassword", reset).await.code(), "OK");
    let answer = browser.login("ida@Müller.example", &chosen).await;
    assert_eq!(answer.data()["user"]["email"], "ida@müller.example", "as its owner wrote it");
}

/// Mail goes to the ASCII form of the host; where no mail can go, nobody can register.
#[tokio::test]
async fn what_is_accepted_gets_its_mail() {
    let server = TestServer::inhabited().await;
    let register = async |browser: &mut Browser, email: &str| {
        browser.mutation("auth.register", json!({"email": email, "name": "Ida", "password": password()})).await
    };
    let mut own = Browser::new(&server.service);
    assert_eq!(register(&mut own, "ida@müller.example").await.code(), "OK");
    let token = server.mail("ida@xn--mller-kva.example", 1).await.token();
    assert_eq!(own.mutation("auth.verifyEmail", json!({"token": token})).await.code(), "OK");
    for nowhere in [
        "jürgen@example.com",
        "ju\u{308}rgen@mu\u{308}ller.example",
        "eri\u{212a}@example.com",
        "erik@tes\u{212a}o.example",
        "ida@127.0.0.1",
        "ida@דוגמה.example",
    ] {
        let answer = register(&mut own, nowhere).await;
        assert_eq!((answer.code().as_str(), answer.fields()), ("BAD_REQUEST", vec!["email".to_owned()]), "{nowhere}");
        assert_eq!(create(&server, nowhere).await, "BAD_REQUEST", "{nowhere}");
    }
}

/// A letter that only some mapping makes another of is none: nobody signs in, and nobody is locked out, by it.
#[tokio::test]
async fn a_letter_that_only_looks_like_another_opens_no_account() {
    let server = TestServer::inhabited().await;
    let erik = server.person("erik", Role::Viewer).await;
    for email in ["eri\u{212a}@example.com", "er\u{131}k@example.com", "erik@example\u{3002}com", "erik@ｅxample.com"]
    {
        let answer = Browser::new(&server.service).login(email, &erik.password).await;
        assert_ne!(answer.code(), "OK", "{email}");
    }
    assert_eq!(Browser::new(&server.service).login("ERIK@EXAMPLE.COM", &erik.password).await.code(), "OK");
}

/// Somebody registers in other letters first: the links of the owner are good all the same.
#[tokio::test]
async fn who_registered_in_other_letters_before_is_not_in_the_way() {
    let server = TestServer::inhabited().await;
    let stranger = json!({"email": "Tilda@Example.com", "name": "Somebody", "password": password()});
    Browser::new(&server.service).mutation("auth.register", stranger).await.data();
    let mut own = Browser::new(&server.service);
    let mine = json!({"email": "tilda@example.com", "name": "Tilda", "password": password()});
    own.mutation("auth.register", mine.clone()).await.data();
    let token = server.mail("tilda@example.com", 2).await.token();
    assert_eq!(own.mutation("auth.verifyEmail", json!({"token": token})).await.code(), "OK");
    let answer = own.login("tilda@example.com", mine["password"].as_str().unwrap()).await;
    assert_eq!(answer.code(), "OK", "{}", answer.text());

    own.mutation("auth.requestReset", json!({"email": "TILDA@example.com"})).await.data();
    let token = server.mail("tilda@example.com", 3).await.token();
    let reset = json!({"token": token, "password": password()});
    assert_eq!(own.mutation("auth.resetPassword", reset).await.code(), "OK");
}
