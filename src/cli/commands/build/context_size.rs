//! The warning about an unusually large context.

use solvekit::progress::Mode;
use solvekit::session::Sent;

use crate::cli::report::records::size;
use crate::cli::report::terminal::talk;

/// The smallest size that is reported, in bytes.
const LARGE: u64 = 256 << 20;

/// Warns about a build that had to send a large context, and names the largest files.
pub(crate) fn warn(sent: &Sent, mode: Mode) {
    if let Some(text) = warning(sent, LARGE).filter(|_| matches!(mode, Mode::Tty | Mode::Plain)) {
        talk(&text);
    }
}

fn warning(sent: &Sent, large: u64) -> Option<String> {
    let bytes = sent.bytes();
    if bytes < large {
        return None;
    }
    let shown = |bytes: u64| size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let mut text = format!(
        "\nWARNING: {} in {} files of the build's contexts had to be sent; the largest:\n",
        shown(bytes),
        sent.files()
    );
    for file in sent.largest() {
        let of = match file.directory.as_str() {
            "context" => String::new(),
            name => format!(" (of the context {name})"),
        };
        text.push_str(&format!("{:>9}  {}{of}\n", shown(file.bytes), file.path));
    }
    text.push_str(
        "A line in .dockerignore keeps back what the build does not need; `solvekit \
                   context ls` shows what each keeps back.\n",
    );
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_context_is_no_word_worth() {
        assert_eq!(warning(&Sent::default(), 1), None);
        assert!(warning(&Sent::default(), 0).is_some_and(|text| text.contains("0B in 0 files")));
    }
}
