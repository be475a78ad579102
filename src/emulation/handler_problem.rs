//! Problems with the file of a binfmt_misc handler.

/// Why a handler's file is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerProblem {
    /// The file is too long.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The first line is not a state.
    #[error("it begins with {line:?}, not with enabled or disabled")]
    State {
        /// The first line.
        line: String,
    },
    /// There is no interpreter.
    #[error("it has no interpreter")]
    NoInterpreter,
    /// The offset is not a number, or out of the kernel's range.
    #[error("{text:?} is not a valid offset")]
    Offset {
        /// The text.
        text: String,
    },
    /// The bytes are not hexadecimal.
    #[error("{text:?} is not a list of hexadecimal bytes")]
    Hexadecimal {
        /// The text.
        text: String,
    },
    /// The magic has no bytes.
    #[error("its magic is empty")]
    EmptyMagic,
    /// The mask and the magic have different lengths.
    #[error("its mask has {mask} bytes, its magic {magic}")]
    MaskLength {
        /// The length of the mask.
        mask: usize,
        /// The length of the magic.
        magic: usize,
    },
    /// The handler matches no files.
    #[error("it has neither a magic nor an extension")]
    NoFiles,
    /// The handler matches files in two ways.
    #[error("it has both a magic and an extension")]
    TwoKinds,
}
