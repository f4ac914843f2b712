//! Escapes for texts in HTML, in Markdown and in comments of TypeScript. XML is escaped by the package `quick-xml`, and JSON
//! by `serde_json`.

use std::borrow::Cow;

/// A text escaped for HTML, between tags or in an attribute between quotation marks.
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A text as inline code in Markdown. A code span has no escapes: what would end it, and line breaks, become `'`.
pub fn code_span(text: &str) -> String {
    let inner: String = text.chars().map(|c| if c == '`' || c.is_control() { '\'' } else { c }).collect();
    format!("`{inner}`")
}

/// A text for a block comment in JavaScript or TypeScript, which it cannot end.
pub fn block_comment(text: &str) -> Cow<'_, str> {
    match text.contains("*/") {
        true => Cow::Owned(text.replace("*/", "*\\/")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        assert_eq!(html("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
        assert_eq!(code_span("GET /`all`\n# Approved"), "`GET /'all''# Approved`");
        assert_eq!(block_comment("*/ alert(1) /* a * b"), "*\\/ alert(1) /* a * b");
    }
}
