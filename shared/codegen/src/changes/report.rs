//! Renders the report of a comparison, for people.

use std::fmt;

use super::{Change, Effect, Styles, code};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.procedure {
            Some(procedure) => write!(f, "{}: {}", code(procedure), self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}

/// The effects that callers need not care about, in the order of the report.
const OTHERS: [(Effect, &str); 4] = [
    (Effect::Unjudged, "Changed in a way that this comparison does not judge"),
    (Effect::Rights, "Rights, to be reviewed"),
    (Effect::Compatible, "Compatible"),
    (Effect::Note, "Notes"),
];

/// The report. It begins with a heading; a breaking change appears under each style that it breaks.
#[must_use]
pub fn markdown(changes: &[Change]) -> String {
    let mut text = "## Contract\n".to_owned();
    if changes.is_empty() {
        text.push_str("\nThe contract is unchanged.\n");
    }
    let broken = |change: &Change| match change.effect {
        Effect::Breaking(styles) => styles,
        _ => Styles::NONE,
    };
    let in_every_style = |change: &&Change| broken(change).contains(Styles::IN_STYLES);
    section(&mut text, "Breaks callers in every style", changes.iter().filter(in_every_style), |_| String::new());
    for (style, name) in Styles::ALL.each() {
        let these = changes.iter().filter(|change| broken(change).contains(style) && !in_every_style(change));
        section(&mut text, &format!("Breaks callers: {name}"), these, |_| String::new());
    }
    let surprising = changes.iter().filter(|change| matches!(change.effect, Effect::Caution(_)));
    section(&mut text, "May surprise old clients", surprising, |change| match change.effect {
        Effect::Caution(styles) if !styles.contains(Styles::IN_STYLES) => format!(" ({styles})"),
        _ => String::new(),
    });
    for (effect, heading) in OTHERS {
        section(&mut text, heading, changes.iter().filter(|change| change.effect == effect), |_| String::new());
    }
    text
}

/// A heading with its changes; nothing without changes.
fn section<'a>(
    text: &mut String,
    heading: &str,
    changes: impl Iterator<Item = &'a Change>,
    more: impl Fn(&Change) -> String,
) {
    let mut changes = changes.peekable();
    if changes.peek().is_some() {
        text.push_str(&format!("\n### {heading}\n\n"));
    }
    for change in changes {
        text.push_str(&format!("- {change}{}\n", more(change)));
    }
}
