use std::io;
use std::sync::Arc;

use super::*;
use crate::bake::Found;
use crate::oci::{Digest, Platform};
use crate::session;
use crate::translate::{ImageFailure, ImageRequest, ResolvedImage, SourceRequest, SourceTime};

/// The time of the earlier state.
const THEN: i64 = 1_700_000_000;

struct NoMachine;

impl Machine for NoMachine {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn look(&self, _: &str) -> io::Result<Found> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn check_key(&self, _: &str) -> Result<(), session::Error> {
        Ok(())
    }

    fn stdout_is_terminal(&self) -> bool {
        false
    }
}

/// Every image has this config; without one no image is found.
struct Config(Option<&'static str>);

#[derive(Debug, thiserror::Error)]
#[error("there is no such image")]
struct NoImage;

impl Images for Config {
    fn images(
        &self,
        requests: &[ImageRequest],
        _: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>> {
        let found = requests.iter().map(|request| {
            let config = self.0.ok_or_else(|| Arc::new(NoImage) as ImageFailure)?;
            let digest = Digest::sha256(request.log_name.as_bytes());
            let image = ResolvedImage::parse(Some(digest), config.as_bytes());
            image.map_err(|error| Arc::new(error) as ImageFailure)
        });
        found.collect()
    }

    fn time(&self, _: &SourceRequest) -> Result<SourceTime, ImageFailure> {
        Err(Arc::new(NoImage))
    }
}

const OLD: Config = Config(Some(
    r#"{"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z",
        "config":{"Env":["SRC=src"],"OnBuild":["COPY onbuild /"]}}"#,
));

/// A repository with files, and a target in its folder.
struct Repository {
    folder: tempfile::TempDir,
    plan: Plan,
    changes: Vec<ChangedPath>,
}

impl Repository {
    fn of(dockerfile: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        let mut repository = Self {
            folder,
            plan: Plan::default(),
            changes: Vec::new(),
        };
        repository.target("app", |_| {});
        repository
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn target(&mut self, name: &str, change: impl FnOnce(&mut Target)) {
        let mut target = Target::default();
        target.name = name.to_owned();
        target.context = Some(self.root().display().to_string());
        change(&mut target);
        self.plan.targets.insert(name.to_owned(), target);
    }

    fn app(mut self, change: impl FnOnce(&mut Target)) -> Self {
        self.target("app", change);
        self
    }

    fn changed(mut self, paths: &[&str]) -> Self {
        let changes = paths
            .iter()
            .map(|path| ChangedPath::new(path, ChangeKind::Differs));
        self.changes.extend(changes);
        self
    }

    fn judged_with(&self, images: &Config) -> BTreeMap<String, String> {
        let targets = EarlierTargets::Known(self.plan.targets.clone());
        let mut earlier = Earlier::new(self.root(), THEN, targets);
        earlier.changes.clone_from(&self.changes);
        let verdicts = verdicts(&self.plan, &earlier, &NoMachine, images);
        let words = |verdict: &Verdict| match verdict {
            Verdict::Unchanged { images } => format!("unchanged, {} images", images.len()),
            Verdict::Changed(change) => change.to_string(),
            Verdict::Unknown(unknown) => unknown.to_string(),
        };
        verdicts
            .iter()
            .map(|(name, verdict)| (name.clone(), words(verdict)))
            .collect()
    }

    #[track_caller]
    fn says(&self, expected: &str) {
        let verdict = &self.judged_with(&OLD)["app"];
        assert!(verdict.starts_with(expected), "{verdict}");
    }
}

const COPIES: &str = "FROM scratch AS lint\nCOPY lint.toml /\nFROM scratch\nCOPY src/*.rs /\n";

#[test]
fn only_what_the_target_s_stages_copy_counts() {
    let repository = Repository::of(COPIES).changed(&["README.md", "lint.toml", "src/a.md"]);
    repository.says("unchanged, 0 images");
    repository
        .changed(&["src/a.rs", "src/b.rs"])
        .says("src/a.rs changed, and 1 more");
    let lint = Repository::of(COPIES).changed(&["src/a.rs", "lint.toml"]);
    lint.app(|target| target.target = Some("lint".to_owned()))
        .says("lint.toml changed");
}

#[test]
fn dockerfiles_and_ignore_files_count() {
    Repository::of(COPIES)
        .changed(&["Dockerfile"])
        .says("Dockerfile changed");
    Repository::of(COPIES)
        .changed(&[".dockerignore"])
        .says(".dockerignore changed");
    let own = Repository::of(COPIES).changed(&["Dockerfile.dockerignore"]);
    own.says("Dockerfile.dockerignore changed");
    let nothing_copied = Repository::of("FROM scratch\nLABEL a=b\n");
    nothing_copied
        .changed(&[".dockerignore", "src/a.rs"])
        .says("unchanged");
}

#[test]
fn files_that_the_ignore_file_excludes_do_not_count() {
    let repository = Repository::of("FROM scratch\nCOPY . /\n").changed(&["docs/a.md"]);
    std::fs::write(repository.root().join(".dockerignore"), ".git\ndocs\n").unwrap();
    repository.says("unchanged");
    repository.changed(&["anything"]).says("anything changed");
}

#[test]
fn bind_mounts_and_named_folders_count() {
    let mut repository = Repository::of(
        "FROM scratch\nRUN --mount=source=go.mod,target=/m true\nCOPY --from=more /x /\n",
    );
    std::fs::create_dir(repository.root().join("more")).unwrap();
    let more = repository.root().join("more").display().to_string();
    repository.target("app", |target| {
        target.contexts.insert("more".to_owned(), more);
    });
    repository.says("unchanged");
    let mount = ["more/y", "go.mod"];
    let repository = repository.changed(&mount[..1]);
    repository.says("unchanged");
    repository.changed(&mount[1..]).says("go.mod changed");
}

#[test]
fn a_link_on_the_way_counts_and_so_does_another_repository() {
    let repository = Repository::of("FROM scratch\nCOPY current/file /\n");
    let root = repository.root();
    std::fs::create_dir(root.join("v2")).unwrap();
    std::os::unix::fs::symlink("v2", root.join("current")).unwrap();
    let repository = repository.changed(&["v1/file"]);
    repository.says("unchanged");
    repository.changed(&["v2/file"]).says("v2/file changed");
    let mut deleted = Repository::of("FROM scratch\nCOPY lib/file /\n");
    let mut change = ChangedPath::new("lib", ChangeKind::Differs);
    deleted.changes.push(change.clone());
    deleted.says("unchanged");
    change.leads_on = true;
    deleted.changes.push(change);
    deleted.says("lib changed");
    let linked = Repository::of(COPIES);
    let place = linked.root();
    std::fs::create_dir(place.join("real")).unwrap();
    std::fs::rename(place.join("src"), place.join("real/src")).unwrap();
    std::fs::rename(place.join("Dockerfile"), place.join("real/Dockerfile")).unwrap();
    std::os::unix::fs::symlink("real", place.join("link")).unwrap();
    let context = place.join("link").display().to_string();
    let linked = linked.app(|target| target.context = Some(context));
    linked.says("unchanged");
    linked.changed(&["link"]).says("link changed");
}

#[test]
fn what_cannot_be_known_is_reported() {
    let cases = [
        (
            "FROM scratch\nCOPY . /\n",
            "its context has the folder .git",
        ),
        (
            "FROM scratch\nADD https://example.com/a /\n",
            "https://example.com/a may be",
        ),
        (
            "# syntax=example.com/other\nFROM scratch\n",
            "the Dockerfile is translated by",
        ),
        (
            "FROM scratch\nADD https://example.com/r.git#main /\n",
            "git://example.com/r.git#main",
        ),
    ];
    for (dockerfile, expected) in cases {
        Repository::of(dockerfile).says(expected);
    }
    let pinned =
        "FROM scratch\nADD https://e.example/r.git#0123456789012345678901234567890123456789 /\n";
    Repository::of(pinned).says("unchanged");
    let outside = tempfile::tempdir().unwrap();
    let context = outside.path().display().to_string();
    let repository = Repository::of(COPIES).app(|target| target.context = Some(context.clone()));
    repository.says(&format!("{context} is outside"));
    let wrong = Repository::of("FROM scratch\nFOO\n");
    let verdict = &wrong.judged_with(&OLD)["app"];
    assert!(
        verdict.contains("Dockerfile:2: unknown instruction"),
        "{verdict}"
    );
    Repository::of(COPIES)
        .app(|target| target.no_cache = Some(true))
        .says("no-cache");
    let remote = "https://example.com/r.git".to_owned();
    let repository = Repository::of(COPIES).app(|target| target.context = Some(remote));
    repository.says("the Dockerfile is fetched");
}

#[test]
fn base_images_count_by_when_they_were_made() {
    let repository = Repository::of("FROM base\nCOPY $SRC/a /\n");
    repository.says("unchanged, 1 images");
    let verdict =
        |repository: &Repository, config| repository.judged_with(&Config(config))["app"].clone();
    let newer = r#"{"architecture":"amd64","os":"linux","created":"2030-01-01T00:00:00Z"}"#;
    assert!(verdict(&repository, Some(newer)).ends_with("base:latest is newer"));
    let unknown = r#"{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z"}"#;
    assert!(verdict(&repository, Some(unknown)).contains("does not say when it was made"));
    assert!(verdict(&repository, None).contains("there is no such image"));
    let pinned = format!("FROM base@{}\nCOPY a /\n", Digest::sha256(b""));
    assert_eq!(
        verdict(&Repository::of(&pinned), Some(newer)),
        "unchanged, 0 images"
    );
    let pulled = Repository::of("FROM base\n").app(|target| target.pull = Some(true));
    pulled.says("pull looks for a newer");
}

#[test]
fn triggers_and_variables_of_base_images_name_files() {
    let repository = Repository::of("FROM base\nCOPY $SRC/a /\n").changed(&["a"]);
    repository.says("unchanged");
    Repository::of("FROM base\n")
        .changed(&["onbuild"])
        .says("onbuild changed");
    Repository::of("FROM base\nCOPY $SRC/a /\n")
        .changed(&["src/a"])
        .says("src/a changed");
}

#[test]
fn targets_follow_those_that_they_link_to() {
    let dockerfile = "FROM scratch AS base\nENV FILE=from-base\nCOPY src/b /\n\
                      FROM base AS stage\nFROM link\nCOPY $FILE /\n";
    let linked = |repository: &mut Repository| {
        repository.target("base", |target| target.target = Some("base".to_owned()));
        repository.target("app", |target| {
            target
                .contexts
                .insert("link".to_owned(), "target:base".to_owned());
        });
    };
    let mut repository = Repository::of(dockerfile);
    linked(&mut repository);
    repository.says("unchanged, 0 images");
    repository.changed(&["from-base"]).says("from-base changed");
    let mut repository = Repository::of(dockerfile).changed(&["src/b"]);
    linked(&mut repository);
    let verdict = repository.judged_with(&OLD);
    assert_eq!(verdict["base"], "src/b changed");
    assert_eq!(verdict["app"], "it links to base, which is built");
}

#[test]
fn definitions_are_compared_attribute_by_attribute() {
    let repository = Repository::of(COPIES);
    let judged = |targets: EarlierTargets| {
        let earlier = Earlier::new(repository.root(), THEN, targets);
        match &verdicts(&repository.plan, &earlier, &NoMachine, &OLD)["app"] {
            Verdict::Unchanged { .. } => "unchanged".to_owned(),
            Verdict::Changed(change) => change.to_string(),
            Verdict::Unknown(unknown) => unknown.to_string(),
        }
    };
    let with = |change: fn(&mut Target)| {
        let mut targets = repository.plan.targets.clone();
        targets.values_mut().for_each(change);
        judged(EarlierTargets::Known(targets))
    };
    assert_eq!(
        with(|target| target.description = "other".to_owned()),
        "unchanged"
    );
    let args = with(|target| {
        target.args.insert("A".to_owned(), "1".to_owned());
        target.tags = Some(vec!["x".to_owned()]);
    });
    assert_eq!(args, "its definition changed: args, tags");
    assert_eq!(judged(EarlierTargets::Known(BTreeMap::new())), "it is new");
    let unknown = judged(EarlierTargets::Unknown("because".to_owned()));
    assert_eq!(
        unknown,
        "the bake files as they were cannot be evaluated: because"
    );
}
