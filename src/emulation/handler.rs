//! A handler of binfmt_misc, parsed from its file in `/proc/sys/fs/binfmt_misc`: a program and the
//! files that it runs.

use std::fmt;

use super::{Error, HandlerProblem};

/// The most bytes of a file that the kernel compares.
const COMPARED: usize = 256;
/// The largest handler file that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// A program that runs files of a foreign kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handler {
    /// The registered name, for example `qemu-aarch64`.
    pub name: String,
    /// True if the handler is enabled; disabled ones are registered too.
    pub enabled: bool,
    /// The path of the program that runs the files.
    pub interpreter: String,
    /// The flags.
    pub flags: Flags,
    /// The files that it runs.
    pub files: Files,
}

/// A handler's flags as the kernel prints them: `PF`, `OCF`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(String);

/// The files that a handler runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Files {
    /// Files that contain these bytes.
    Magic {
        /// The offset from the start of the file.
        offset: usize,
        /// The bytes.
        magic: Vec<u8>,
        /// The mask of the compared bits; empty means all bits.
        mask: Vec<u8>,
    },
    /// Files with this extension.
    Extension(String),
}

impl Flags {
    /// Returns true for the flag `F`: the interpreter was opened at registration, so it is
    /// available in every container. Linux 4.8 introduced it.
    pub fn is_fixed(&self) -> bool {
        self.0.contains('F')
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Handler {
    /// Parses a handler's file: `enabled` or `disabled`, then a line for each of `interpreter`,
    /// `flags:`, `offset`, `magic` and `mask`, or `extension`. Unknown lines are ignored.
    ///
    /// # Errors
    /// [`Error::Handler`] if a part is missing or malformed.
    pub fn parse(name: &str, text: &[u8]) -> Result<Self, Error> {
        let wrong = |reason| Error::Handler {
            name: name.to_owned(),
            reason,
        };
        if text.len() > LONGEST {
            return Err(wrong(HandlerProblem::TooLong { limit: LONGEST }));
        }
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let enabled = match lines.next().unwrap_or_default() {
            "enabled" => true,
            "disabled" => false,
            other => {
                let line = other.to_owned();
                return Err(wrong(HandlerProblem::State { line }));
            }
        };
        let mut fields = Fields::default();
        for line in lines {
            fields.read(line).map_err(wrong)?;
        }
        let files = fields.files().map_err(wrong)?;
        let interpreter = fields.interpreter.filter(|path| !path.is_empty());
        Ok(Self {
            name: name.to_owned(),
            enabled,
            interpreter: interpreter.ok_or_else(|| wrong(HandlerProblem::NoInterpreter))?,
            flags: Flags(fields.flags),
            files,
        })
    }

    /// Returns true if the kernel would use it for a file with these first bytes.
    pub fn runs(&self, file: &[u8]) -> bool {
        let Files::Magic {
            offset,
            magic,
            mask,
        } = &self.files
        else {
            return false;
        };
        let compared = file.get(*offset..).unwrap_or_default();
        let all = |position: usize| mask.get(position).copied().unwrap_or(0xff);
        let mut bytes = magic.iter().enumerate();
        // The kernel treats bytes after the end of a short file as zero.
        bytes.all(|(position, byte)| {
            let found = compared.get(position).copied().unwrap_or(0);
            (found ^ byte) & all(position) == 0
        })
    }
}

/// The lines of a handler's file.
#[derive(Debug, Default)]
struct Fields {
    interpreter: Option<String>,
    flags: String,
    offset: usize,
    magic: Option<Vec<u8>>,
    mask: Vec<u8>,
    extension: Option<String>,
}

impl Fields {
    fn read(&mut self, line: &str) -> Result<(), HandlerProblem> {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "interpreter" => self.interpreter = Some(value.to_owned()),
            "flags:" => value.trim().clone_into(&mut self.flags),
            "offset" => {
                let offset = value.parse().ok().filter(|offset| *offset < COMPARED);
                self.offset = offset.ok_or_else(|| HandlerProblem::Offset {
                    text: value.to_owned(),
                })?;
            }
            "magic" => self.magic = Some(bytes(value)?),
            "mask" => self.mask = bytes(value)?,
            "extension" => {
                let extension = value.strip_prefix('.').unwrap_or(value);
                self.extension = Some(extension.to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn files(&mut self) -> Result<Files, HandlerProblem> {
        match (self.magic.take(), self.extension.take()) {
            (Some(magic), None) if magic.is_empty() => Err(HandlerProblem::EmptyMagic),
            (Some(magic), None) if !self.mask.is_empty() && self.mask.len() != magic.len() => {
                Err(HandlerProblem::MaskLength {
                    mask: self.mask.len(),
                    magic: magic.len(),
                })
            }
            (Some(magic), None) => Ok(Files::Magic {
                offset: self.offset,
                magic,
                mask: std::mem::take(&mut self.mask),
            }),
            (None, Some(extension)) => Ok(Files::Extension(extension)),
            (None, None) => Err(HandlerProblem::NoFiles),
            (Some(_), Some(_)) => Err(HandlerProblem::TwoKinds),
        }
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, HandlerProblem> {
    let wrong = || HandlerProblem::Hexadecimal {
        text: hex.to_owned(),
    };
    if hex.len() > 2 * COMPARED || !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return Err(wrong());
    }
    let pairs = (0..hex.len()).step_by(2);
    let pairs = pairs.map(|at| {
        let digits = &hex[at..at + 2];
        let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)
    });
    pairs.collect::<Option<_>>().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::program;
    use super::*;

    const AARCH64: &str = "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: OCF\noffset 0\n\
        magic 7f454c460201010000000000000000000200b7\nmask \
        ffffffffffffff00fffffffffffffffffeffff\n";

    fn parse(text: &str) -> Result<Handler, String> {
        Handler::parse("it", text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_handler_is_read_and_knows_its_files() {
        let handler = parse(AARCH64).unwrap();
        assert!(handler.enabled);
        assert_eq!(handler.interpreter, "/usr/bin/qemu-aarch64");
        assert_eq!(handler.flags.to_string(), "OCF");
        assert!(handler.flags.is_fixed());
        assert!(handler.runs(&program("arm64").unwrap()));
        for other in ["amd64", "arm", "riscv64", "mips64le"] {
            assert!(!handler.runs(&program(other).unwrap()), "{other}");
        }
        assert!(!handler.runs(b""));
    }

    #[test]
    fn a_disabled_handler_a_path_with_spaces_and_an_extension_are_read() {
        let text = AARCH64.replace("enabled", "disabled").replace("OCF", "");
        let handler = parse(&text).unwrap();
        assert!(!handler.enabled);
        assert!(!handler.flags.is_fixed());
        let handler =
            parse("enabled\ninterpreter /opt/a b/run\nflags: \nextension .jar\n").unwrap();
        assert_eq!(handler.interpreter, "/opt/a b/run");
        assert_eq!(handler.files, Files::Extension("jar".to_owned()));
        assert!(!handler.runs(b"x.jar"));
    }

    #[test]
    fn malformed_handlers_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "begins with \"\""),
            ("enable\n", "begins with \"enable\""),
            ("enabled\n", "neither a magic nor an extension"),
            ("enabled\nmagic 7f45\n", "no interpreter"),
            ("enabled\ninterpreter \nmagic 7f45\n", "no interpreter"),
            ("enabled\ninterpreter /a\nmagic 7f4\n", "hexadecimal bytes"),
            ("enabled\ninterpreter /a\nmagic +f4x\n", "hexadecimal bytes"),
            ("enabled\ninterpreter /a\nmagic +f\n", "hexadecimal bytes"),
            (
                "enabled\ninterpreter /a\nmagic \u{fc}\u{fc}\n",
                "hexadecimal bytes",
            ),
            ("enabled\ninterpreter /a\nmagic \n", "magic is empty"),
            (
                "enabled\ninterpreter /a\nmagic 7f45\nmask ff\n",
                "mask has 1",
            ),
            ("enabled\ninterpreter /a\noffset -1\nmagic 7f\n", "offset"),
            (
                "enabled\ninterpreter /a\noffset 99999999999999999999\nmagic 7f\n",
                "offset",
            ),
            ("enabled\ninterpreter /a\nmagic 7f\nextension .x\n", "both"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        let long = format!("enabled\n{}", "x".repeat(LONGEST));
        assert!(parse(&long).unwrap_err().contains("longer"));
        assert!(Handler::parse("it", b"\xff\xfe").is_err());
    }
}
