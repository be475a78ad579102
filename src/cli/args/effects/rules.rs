//! The table: the commands, what makes them ignore flags, and which. Flags are named as on the
//! command line. A new flag is ignored by `AllBut` until it is added to a list.

/// What a command ignores, and when.
pub(super) struct Rule {
    /// The names of commands, with those of their groups.
    pub(super) commands: &'static [&'static str],
    pub(super) when: When,
    /// The reason, after "which" or a colon.
    pub(super) because: &'static str,
    pub(super) rest: Rest,
    /// True if buildx has no such flag. Its own it ignores silently.
    pub(super) is_ours: bool,
}

/// When flags are ignored.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// Beside this flag.
    Beside(&'static str),
    /// If none of these flags is given.
    Without(&'static [&'static str]),
    Always,
}

/// The flags that are ignored.
#[derive(Clone, Copy)]
pub(super) enum Rest {
    AllBut(&'static [&'static [&'static str]]),
    These(&'static [&'static str]),
}

impl When {
    pub(super) fn is_beside(self, name: &str) -> bool {
        matches!(self, Self::Beside(flag) if flag == name)
    }
}

/// The flags that describe a build: its inputs, its steps, the properties of its image.
const BUILD: &[&str] = &[
    "add-host",
    "allow",
    "annotation",
    "attest",
    "build-arg",
    "build-arg-file",
    "build-context",
    "cache-from",
    "cgroup-parent",
    "file",
    "frontend",
    "ignorefile",
    "label",
    "lock",
    "lock-missing",
    "network",
    "no-cache",
    "no-cache-filter",
    "platform",
    "policy",
    "provenance",
    "pull",
    "require-native",
    "resource",
    "sbom",
    "secret",
    "shm-size",
    "ssh",
    "tag",
    "tag-file",
    "target",
    "ulimit",
];
/// The same for bake files.
const BAKE: &[&str] = &[
    "changed-since",
    "file",
    "load",
    "no-cache",
    "policy",
    "provenance",
    "pull",
    "push",
    "sbom",
    "set",
    "var",
];
const SHOWN: &[&str] = &["progress", "quiet"];
const PROGRESS: &[&str] = &["progress", "progress-fd", "progress-file", "quiet", "trace"];
const REGISTRIES: &[&str] = &["certs-dir", "insecure-registry"];
/// A forecast names the tags that would move.
const RESULTS: &[&str] = &["cache-to", "load", "output", "push"];
/// Beside `--dry-run` they are errors.
const CONTRADICTIONS: &[&str] = &["call", "check", "debug-build", "invoke"];

const BUILDS: &[&str] = &["build", "debug build"];

pub(super) const ALL: &[Rule] = &[
    Rule {
        commands: BUILDS,
        when: When::Beside("dry-run"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BUILD, RESULTS, SHOWN, REGISTRIES, CONTRADICTIONS]),
        is_ours: true,
    },
    Rule {
        commands: BUILDS,
        when: When::Beside("call"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BUILD, PROGRESS, REGISTRIES, &["check", "metadata-file"]]),
        is_ours: false,
    },
    Rule {
        commands: BUILDS,
        when: When::Beside("check"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BUILD, PROGRESS, REGISTRIES, &["call", "metadata-file"]]),
        is_ours: false,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("dry-run"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BAKE, SHOWN, REGISTRIES, CONTRADICTIONS, &["allow"]]),
        is_ours: true,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("call"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BAKE, PROGRESS, REGISTRIES, QUESTIONS]),
        is_ours: false,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("check"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BAKE, PROGRESS, REGISTRIES, QUESTIONS]),
        is_ours: false,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("print"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BAKE, SHOWN, REGISTRIES, &["allow", "call", "check"]]),
        is_ours: false,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("list"),
        because: "lists what the files define",
        rest: Rest::AllBut(LISTING),
        is_ours: false,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("graph"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BAKE, SHOWN, REGISTRIES]),
        is_ours: true,
    },
    Rule {
        commands: &["bake"],
        when: When::Beside("explain"),
        because: "builds nothing",
        rest: Rest::AllBut(&[BAKE, SHOWN, REGISTRIES]),
        is_ours: true,
    },
    Rule {
        commands: &["build", "bake", "verify"],
        when: When::Without(&["debug-build", "invoke"]),
        because: "",
        rest: Rest::These(&["debug-platform"]),
        is_ours: true,
    },
    Rule {
        commands: &["dap build"],
        when: When::Always,
        because: "the editor controls the build and shows its progress",
        rest: Rest::These(&[
            "call",
            "check",
            "debug-build",
            "debug-platform",
            "dry-run",
            "invoke",
            "progress",
            "progress-fd",
            "progress-file",
            "quiet",
            "trace",
        ]),
        is_ours: false,
    },
    Rule {
        commands: &["create"],
        when: When::Beside("leave"),
        because: "removes a node",
        rest: Rest::AllBut(&[&["name", "node"]]),
        is_ours: false,
    },
    Rule {
        commands: &["imagetools create"],
        when: When::Beside("dry-run"),
        because: "pushes nothing",
        rest: Rest::These(&[
            "metadata-file",
            "progress-fd",
            "progress-file",
            "push-retries",
            "trace",
        ]),
        is_ours: false,
    },
    Rule {
        commands: &["platforms"],
        when: When::Without(&["install", "uninstall"]),
        because: "",
        rest: Rest::These(&["image"]),
        is_ours: true,
    },
    Rule {
        commands: &["policy eval"],
        when: When::Without(&["print"]),
        because: "",
        rest: Rest::These(&["fields"]),
        is_ours: false,
    },
    Rule {
        commands: &["policy eval"],
        when: When::Beside("print"),
        because: "evaluates no policy",
        rest: Rest::These(&["file"]),
        is_ours: false,
    },
    Rule {
        commands: &["solve"],
        when: When::Without(&["frontend"]),
        because: "",
        rest: Rest::These(&["opt"]),
        is_ours: true,
    },
];

const QUESTIONS: &[&str] = &[
    "allow",
    "call",
    "check",
    "format",
    "metadata-file",
    "offline",
];
const LISTING: &[&[&str]] = &[&["file", "var", "print"], SHOWN];
