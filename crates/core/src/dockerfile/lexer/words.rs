//! Splits an expansion at its white space while it is being built.

/// The words so far. The current word is in a buffer of the caller, absent if no words are
/// requested.
pub(super) struct Words {
    words: Vec<String>,
    in_word: bool,
}

impl Words {
    /// Starts with an empty buffer. The text around a substitution uses the same buffer, so its
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

    /// Adds text without white space; empty text starts no word.
    fn add_part(&mut self, buffer: &mut Option<String>, part: &str) {
        if !part.is_empty() {
            self.add_raw(buffer, part);
        }
    }

    /// Ends the current word at white space.
    fn end_word(&mut self, buffer: &mut Option<String>) {
        if self.in_word
            && let Some(buffer) = buffer.as_mut().filter(|b| !b.is_empty())
        {
            self.words.push(std::mem::take(buffer));
            self.in_word = false;
        }
    }

    /// Adds a character to the word, even if it is white space.
    pub(super) fn add_raw_char(&mut self, buffer: &mut Option<String>, c: char) {
        if let Some(buffer) = buffer {
            buffer.push(c);
            self.in_word = true;
        }
    }

    /// Adds unquoted text, whose white space ends words.
    pub(super) fn add_text(&mut self, buffer: &mut Option<String>, text: &str) {
        if buffer.is_none() {
            return;
        }
        let mut rest = text;
        while let Some(space) = rest.find(char::is_whitespace) {
            self.add_part(buffer, &rest[..space]);
            self.end_word(buffer);
            rest = rest[space..].trim_start();
        }
        self.add_part(buffer, rest);
    }

    /// Adds text to the word as a whole.
    pub(super) fn add_raw(&mut self, buffer: &mut Option<String>, text: &str) {
        if let Some(buffer) = buffer {
            buffer.push_str(text);
            self.in_word = true;
        }
    }

    /// Returns all words, including the current one.
    pub(super) fn finish(mut self, buffer: &mut Option<String>) -> Vec<String> {
        if let Some(buffer) = buffer.as_mut().filter(|b| !b.is_empty()) {
            self.words.push(std::mem::take(buffer));
        }
        self.words
    }
}
