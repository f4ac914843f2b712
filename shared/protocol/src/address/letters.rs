//! The letters beyond ASCII in which a host may be written.
//!
//! They are those of scripts that are written from left to right, whose letters IDNA takes wherever they stand in a label
//! (RFC 5892), and maps to nothing but themselves or their small letters. A host in any other script can be written in
//! its ASCII form.

/// Ranges of characters, both ends included.
pub(super) type Letters = &'static [(char, char)];

/// Digits.
pub(super) const DIGITS: Letters = &[('0', '9')];

/// Letters of the Latin, Greek and Cyrillic scripts. Not in it are those that become two letters, or
/// others than small ones: such as `İ`, `ŉ` and `ſ`.
pub(super) const EUROPEAN: Letters = &[
    ('A', 'Z'),
    ('a', 'z'),
    ('À', 'Ö'),
    ('Ø', 'ö'),
    ('ø', 'į'),
    ('ı', 'ı'),
    ('Ĵ', 'ľ'),
    ('Ł', 'ň'),
    ('Ŋ', 'ž'),
    ('Ơ', 'ơ'),
    ('Ư', 'ư'),
    ('Ǎ', 'ǜ'),
    ('Ș', 'ț'),
    ('Ά', 'Ά'),
    ('Έ', 'Ί'),
    ('Ό', 'Ό'),
    ('Ύ', 'Ρ'),
    ('Σ', 'ώ'),
    ('Ѐ', 'ҁ'),
    ('Ҋ', 'ҿ'),
    ('Ӂ', 'ӿ'),
];

/// Marks that stand after a letter, without those that become another mark, a letter or nothing.
pub(super) const MARK: Letters =
    &[('\u{300}', '\u{33f}'), ('\u{342}', '\u{342}'), ('\u{346}', '\u{34e}'), ('\u{350}', '\u{36f}')];

/// Letters of Vietnamese that have two marks; the kana, Han and Hangul scripts.
pub(super) const ASIAN: Letters = &[
    ('\u{1100}', '\u{1112}'),
    ('\u{1161}', '\u{1175}'),
    ('\u{11a8}', '\u{11c2}'),
    ('Ạ', 'ỹ'),
    ('々', '〇'),
    ('ぁ', 'ゖ'),
    ('ゝ', 'ゞ'),
    ('ァ', 'ヺ'),
    ('ー', 'ヾ'),
    ('㐀', '䶿'),
    ('一', '\u{9ffc}'),
    ('가', '힣'),
];

/// Marks of the kana.
pub(super) const ASIAN_MARK: Letters = &[('\u{3099}', '\u{309a}')];
