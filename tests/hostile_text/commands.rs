//! Every command with its kind of output.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::command::{Finished, called, solvekit};
use super::{HOSTILE, NAME, daemon, registry};

/// The kind of a command's stdout.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    /// JSON, one value or one per line, with the hostile text escaped.
    Json,
    /// Bytes for programs, which are not checked.
    Data,
}
use Kind::{Data, Json, Text};

/// The folder, the daemon and the registry with hostile content.
struct World {
    folder: TempDir,
    daemon: String,
    registry: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self {
            folder,
            daemon: daemon::start(),
            registry: registry::start(),
        };
        for context in ["scratch", "based"] {
            std::fs::create_dir_all(world.path(context)).unwrap();
        }
        let line = NAME.replace('\r', "");
        let steps = format!(
            "# {line}\nARG evil=\"{line}\"\nLABEL evil=\"{line}\"\nCOPY \"{line}\" /\nRUN \
             echo \"{line}\"\n"
        );
        let write = |path: &str, text: String| std::fs::write(world.path(path), text).unwrap();
        write(
            "scratch/Dockerfile",
            format!("# base {line}\nFROM scratch AS base\n{steps}"),
        );
        write(
            "based/Dockerfile",
            format!("FROM {}/evil\n{steps}", world.registry),
        );
        write("wrong.Dockerfile", format!("FROM scratch\n{NAME} x\n"));
        write(&format!("scratch/{NAME}"), HOSTILE.to_owned());
        write("scratch/evil.rego", format!("package docker\n{NAME} x\n"));
        let text = serde_json::Value::from(HOSTILE);
        write(
            "evil.rego",
            format!("package docker\ndecision := {{\"allow\": false, \"deny_msg\": [{text}]}}\n"),
        );
        write(
            "evil_test.rego",
            "package docker\ntest_evil if input.x\n".to_owned(),
        );
        write("bundle", HOSTILE.to_owned());
        let target = serde_json::json!({"description": HOSTILE, "args": {"EVIL": HOSTILE}});
        let bake = serde_json::json!({"target": {"default": target}});
        write("docker-bake.json", bake.to_string());
        for (number, name) in ["left", "right"].iter().enumerate() {
            std::fs::write(world.path(&format!("{name}.tar")), image(number)).unwrap();
        }
        world.record();
        world
    }

    /// Writes the record of a build with a hostile daemon and Dockerfile.
    fn record(&self) {
        let reports = self.path("state/solvekit/explain/reports");
        std::fs::create_dir_all(&reports).unwrap();
        let reasons = serde_json::json!([
            {"kind": "text", "old": HOSTILE, "new": HOSTILE},
            {"kind": "variables", "names": [HOSTILE]},
        ]);
        let step = serde_json::json!({
            "platform": HOSTILE, "step": HOSTILE, "file": HOSTILE, "line": 1, "reasons": reasons,
        });
        let target = serde_json::json!({
            "target": HOSTILE, "build_refs": [HOSTILE], "compared": true, "steps": 1,
            "ran": [step],
        });
        let report = serde_json::json!({"ended_at": 1_795_929_373, "targets": [target]});
        let name = "01795929373403602563.8090d75d96b3c63414cd7a0684fb2ba0.json";
        std::fs::write(reports.join(name), report.to_string()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line; `@D`, `@R` and `@P` are replaced by the daemon, the registry and the
    /// folder, `@N` by the hostile name.
    fn run(&self, line: &str) -> Finished {
        let place = |word: &str| {
            word.replace("@D", &self.daemon)
                .replace("@R", &self.registry)
                .replace("@P", &self.folder.path().display().to_string())
                .replace("@N", NAME)
        };
        let mut command = match line.strip_prefix("buildctl ") {
            Some(rest) => {
                let command = solvekit(rest.split(' ').map(place));
                called("buildctl", self.folder.path(), &command)
            }
            None => solvekit(line.split(' ').map(place)),
        };
        command.current_dir(self.folder.path());
        command.env("BUILDX_CONFIG", self.path("buildx"));
        command.env("DOCKER_CONFIG", self.path(&format!("docker{NAME}")));
        command.env("HOME", self.folder.path());
        command.env("XDG_STATE_HOME", self.path("state"));
        Finished::with_input(&mut command, "password\n")
    }
}

/// An archive in the format of `docker save` whose files, links and config are hostile. The number
/// makes it different.
fn image(number: usize) -> Vec<u8> {
    let archive = |files: &[(&str, &str)]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder
                .append_data(&mut header, name, content.as_bytes())
                .unwrap();
        }
        builder.into_inner().unwrap()
    };
    let evil = format!("{HOSTILE}{number}");
    let layer = archive(&[(NAME, &evil), (&format!("{NAME}{number}"), "")]);
    let layer = String::from_utf8(layer).unwrap();
    let diff_id = format!("sha256:{:x}", Sha256::digest(&layer));
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64", "author": evil,
        "config": {"Env": [format!("A={evil}")], "Labels": {(HOSTILE): evil}},
        "history": [{"created_by": evil}],
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    });
    let manifest = serde_json::json!([{"Config": "c.json", "RepoTags": [], "Layers": ["l.tar"]}]);
    archive(&[
        ("manifest.json", &manifest.to_string()),
        ("c.json", &config.to_string()),
        ("l.tar", &layer),
    ])
}

/// Command lines with the kind of their stdout. Those with `!` print hostile text, so the test
/// checks that it was escaped.
const LINES: &[(&str, Kind)] = &[
    ("!--addr @D build --progress plain scratch", Text),
    ("!--addr @D build --progress plain --debug based", Text),
    ("!--addr @D build --progress quiet scratch", Text),
    ("!--addr @D verify --progress plain scratch", Text),
    ("!verify --against @R/evil scratch", Text),
    ("!verify --keep @P/@N/@N scratch", Text),
    (
        "--addr @D build --progress plain --debug=step scratch",
        Text,
    ),
    ("--addr @D debug build --progress plain scratch", Text),
    ("!build --invoke @N=@N scratch", Text),
    ("dap build scratch", Data),
    ("!dap attach @P/@N", Text),
    (
        "--addr @D build --progress jsonl --progress-fd 1 scratch",
        Json,
    ),
    (
        "!--addr @D solve --progress plain --frontend @N --opt @N=@N --local @N=scratch",
        Text,
    ),
    ("!--addr @D solve --frontend x --opt @N", Text),
    ("!--addr @D solve --frontend x --local @N=@N", Text),
    ("!solve @P/@N", Text),
    ("!buildctl --addr @D debug workers -v", Text),
    ("!buildctl --addr @D debug workers --format @N", Text),
    ("!buildctl --addr @D debug info", Text),
    ("buildctl --addr @D debug histories", Text),
    ("buildctl --addr @D debug get @N", Data),
    ("!buildctl --addr @D du -v", Text),
    ("!buildctl --addr @D du", Text),
    ("!buildctl --addr @D prune -v", Text),
    ("!buildctl --addr @D build --frontend @N --opt @N=@N", Text),
    ("buildctl --addr @D prune-histories", Text),
    ("!build -f wrong.Dockerfile scratch", Text),
    ("!build --call=outline scratch", Text),
    ("!build --call=targets scratch", Text),
    ("!build --check -f wrong.Dockerfile scratch", Text),
    ("!build --call=outline,format=json scratch", Json),
    ("!build --progress @N scratch", Text),
    ("!build --output type=@N scratch", Text),
    ("!build --secret id=@N,src=@N scratch", Text),
    ("!@N", Text),
    ("!bake --print @N", Text),
    ("!llb scratch", Text),
    ("!llb --format dot scratch", Text),
    ("!llb --format mermaid scratch", Text),
    ("!llb --format json scratch", Json),
    ("!llb -f wrong.Dockerfile scratch", Text),
    ("!llb based", Text),
    ("!lock based", Text),
    ("!bake --print", Json),
    ("!bake --list targets", Text),
    ("!bake --list type=targets,format=json", Json),
    ("!bake --print @N", Text),
    ("!bake --print --set @N", Text),
    ("!bake --print -f @N", Text),
    ("!context ls scratch", Text),
    ("!context ls --format json scratch", Json),
    ("!imagetools inspect @R/good", Text),
    ("!imagetools inspect @R/evil", Text),
    (
        "!imagetools inspect --format {{.Image}}{{.Manifest}} @R/good",
        Text,
    ),
    (
        "!imagetools inspect --format {{json(.Image)}} @R/good",
        Text,
    ),
    ("!imagetools inspect --raw @R/good", Json),
    ("!imagetools create --dry-run -t @R/a @R/evil", Text),
    ("imagetools create --dry-run -t @R/a @R/good", Json),
    ("!manifest create @R/list @R/evil", Text),
    ("!manifest annotate @N @N", Text),
    ("!manifest inspect --insecure @R/evil", Text),
    ("!manifest inspect --insecure @R/good", Json),
    ("!manifest push @N", Text),
    ("!manifest rm @N", Text),
    ("create --name evil --driver remote @D", Text),
    ("!create --driver @N", Text),
    ("use evil", Text),
    ("!use @N", Text),
    ("!ls", Text),
    ("!ls --format {{.Platforms}}{{.Error}}{{.Buildkit}}", Text),
    ("ls --format json", Json),
    ("!inspect evil", Text),
    ("!stop @N", Text),
    ("!dial-stdio --builder @N", Text),
    ("!--builder @N dial-stdio", Text),
    ("!--builder @N proxy --listen unix://@P/s", Text),
    ("!explain @N", Text),
    ("!explain --last", Text),
    ("!explain --last --format json", Json),
    ("!--addr @D workers", Text),
    ("!--addr @D workers --format json", Json),
    ("!--addr @D platforms", Text),
    ("--addr @D platforms --format json", Json),
    ("!--addr @D du", Text),
    ("!--addr @D du --verbose", Text),
    ("!--addr @D du --format json", Json),
    ("!--addr @D du --filter @N=@N=@N,", Text),
    ("--addr @D du --tree", Text),
    ("--addr @D du --tree --format json", Json),
    ("--addr @D prune --dry-run", Text),
    ("--addr @D prune --dry-run --verbose", Text),
    ("--addr @D prune --dry-run=json", Json),
    ("!--addr @D prune -f", Text),
    ("!--addr @D prune -f --verbose", Text),
    ("--addr @D cache-mount ls", Text),
    ("!--addr @D cache-mount export --id @N --to @P/x.tar", Text),
    ("!cache-mount export --id x --to type=@N", Text),
    (
        "!--addr @D cache-mount import --id x --from type=tar,src=@N",
        Text,
    ),
    ("!--addr @D cache-mount rm --id @N", Text),
    ("!push -t @R/a @P/@N", Text),
    ("!image copy @R/evil @R/a", Text),
    ("!image pull @R/evil", Text),
    ("!image cat @R/evil @N", Text),
    ("image cat @R/good etc/passwd", Data),
    ("!image delete @R/evil:1", Text),
    ("!image diff @R/evil @R/good", Text),
    ("!image diff @N @P/@N", Text),
    (
        "!image diff docker-archive:@P/left.tar docker-archive:@P/right.tar",
        Text,
    ),
    (
        "!image diff --format json docker-archive:left.tar docker-archive:right.tar",
        Json,
    ),
    ("!image digest @R/evil", Text),
    ("!image ls-tags @R/evil", Text),
    ("!image ls-tags --format json @R/good", Text),
    ("!image referrers @R/evil", Text),
    ("image referrers --format json @R/good", Json),
    ("!imagetools inspect --platform linux/arm64 @R/evil", Text),
    ("!image save -o @P/saved @R/evil", Text),
    ("!login -u @N --password-stdin @R", Text),
    ("logout @R", Text),
    ("!build --policy @N scratch", Text),
    ("!--addr @D build --policy filename=@N scratch", Text),
    ("!--addr @D build --policy filename=evil.rego scratch", Text),
    ("!policy eval @N", Text),
    ("!policy eval -f @N .", Text),
    ("!policy test --filename evil @N", Text),
    ("!policy test --filename @N .", Text),
    ("!policy test --filename evil evil_test.rego", Text),
    ("policy json-schema", Json),
    ("!--addr @D history ls", Text),
    ("!--addr @D history ls --format {{.Name}}", Text),
    ("!--addr @D history ls --format json", Json),
    ("!--addr @D history inspect evilref", Text),
    ("!--addr @D history inspect --format json evilref", Json),
    (
        "!--addr @D history inspect attachment --type @N evilref",
        Text,
    ),
    ("!--addr @D history logs evilref", Text),
    ("!--addr @D history report --format html evilref", Text),
    ("!--addr @D history report --format md evilref", Text),
    ("!--addr @D history report --format junit evilref", Text),
    ("!--addr @D history report --format json evilref", Json),
    ("!--addr @D history open evilref", Text),
    ("!--addr @D history rm evilref", Text),
    ("!--addr @D history export -o @P/bundle/@N evilref", Text),
    ("!history import @P/@N", Text),
    ("history import @P/bundle", Text),
    ("!--addr @D history trace --format tree evilref", Text),
    ("!--addr @D history trace --format json evilref", Json),
    ("!--addr @D debug info", Text),
    ("!--addr @D debug workers", Text),
    ("frontend", Text),
    ("!install-plugin", Text),
    ("!--addr @D doctor @R", Text),
    ("!--addr @D doctor --format json @N", Json),
    ("version", Text),
    ("completion bash", Data),
    ("man", Data),
    ("man @P/@N", Text),
    ("__complete solvekit build --target @N", Text),
    ("__complete solvekit bake @N", Text),
    ("help", Text),
    ("rm evil", Text),
    ("!rm @N", Text),
];

#[test]
fn no_command_prints_a_control_character_that_it_was_given() {
    let world = World::new();
    let mut wrong = Vec::new();
    for (line, kind) in LINES {
        let (line, shows) = match line.strip_prefix('!') {
            Some(line) => (line, true),
            None => (*line, false),
        };
        let done = world.run(line);
        let mut complain = |what: &str| {
            wrong.push(format!(
                "{line}: {what}\n{:?}\n{:?}",
                done.stdout, done.stderr
            ));
        };
        match kind {
            Text if !is_safe(&done.stdout) => complain("stdout is not safe"),
            Json if !is_json(&done.stdout) => complain("stdout is no JSON"),
            _ => {}
        }
        if !is_safe(&done.stderr) {
            complain("stderr is not safe");
        }
        if shows
            && !format!("{}{}", done.stdout, done.stderr)
                .to_lowercase()
                .contains("evil")
        {
            complain("nothing hostile was in it");
        }
        if *kind == Json && shows && !done.stdout.contains("EVIL\\u001b]0;pwned") {
            complain("JSON does not have the text as it is");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// True if the text has only lines, tabs and colours.
fn is_safe(text: &str) -> bool {
    let mut rest = text.to_owned();
    for colour in ["\x1b[31m", "\x1b[0m"] {
        rest = rest.replace(colour, "");
    }
    !rest.chars().any(|c| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

fn is_json(text: &str) -> bool {
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let values: Result<Vec<_>, _> = values.collect();
    values.is_ok_and(|values| !values.is_empty())
}

#[test]
fn every_command_is_among_them() {
    let mut known = BTreeSet::new();
    leaves(&[], &mut known);
    let covered = |path: &String| {
        LINES.iter().any(|(line, _)| {
            let words: Vec<&str> = line.trim_start_matches('!').split(' ').collect();
            let wanted: Vec<&str> = path.split(' ').collect();
            words.windows(wanted.len()).any(|window| window == wanted)
        })
    };
    assert!(known.len() > 40, "{known:?}");
    let missing: Vec<&String> = known.iter().filter(|path| !covered(path)).collect();
    assert!(missing.is_empty(), "LINES has no line for {missing:?}");
}

/// The commands below this one, from its help.
fn leaves(path: &[String], found: &mut BTreeSet<String>) {
    let words = path.iter().map(String::as_str).chain(["--help"]);
    let help = Finished::of(&mut solvekit(words)).succeeded().stdout;
    let listed = help.split_once("\nCommands:\n").map(|(_, rest)| rest);
    let names: Vec<&str> = listed
        .unwrap_or_default()
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    if names.is_empty() || !path.is_empty() && path[path.len() - 1] == "inspect" {
        found.insert(path.join(" "));
    }
    for name in names {
        leaves(&[path, &[name.to_owned()]].concat(), found);
    }
}
