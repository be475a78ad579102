//! One type for each Dockerfile instruction, with unexpanded words.

use std::time::Duration;

/// An instruction, by its keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstructionKind {
    /// ADD
    Add(AddInstruction),
    /// ARG inside a stage
    Arg(ArgInstruction),
    /// CMD
    Cmd(CommandLine),
    /// COPY
    Copy(CopyInstruction),
    /// ENTRYPOINT
    Entrypoint(CommandLine),
    /// ENV
    Env(EnvInstruction),
    /// EXPOSE
    Expose(ExposeInstruction),
    /// HEALTHCHECK
    Healthcheck(HealthcheckInstruction),
    /// LABEL
    Label(LabelInstruction),
    /// MAINTAINER: the author
    Maintainer(String),
    /// ONBUILD
    Onbuild(OnbuildInstruction),
    /// RUN
    Run(RunInstruction),
    /// SHELL: the words of the default shell
    Shell(Vec<String>),
    /// STOPSIGNAL: a signal's name or number
    StopSignal(String),
    /// USER
    User(String),
    /// VOLUME: paths, none of them empty
    Volume(Vec<String>),
    /// WORKDIR
    Workdir(String),
}

impl InstructionKind {
    /// Returns the keyword in upper case.
    pub const fn keyword(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

/// A command: text for a shell, or the words to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandLine {
    /// Shell form, to be run by the current shell. Empty if nothing was given.
    Shell(String),
    /// Exec form: a JSON array of strings, possibly empty.
    Exec(Vec<String>),
}

/// The sources and the destination of ADD and COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Paths, patterns or URLs, in order.
    pub paths: Vec<String>,
    /// Files whose content is in the Dockerfile (heredocs), in order.
    pub inline: Vec<InlineFile>,
    /// The last argument.
    pub destination: String,
}

/// A heredoc that becomes a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineFile {
    /// The file's name: the heredoc's word without its quotes, unexpanded.
    pub name: String,
    /// The content; after `<<-` without the tabs at the beginning of lines.
    pub content: String,
    /// The bytes of the content if they are not UTF-8; `content` then has U+FFFD for each invalid
    /// byte.
    pub raw: Option<Vec<u8>>,
    /// True if variables in the content are expanded: no part of the word was quoted.
    pub expand: bool,
}

impl InlineFile {
    /// Returns the bytes in the Dockerfile. Expanded content is read as text, with U+FFFD for each
    /// invalid byte.
    pub fn bytes(&self) -> &[u8] {
        match &self.raw {
            Some(raw) if !self.expand => raw,
            _ => self.content.as_bytes(),
        }
    }
}

/// COPY
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyInstruction {
    /// The sources and the destination.
    pub sources: Sources,
    /// `--from`: a stage, an image or a named context.
    pub from: Option<String>,
    /// `--chown`
    pub chown: Option<String>,
    /// `--chmod`
    pub chmod: Option<String>,
    /// `--link`
    pub link: bool,
    /// `--parents`
    pub parents: bool,
    /// `--exclude`, in order.
    pub exclude: Vec<String>,
}

/// ADD
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddInstruction {
    /// The sources and the destination.
    pub sources: Sources,
    /// `--chown`
    pub chown: Option<String>,
    /// `--chmod`
    pub chmod: Option<String>,
    /// `--link`
    pub link: bool,
    /// `--exclude`, in order.
    pub exclude: Vec<String>,
    /// `--checksum`
    pub checksum: Option<String>,
    /// `--keep-git-dir`, if given.
    pub keep_git_dir: Option<bool>,
    /// `--unpack`, if given.
    pub unpack: Option<bool>,
}

/// RUN
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInstruction {
    /// The command. For heredocs it has only the words (`<<EOF`).
    pub command: CommandLine,
    /// The heredocs of a shell form, in order.
    pub heredocs: Vec<Heredoc>,
    /// `--mount`, in order.
    pub mounts: Vec<RunMount>,
    /// `--network`
    pub network: RunNetwork,
    /// `--security`
    pub security: RunSecurity,
    /// `--device`, in order.
    pub devices: Vec<RunDevice>,
}

/// A heredoc as in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word without its quotes; on a line of its own it ends the body.
    pub name: String,
    /// The lines of the body with their line ends and tabs.
    pub content: String,
    /// True for `<<-`: tabs at the beginning of lines are to be removed, see
    /// [`chomp`](super::chomp).
    pub chomp: bool,
    /// True if no part of the word was quoted.
    pub expand: bool,
    /// The number before `<<`; 0 if there is none.
    pub file_descriptor: u64,
}

/// A `--mount` with unexpanded values; [`parse_mount`](super::parse_mount) parses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMount {
    /// The flag's value.
    pub text: String,
    /// `from=`, which allows no variables and is therefore known before expansion.
    pub from: Option<String>,
}

/// `RUN --network`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunNetwork {
    /// The network of the build.
    #[default]
    Default,
    /// No network.
    None,
    /// The host's network; the build needs an entitlement.
    Host,
}

/// `RUN --security`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunSecurity {
    /// With the restrictions of a container.
    #[default]
    Sandbox,
    /// With all privileges; the build needs an entitlement.
    Insecure,
}

/// `RUN --device`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunDevice {
    /// The CDI name; empty if only options were given.
    pub name: String,
    /// True if the build fails without the device.
    pub required: bool,
}

/// ENV
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvInstruction {
    /// The assignments, at least one.
    pub pairs: Vec<KeyValue>,
}

/// LABEL
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelInstruction {
    /// The labels, at least one.
    pub pairs: Vec<KeyValue>,
}

/// A key with its value, for ENV and LABEL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The key, never empty.
    pub key: String,
    /// The value.
    pub value: String,
    /// True if it is written as `key value`, without `=`.
    pub legacy: bool,
}

/// ARG
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgInstruction {
    /// The variables, at least one.
    pub variables: Vec<ArgVariable>,
}

/// A variable of an ARG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgVariable {
    /// The name, never empty.
    pub name: String,
    /// The value after the `=`, if there is one.
    pub default: Option<String>,
    /// The description from a comment of the form `# <name> <text>`.
    pub doc: Option<String>,
}

/// EXPOSE
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposeInstruction {
    /// The ports, sorted by their bytes.
    pub ports: Vec<String>,
}

/// HEALTHCHECK
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthcheckInstruction {
    /// NONE: disables the base image's check.
    None,
    /// CMD
    Command(Healthcheck),
}

/// A check with its times; a time of zero means Docker's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// The command to run, never empty.
    pub command: CommandLine,
    /// `--interval`
    pub interval: Duration,
    /// `--timeout`
    pub timeout: Duration,
    /// `--start-period`
    pub start_period: Duration,
    /// `--start-interval`
    pub start_interval: Duration,
    /// `--retries`
    pub retries: u32,
}

/// ONBUILD
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnbuildInstruction {
    /// The instruction for images built on this one, with its heredocs;
    /// [`parse_trigger`](super::parse_trigger) parses it.
    pub expression: String,
}
