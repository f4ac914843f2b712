//! The letters beyond ASCII that a host may contain.
//!
//! They belong to scripts that are written from left to right. IDNA allows them anywhere in a label (RFC 5892), and
//! maps them only to themselves or their lower case. A host in any other script can be written in its ASCII form.

/// Ranges of characters, both ends included.
pub(super) type Letters = &'static [(char, char)];

/// Digits.
pub(super) const DIGITS: Letters = &[('0', '9')];

/// Letters of the Latin, Greek and Cyrillic scripts, without those that map to two letters, or to others than their
/// lower case: such as `İ`, `ŉ` and `ſ`.
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

/// Combining marks, without those that map to another mark, a letter or nothing.
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
