//! `--invoke`: the process to run where a build is paused, in buildx's syntax.

use solvekit::gateway::ProcessRequest;

use crate::cli::report::usage::DebugUsage;

/// The process to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Invoke {
    /// The program and its arguments; empty for a shell.
    args: Vec<String>,
    /// Additional variables.
    env: Vec<String>,
    user: Option<String>,
    cwd: Option<String>,
    without_terminal: bool,
}

impl Invoke {
    /// Parses the flag: a program, `default`, `on-error`, or `key=value` pairs.
    pub(crate) fn parse(text: &str) -> Result<Self, DebugUsage> {
        if matches!(text, "" | "default" | "on-error") {
            return Ok(Self::default());
        }
        let fields = fields(text);
        if let [program] = fields.as_slice()
            && !program.contains('=')
        {
            return Ok(Self {
                args: vec![program.clone()],
                ..Self::default()
            });
        }
        let mut invoke = Self::default();
        let mut entrypoint = Vec::new();
        for field in &fields {
            let (key, value) = field
                .split_once('=')
                .ok_or_else(|| DebugUsage::invoke(field))?;
            match key.to_lowercase().as_str() {
                "args" => invoke.args.extend(list(value)),
                "entrypoint" => entrypoint.extend(list(value)),
                "env" => invoke.env.extend(list(value)),
                "user" => invoke.user = Some(value.to_owned()),
                "cwd" => invoke.cwd = Some(value.to_owned()),
                "tty" => {
                    let terminal: bool = value.parse().map_err(|_| DebugUsage::invoke(field))?;
                    invoke.without_terminal = !terminal;
                }
                _ => return Err(DebugUsage::invoke(field)),
            }
        }
        entrypoint.append(&mut invoke.args);
        invoke.args = entrypoint;
        Ok(invoke)
    }

    /// True if the user named a program.
    pub(super) fn is_given(&self) -> bool {
        !self.args.is_empty()
    }

    /// The program and its arguments.
    pub(super) fn args(&self) -> Vec<String> {
        match self.args.as_slice() {
            [] => vec!["/bin/sh".to_owned()],
            args => args.to_vec(),
        }
    }

    /// Applies the flag to the step's process.
    pub(super) fn apply(&self, process: &mut ProcessRequest, is_terminal: bool) {
        process.env.extend(self.env.iter().cloned());
        if let Some(user) = &self.user {
            process.user.clone_from(user);
        }
        if let Some(cwd) = &self.cwd {
            process.cwd.clone_from(cwd);
        }
        process.terminal = is_terminal && !self.without_terminal;
    }
}

/// Splits at commas. A field that begins with a quote ends with one, and a doubled quote in it is
/// one quote; other fields may contain quotes anywhere.
fn fields(text: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let mut field = String::new();
        let is_quoted = rest.starts_with('"');
        rest = rest.strip_prefix('"').unwrap_or(rest);
        let mut after = None;
        let mut chars = rest.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            match (is_quoted, char, next) {
                (true, '"', Some('"')) => {
                    field.push('"');
                    chars.next();
                }
                (true, '"', Some(',')) => {
                    after = Some(at + 2);
                    break;
                }
                (true, '"', None) => break,
                (false, ',', _) => {
                    after = Some(at + 1);
                    break;
                }
                _ => field.push(char),
            }
        }
        fields.push(field);
        match after {
            Some(after) => rest = &rest[after..],
            None => return fields,
        }
    }
}

/// Parses a JSON list of strings, or else takes the text as one string.
fn list(value: &str) -> Vec<String> {
    serde_json::from_str(value).unwrap_or_else(|_| vec![value.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_or_pairs_are_read_as_buildx_reads_them() {
        let args = |text: &str| Invoke::parse(text).unwrap().args();
        assert_eq!(args("bash"), ["bash"]);
        assert_eq!(args("default"), ["/bin/sh"]);
        let long = r#"entrypoint=["sh"],"args=[""-c"", ""env""]","env=[""A=b"", ""C=d""]",user=me,cwd=/w,tty=false"#;
        let invoke = Invoke::parse(long).unwrap();
        assert_eq!(invoke.args, ["sh", "-c", "env"]);
        assert_eq!(invoke.env, ["A=b", "C=d"]);
        assert_eq!(
            (invoke.user.as_deref(), invoke.cwd.as_deref()),
            (Some("me"), Some("/w"))
        );
        assert!(invoke.without_terminal);
        for wrong in ["x=y", "args=a,b", "tty=perhaps,args=a"] {
            let error = Invoke::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("--invoke"), "{error}");
        }
    }
}
