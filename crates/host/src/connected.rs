//! The types of standard streams.

/// The type of a standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
    /// Anything else, such as a terminal or a file.
    Other,
}
