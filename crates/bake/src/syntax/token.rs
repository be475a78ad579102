//! Tokens of HCL.

use super::range::Range;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    OpenQuote,
    CloseQuote,
    OpenHeredoc,
    CloseHeredoc,
    /// `${` or `${~`
    Interpolation,
    /// `%{` or `%{~`
    Directive,
    /// `}` or `~}` at the end of an interpolation or directive.
    SequenceEnd,
    /// Text in quotes, with its escapes.
    QuotedText,
    /// Text of a heredoc or a bare template.
    PlainText,
    Number,
    Identifier,
    Comment,
    Newline,
    End,
    Star,
    Slash,
    Percent,
    Plus,
    Minus,
    Equals,
    EqualTo,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Not,
    Dot,
    Comma,
    Colon,
    DoubleColon,
    Ellipsis,
    FatArrow,
    Question,
    // Tokens that are always wrong; each has a specific message.
    Bitwise,
    Backtick,
    Apostrophe,
    Semicolon,
    QuotedNewline,
    Invalid,
}

impl TokenKind {
    /// Returns the bracket that closes `self`, or opens it.
    pub(super) fn opposite(self) -> Option<Self> {
        Some(match self {
            Self::OpenBrace => Self::CloseBrace,
            Self::CloseBrace => Self::OpenBrace,
            Self::OpenBracket => Self::CloseBracket,
            Self::CloseBracket => Self::OpenBracket,
            Self::OpenParen => Self::CloseParen,
            Self::CloseParen => Self::OpenParen,
            Self::OpenQuote => Self::CloseQuote,
            Self::CloseQuote => Self::OpenQuote,
            Self::OpenHeredoc => Self::CloseHeredoc,
            Self::CloseHeredoc => Self::OpenHeredoc,
            Self::Interpolation | Self::Directive => Self::SequenceEnd,
            Self::SequenceEnd => Self::Interpolation,
            _ => return None,
        })
    }
}

/// A token with its text and range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a str,
    pub(crate) range: Range,
}

impl Token<'_> {
    /// True for the identifier `word`.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Identifier && self.text == word
    }
}
