//! An estimate of how easily a password is guessed.
//!
//! An attacker begins with the passwords that many people have. Of 12 and more characters, nearly all of these are put
//! together from the same few things: common words, names, rows of the keyboard, repetitions, years, and what is known
//! of the person. So a password is split into such pieces, in the cheapest way there is, and each piece counts as the
//! bits that it takes to guess it.
//!
//! Only the procedures that set a password call [`weakness`], so that no other function links the list of words.

use std::{collections::HashSet, sync::OnceLock};

/// The list of common words. Lines that begin with `#` describe the list.
const COMMON: &str = include_str!("common.txt");

/// The least cost of an accepted password, in tenths of a bit, as all costs: 2^30 guesses. An attacker who has the
/// hash, and a machine that computes ten thousand a second, guesses fewer in about a day.
const MIN_COST: u32 = 300;

/// One of the 4,300 words, of which an attacker tries some before others.
const WORD: u32 = 110;
/// A word that every attacker of this account knows.
const CONTEXT_WORD: u32 = 30;
/// A part of a row, forwards or backwards.
const ROW: u32 = 70;
/// One character several times.
const SAME_CHARACTER: u32 = 70;
/// A repetition of what stood before, or its mirror image.
const REPEATED: u32 = 40;
/// A year from 1900 to 2029.
const YEAR: u32 = 70;
/// A day of such a year.
const DATE: u32 = 140;
/// A reading without one of the signs in the password, or as two interleaved passwords.
const TRANSFORMED: u32 = 30;

/// The shortest piece that is looked for, in characters.
const SHORTEST: usize = 3;
/// The longest word, in characters.
const LONGEST_WORD: usize = 40;
/// The longest password, in characters; of a longer one, only the beginning counts.
const LONGEST: usize = 128;

/// Sequences of neighbours on keyboards, in alphabets and among numbers.
const ROWS: [&str; 32] = [
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789012345678901234567890",
    "1234567891011121314151617181920",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopü+",
    "asdfghjklöä",
    "yxcvbnm,.-",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn,;:!",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю.",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "!@#$%^&*()_+",
    "!\"§$%&/()=?",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1qazxsw23edcvfr45tgbnhy67ujm,ki89ol./;p0",
    "zaq12wsxcde34rfvbgt56yhnmju78ik,.lo90p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
    "qazxswedcvfrtgbnhyujmkiolp",
    "qweasdzxcrtyfghvbnuiojklm",
    "123qweasdzxc456rtyfghvbn789uiojklm",
    "qwaszxerdfcvtyghbnuijkm",
    "12qw34er56ty78ui90op",
    "qw12er34ty56ui78op90",
    "1qa2ws3ed4rf5tg6yh7uj8ik9ol0p",
    "112233445566778899001122334455",
    "010203040506070809101112",
];

/// The keys of a Russian keyboard, and of an American one.
const CYRILLIC: &str = "йцукенгшщзхъфывапролджэячсмитьбюё";
const LATIN: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`";

/// Why a password must not be chosen, as the end of a sentence about it; none if it may be.
///
/// `context` is what an attacker knows: the address and the name of the person, the name of the service.
#[must_use]
pub fn weakness(password: &str, context: &[&str]) -> Option<&'static str> {
    let guess = cheapest_guess(password, &known(context));
    (guess.cost < MIN_COST).then_some(match guess {
        Guess { known: true, .. } => "is easily guessed: it is made of an address, of a name or of the service's name",
        Guess { common: true, .. } => "is easily guessed: it is made of words that many people use in passwords",
        Guess { .. } => "is easily guessed: it is made of rows, repetitions or numbers",
    })
}

/// The cheapest way to put together a beginning of the password.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Guess {
    cost: u32,
    known: bool,
    common: bool,
}

impl Guess {
    fn of(cost: u32) -> Self {
        Self { cost, known: false, common: false }
    }

    fn and(self, other: Self) -> Self {
        Self { cost: self.cost + other.cost, known: self.known | other.known, common: self.common | other.common }
    }
}

/// The cheapest way to guess a password: `p-a-s-s-w-o-r-d` is guessed as `password`, and `1a2b3c` as `123`
/// and `abc`.
fn cheapest_guess(password: &str, known: &HashSet<String>) -> Guess {
    let folded: Vec<char> = fold(password).take(LONGEST).collect();
    let (squeezed, signs): (Vec<char>, Vec<char>) = folded.iter().partition(|c| c.is_alphanumeric());
    let signs_cost: u32 = signs.into_iter().collect::<HashSet<char>>().iter().map(|_| TRANSFORMED).sum();
    let every_second = |from| folded.iter().copied().skip(from).step_by(2).collect::<Vec<char>>();
    let guesses = [
        cheapest(&folded, known),
        cheapest(&squeezed, known).and(Guess::of(signs_cost)),
        cheapest(&every_second(0), known).and(cheapest(&every_second(1), known)).and(Guess::of(TRANSFORMED)),
    ];
    guesses.into_iter().min().unwrap_or(Guess::of(0))
}

/// The cheapest way to put a text together from pieces.
fn cheapest(text: &[char], known: &HashSet<String>) -> Guess {
    let plain: Vec<char> = text.iter().copied().map(plain).collect();
    let mut guesses = vec![Guess::of(u32::MAX); text.len() + 1];
    guesses[0] = Guess::of(0);
    for from in 0..text.len() {
        let guess = guesses[from];
        let mut extend = |length: usize, piece: Guess| {
            guesses[from + length] = guess.and(piece).min(guesses[from + length]);
        };
        extend(1, Guess::of(letter(text[from])));
        let rest = &text[from..];
        for length in 2..=rest.len() {
            if let Some(cost) = pattern(&text[..from], &rest[..length]) {
                extend(length, Guess::of(cost));
            }
        }
        for length in SHORTEST..=row(rest) {
            extend(length, Guess::of(ROW));
        }
        let mut word = String::new();
        for (place, c) in plain[from..].iter().take(LONGEST_WORD).enumerate() {
            word.push(*c);
            if known.contains(&word) {
                extend(place + 1, Guess { known: true, ..Guess::of(CONTEXT_WORD) });
            } else if common().contains(&word) {
                extend(place + 1, Guess { common: true, ..Guess::of(WORD) });
            }
        }
    }
    guesses[text.len()]
}

/// The cost of one character that belongs to no piece.
fn letter(c: char) -> u32 {
    match c {
        '0'..='9' => 33,
        'a'..='z' => 47,
        ' ' | '-' | '_' | '.' => 25,
        c if c.is_ascii() => 50,
        _ => 60,
    }
}

/// The cost of a piece that is no word and no row, after the text before it.
fn pattern(before: &[char], piece: &[char]) -> Option<u32> {
    let repeats = before.ends_with(piece) || before.iter().rev().take(piece.len()).eq(piece);
    if repeats || piece.len() >= SHORTEST && before.windows(piece.len()).any(|earlier| earlier == piece) {
        return Some(REPEATED);
    }
    if piece.len() < SHORTEST {
        return None;
    }
    if piece.iter().all(|c| *c == piece[0]) {
        return Some(SAME_CHARACTER);
    }
    number(piece)
}

/// How many characters at the beginning are part of a row.
fn row(text: &[char]) -> usize {
    let is_in_a_row = |length: &usize| {
        let forwards: String = text[..*length].iter().collect();
        let backwards: String = text[..*length].iter().rev().collect();
        ROWS.iter().any(|row| row.contains(&forwards) || row.contains(&backwards))
    };
    (SHORTEST..=text.len()).take_while(is_in_a_row).last().unwrap_or(0)
}

/// The cost of a number that is a year or a day.
fn number(piece: &[char]) -> Option<u32> {
    if !matches!(piece.len(), 4 | 6 | 8) {
        return None;
    }
    let digits: Vec<u32> = piece.iter().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    let value = |digits: &[u32]| digits.iter().fold(0, |value, digit| 10 * value + digit);
    let is_year = |digits: &[u32]| digits.len() == 2 || (1900..2030).contains(&value(digits));
    let is_day = |a: &[u32], b: &[u32]| {
        let (a, b) = (value(a), value(b));
        (1..=31).contains(&a) && (1..=12).contains(&b) || (1..=12).contains(&a) && (1..=31).contains(&b)
    };
    let year_last = |at: usize| is_day(&digits[..2], &digits[2..4]) && is_year(&digits[at..]);
    let year_first = |at: usize| is_year(&digits[..at]) && is_day(&digits[at..at + 2], &digits[at + 2..]);
    match digits.len() {
        4 => is_year(&digits).then_some(YEAR),
        length => (year_last(4) || year_first(length - 4)).then_some(DATE),
    }
}

/// The list of words, in comparable form.
fn common() -> &'static HashSet<String> {
    static WORDS: OnceLock<HashSet<String>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let words = COMMON.lines().filter(|line| !line.starts_with('#'));
        words.flat_map(|word| [comparable(word), comparable(&typed_with_latin_letters(word))]).collect()
    })
}

/// What a Russian word becomes when it is typed while the keyboard writes Latin letters, as many Russian
/// passwords are: `gfhjkm`.
fn typed_with_latin_letters(word: &str) -> String {
    let key = |c| CYRILLIC.chars().position(|key| key == c).and_then(|place| LATIN.chars().nth(place));
    word.chars().map(|c| key(c).unwrap_or(c)).collect()
}

/// The known words, one by one and as a whole: `ada.lovelace@example.com` is `ada`, `lovelace`, `example`, `com`,
/// `ada.lovelace`, `example.com` and so on.
fn known(context: &[&str]) -> HashSet<String> {
    let mut words = HashSet::new();
    for text in context {
        let text: String = fold(text).take(LONGEST).collect();
        let parts: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        for from in 0..parts.len() {
            for to in from + 1..=parts.len() {
                words.insert(comparable(&parts[from..to].concat()));
            }
        }
        words.extend(text.split('@').chain([&*text]).map(comparable));
    }
    words.retain(|word| word.chars().count() >= SHORTEST);
    words
}

fn comparable(text: &str) -> String {
    fold(text).map(plain).collect()
}

fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// The letter that another character often stands for. `1` stands for `i` and for `l`, so that both are one here.
fn plain(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' | 'l' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::*;

    const CONTEXT: [&str; 3] = ["ada.king@example.com", "Augusta Byron", "onefold"];

    fn expect_refusal(part_of_the_reason: &str, passwords: &[&str]) {
        for password in passwords {
            let reason = weakness(password, &CONTEXT);
            assert!(reason.is_some_and(|reason| reason.contains(part_of_the_reason)), "{password}: {reason:?}");
        }
    }

    #[test]
    fn words_that_many_people_use_are_refused_with_whatever_is_around_them() {
        expect_refusal(
            "many people",
            &[
                "Password1234",
                "P@ssw0rd!2024",
                "p-a-s-s-w-o-r-d-1",
                "passwordpassword",
                "1password!password2",
                "Administrator1!",
                "iloveyou1234",
                "I love you baby",
                "Liverpool2005!",
                "Christopher1987",
                "letmeinletmein",
                "sunshine31121999",
                "Sommer2024!!!",
                "trustno1trustno1",
                "qwertypassword",
                "monkeydragon12",
                "Correct Horse Battery Staple",
                "пароль123456",
                "gfhjkmgfhjkm",
            ],
        );
    }

    #[test]
    fn rows_repetitions_and_days_are_refused() {
        expect_refusal(
            "rows",
            &[
                "aaaaaaaaaaaa",
                "            ",
                "🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰",
                "abababababab",
                "xyqxyqxyqxyq",
                "abcdefghijkl",
                "987654321098",
                "123456789012345678901234567890",
                "poiuytrewqasdfghjkl",
                "zyxwvutsrqponmlkjihgfedcba",
                "1qaz2wsx3edc",
                "q1w2e3r4t5y6",
                "1a2b3c4d5e6f",
                "11223344556677",
                "12.03.1987 1987",
                "123321123321",
                "йцукенфывапр",
            ],
        );
        expect_refusal("rows", &[&"ab".repeat(64), &"🍰".repeat(500)]);
    }

    #[test]
    fn what_is_known_of_the_person_and_the_service_is_refused() {
        expect_refusal(
            "the service's name",
            &[
                "ada.king@example.com",
                "ADA.KING@EXAMPLE.COM",
                "adaking-example1",
                "AugustaByron!",
                "byron.augusta",
                "4ugust4Byr0n1815",
                "onefoldonefold",
                "Onefold-Onefold-1",
                "OneFold2026!!",
                "onefold-password",
            ],
        );
        assert_eq!(weakness("4ugust4Byr0n1815", &[]), None, "nobody knows her");
        // Missing words, and words too short to mean anything, add nothing.
        assert_eq!(weakness("vexing otters juggle", &["", "@", "é", "v o j"]), None);
    }

    #[test]
    fn what_takes_long_to_guess_is_let_through_and_needs_no_signs() {
        for password in [
            "vexing otters juggle",
            "my aunt repairs clocks",
            "gkwpzrmvhdqy",
            "Tr0ub4dor&3xkcd",
            "correct horse drinks staple tea",
            "die Kuh liegt im Weizen",
            "сыровар чинит велосипед",
            "猫は静かに窓の外を見ている",
            "592817406318",
            "#;~)*{&=?}%(",
            "🐙🎻🥕🚲🌋🧦🔑🐝🎈🦷🪁🍋",
        ] {
            assert_eq!(weakness(password, &CONTEXT), None, "{password}");
        }
    }

    /// 12 random letters, as a password manager makes them.
    #[test]
    fn chance_is_let_through() {
        for number in 0..1_000_u32 {
            let bytes = digest(&SHA256, &number.to_le_bytes());
            let letters = bytes.as_ref().iter().filter(|byte| **byte < 234).map(|byte| char::from(b'a' + byte % 26));
            let password: String = letters.take(12).collect();
            assert_eq!(weakness(&password, &CONTEXT), None, "{password}");
        }
    }

    #[test]
    fn the_list_is_as_its_head_says() {
        let words: Vec<_> = COMMON.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(words.len() > 4_000, "{}", words.len());
        for pair in words.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?} are out of order");
        }
        for word in words {
            let chars = word.chars().count();
            assert!((SHORTEST..=LONGEST_WORD).contains(&chars) && word.trim() == word, "{word}");
            assert!(fold(word).eq(word.chars()), "{word}");
        }
    }
}
