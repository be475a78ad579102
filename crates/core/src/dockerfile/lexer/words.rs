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

    /// Text without white space; maybe nothing, which begins no word.
    fn add_part(&mut self, buffer: &mut Option<String>, part: &str) {
        if !part.is_empty() {
            self.add_raw(buffer, part);
        }
    }

    /// White space was read.
    fn end_word(&mut self, buffer: &mut Option<String>) {
        if self.in_word
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

    /// Unquoted text, whose white space ends words.
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
