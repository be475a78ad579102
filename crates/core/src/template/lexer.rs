//! Splits a template into text and actions, and actions into tokens.

use super::{Error, SyntaxProblem};

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// The text outside `{{` and `}}`, trimmed as `{{-` and `-}}` demand.
    Text(String),
    /// The tokens between `{{` and `}}`.
    Action(Vec<Token>),
}

/// A token with its column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) column: usize,
    /// True if no space separates it from the token before: `(…).Field`.
    pub(super) joined: bool,
}

/// The kind of a token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `.`
    Dot,
    /// `.Name`
    Field(String),
    /// `$name`, `$`
    Variable(String),
    /// A function or a keyword.
    Word(String),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

/// Splits a template.
pub(super) fn split(template: &str) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trim = false;
    loop {
        let (text, after) = match rest.find("{{") {
            Some(at) => (&rest[..at], Some(&rest[at + 2..])),
            None => (rest, None),
        };
        let mut text = if trim { text.trim_start() } else { text };
        let Some(mut action) = after else {
            push_text(&mut pieces, text);
            return Ok(pieces);
        };
        if let Some(trimmed) = action.strip_prefix('-')
            && trimmed.starts_with(char::is_whitespace)
        {
            text = text.trim_end();
            action = trimmed;
        }
        push_text(&mut pieces, text);
        let base = column(template, action);
        let end = end_of(action).ok_or_else(|| Error::Syntax {
            column: base.saturating_sub(2).max(1),
            reason: SyntaxProblem::Unclosed,
        })?;
        let mut inner = &action[..end];
        rest = &action[end + 2..];
        trim = false;
        if let Some(trimmed) = inner.strip_suffix('-')
            && trimmed.ends_with(char::is_whitespace)
        {
            inner = trimmed;
            trim = true;
        }
        let comment = inner.trim();
        if !(comment.starts_with("/*") && comment.ends_with("*/")) {
            pieces.push(Piece::Action(tokens(inner, base)?));
        }
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// The column of `part` in the template, in characters from 1.
fn column(template: &str, part: &str) -> usize {
    let before = template.len() - part.len();
    template
        .get(..before)
        .map_or(1, |text| text.chars().count() + 1)
}

/// The byte offset of the action's `}}`, outside strings and comments.
fn end_of(action: &str) -> Option<usize> {
    if action.trim_start().starts_with("/*") {
        let comment = action.find("*/")?;
        return action[comment..].find("}}").map(|at| comment + at);
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in action.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"' | '\'') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '`' | '\'') => quote = Some(c),
            None if action[at..].starts_with("}}") => return Some(at),
            None => {}
        }
    }
    None
}

fn tokens(action: &str, base: usize) -> Result<Vec<Token>, Error> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut chars = Chars {
        text: action,
        at: 0,
        column: base,
    };
    let mut joined = false;
    while let Some(c) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
            joined = false;
            continue;
        }
        let column = chars.column;
        let kind = chars.token(c)?;
        tokens.push(Token {
            kind,
            column,
            joined,
        });
        joined = true;
    }
    Ok(tokens)
}

struct Chars<'a> {
    text: &'a str,
    at: usize,
    column: usize,
}

impl Chars<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.column += 1;
        Some(c)
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.next();
        }
        word
    }

    fn token(&mut self, c: char) -> Result<Kind, Error> {
        let rest = &self.text[self.at..];
        let kind = match c {
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.next();
                let name = self.word();
                return Ok(match name.is_empty() {
                    true => Kind::Dot,
                    false => Kind::Field(name),
                });
            }
            '$' => {
                self.next();
                return Ok(Kind::Variable(self.word()));
            }
            '"' | '`' => return self.string(c),
            ':' if rest.starts_with(":=") => {
                self.next();
                Kind::Declare
            }
            '=' => Kind::Assign,
            '|' => Kind::Pipe,
            '(' => Kind::Open,
            ')' => Kind::Close,
            ',' => Kind::Comma,
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => return self.number(),
            c if c.is_alphabetic() || c == '_' => return Ok(Kind::Word(self.word())),
            _ => return Err(self.wrong(format!("{c:?} means nothing here"))),
        };
        self.next();
        Ok(kind)
    }

    fn string(&mut self, quote: char) -> Result<Kind, Error> {
        let begin = self.column;
        self.next();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                c if c == quote => return Ok(Kind::Text(text)),
                '\\' if quote == '"' => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(c @ ('"' | '\\' | '\'')) => text.push(c),
                    _ => return Err(self.wrong("an unknown escape in a string".to_owned())),
                },
                c => text.push(c),
            }
        }
        Err(Error::Syntax {
            column: begin,
            reason: SyntaxProblem::UnclosedString,
        })
    }

    fn number(&mut self) -> Result<Kind, Error> {
        let begin = self.at;
        self.next();
        while self
            .peek()
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_'))
        {
            self.next();
        }
        let text = &self.text[begin..self.at];
        if let Ok(whole) = text.parse() {
            return Ok(Kind::Int(whole));
        }
        text.parse()
            .map(Kind::Float)
            .map_err(|_| self.wrong(format!("{text:?} is not a number")))
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Syntax {
            column: self.column,
            reason: SyntaxProblem::Other(reason),
        }
    }
}
