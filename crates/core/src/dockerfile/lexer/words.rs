//! Splitting an expansion at its white space while it is being made.

/// The words so far. The word under way is in a buffer of the caller's, absent if no words are
/// asked for.
pub(super) struct Words {
    words: Vec<String>,
    in_word: bool,
}

impl Words {
    /// Begins with an empty buffer. That of the text around a substitution is the same one, so its
    /// content is lost, as in BuildKit.
    pub(super) fn begin(buffer: &mut Option<String>) -> Self {
        if let Some(buffer) = buffer {
            buffer.clear();
        }
        Self {
            words: Vec::new(),
            in_word: false,
        }
    }

    /// An unquoted character; white space ends the word.
    pub(super) fn add_char(&mut self, buffer: &mut Option<String>, c: char) {
        if !c.is_whitespace() {
            self.add_raw_char(buffer, c);
        } else if self.in_word
            && let Some(buffer) = buffer.as_mut().filter(|b| !b.is_empty())
        {
            self.words.push(std::mem::take(buffer));
            self.in_word = false;
        }
    }

    /// A character that belongs to the word whatever it is.
    pub(super) fn add_raw_char(&mut self, buffer: &mut Option<String>, c: char) {
        if let Some(buffer) = buffer {
            buffer.push(c);
            self.in_word = true;
        }
    }

    /// Unquoted text.
    pub(super) fn add_text(&mut self, buffer: &mut Option<String>, text: &str) {
        if buffer.is_some() {
            text.chars().for_each(|c| self.add_char(buffer, c));
        }
    }

    /// Text that belongs to the word as a whole.
    pub(super) fn add_raw(&mut self, buffer: &mut Option<String>, text: &str) {
        if let Some(buffer) = buffer {
            buffer.push_str(text);
            self.in_word = true;
        }
    }

    /// All words, the one under way included.
    pub(super) fn finish(mut self, buffer: &mut Option<String>) -> Vec<String> {
        if let Some(buffer) = buffer.as_mut().filter(|b| !b.is_empty()) {
            self.words.push(std::mem::take(buffer));
        }
        self.words
    }
}
