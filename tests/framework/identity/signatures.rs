//! Signatures that are nearly right: bits turned over, and what Ed25519 lets be written in more than one way
//! (RFC 8032 section 5.1.7; Wycheproof's `eddsa_test`).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::Value;
use testbed::Role;

use crate::support::{Connection, Request, TestServer};

/// The order of the group, little-endian: 2^252 + 27742317777372353535851937790883648493.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Points of small order as they are written, also in ways that are not canonical: of order 1, 2, 4 and 8.
const SMALL_ORDER: [&str; 11] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

fn bytes(hex: &str) -> [u8; 32] {
    let digits = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(digits)
}

/// Little-endian, without an overflow.
fn sum(a: &[u8], b: &[u8; 32]) -> Vec<u8> {
    let mut carry = 0;
    let sum = a.iter().zip(b).map(|(a, b)| {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        carry = digit >> 8;
        digit.to_le_bytes()[0]
    });
    let sum: Vec<u8> = sum.collect();
    assert_eq!(carry, 0);
    sum
}

/// A token of an administrator, its parts, and a connection.
struct Attack {
    server: TestServer,
    connection: Connection,
    message: String,
    signature: Vec<u8>,
}

impl Attack {
    async fn begin() -> Self {
        let server = TestServer::open().await;
        let token = server.key.token(Role::Administrator);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64.decode(signature).unwrap();
        let connection = server.service.connect().await;
        let mut attack = Self { message: message.to_owned(), signature: signature.clone(), connection, server };
        assert_eq!(attack.status("users.list", &signature).await, 200);
        attack
    }

    async fn status(&mut self, procedure: &str, signature: &[u8]) -> u16 {
        self.token_status(procedure, &format!("{}.{}", self.message, BASE64.encode(signature))).await
    }

    async fn token_status(&mut self, procedure: &str, token: &str) -> u16 {
        let request = Request::query(procedure, &Value::Null).bearer(token);
        self.connection.send(&request).await.unwrap().status
    }

    async fn expect_refused(&mut self, signature: &[u8], what: &str) {
        for procedure in ["users.list", "audit.list"] {
            assert_eq!(self.status(procedure, signature).await, 401, "{procedure}: {what}");
        }
    }
}

#[tokio::test]
async fn not_one_bit_of_a_signature_may_differ() {
    let mut attack = Attack::begin().await;
    assert_eq!(attack.signature.len(), 64);
    for bit in 0..512 {
        let mut changed = attack.signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        attack.expect_refused(&changed, &format!("bit {bit}")).await;
    }
}

#[tokio::test]
async fn not_one_bit_of_what_is_signed_may_differ() {
    let mut attack = Attack::begin().await;
    let signature = BASE64.encode(&attack.signature);
    let parts: Vec<Vec<u8>> = attack.message.split('.').map(|part| BASE64.decode(part).unwrap()).collect();
    for (part, step) in [(0, 1), (1, 7)] {
        for bit in (0..parts[part].len() * 8).step_by(step) {
            let mut changed = parts.clone();
            changed[part][bit / 8] ^= 1 << (bit % 8);
            let token = format!("{}.{}.{signature}", BASE64.encode(&changed[0]), BASE64.encode(&changed[1]));
            assert_eq!(attack.token_status("users.list", &token).await, 401, "bit {bit} of part {part}");
        }
    }
}

/// Who has a signature must not be able to make another one of it: S and S + L mean the same to a careless
/// verifier.
#[tokio::test]
async fn a_signature_is_written_in_one_way() {
    let mut attack = Attack::begin().await;
    let (r, s) = (attack.signature[..32].to_vec(), attack.signature[32..].to_vec());
    let mut more = s.clone();
    for times in 1..=7 {
        more = sum(&more, &L);
        attack.expect_refused(&[&r[..], &more].concat(), &format!("S + {times} L")).await;
    }
    attack.expect_refused(&[&r[..], &L].concat(), "S = L").await;
    attack.expect_refused(&[&r[..], &[0; 32]].concat(), "S = 0").await;
    attack.expect_refused(&[&r[..], &[0xff; 32]].concat(), "the greatest S").await;
    attack.expect_refused(&[&s[..], &r].concat(), "halves in the other order").await;
    for point in SMALL_ORDER {
        for (name, scalar) in
            [("0", vec![0; 32]), ("1", [&[1][..], &[0; 31]].concat()), ("L", L.to_vec()), ("its own", s.clone())]
        {
            let forged = [&bytes(point)[..], &scalar].concat();
            attack.expect_refused(&forged, &format!("the point {point} and S = {name}")).await;
        }
    }
    for length in [0, 1, 32, 63, 65, 96, 128] {
        let mut other = attack.signature.clone();
        other.resize(length, 0);
        attack.expect_refused(&other, &format!("{length} bytes")).await;
    }
    let own = attack.signature.clone();
    assert_eq!(attack.status("users.list", &own).await, 200, "it was good all along");
    assert_eq!(attack.server.service.log().iter().filter(|line| line["level"] == "ERROR").count(), 0);
}
