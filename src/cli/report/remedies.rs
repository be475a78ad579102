//! Ways to make builds reproducible, by the causes of their differences.

use std::collections::BTreeSet;

use solvekit::diff::Cause;

use super::verification::Settings;

/// A remedy and the cause that it removes.
pub(super) struct Remedy {
    /// The name of the cause in JSON.
    pub(super) cause: &'static str,
    pub(super) text: String,
}

/// The remedies for these causes, except those that are applied already.
pub(super) fn remedies(causes: &BTreeSet<Cause>, settings: Settings) -> Vec<Remedy> {
    let has_times = causes.contains(&Cause::CreationTime) || causes.contains(&Cause::FileTimes);
    let remedies = causes.iter().filter_map(|cause| {
        let (word, text) = match cause {
            // The remedy for times covers both causes.
            Cause::FileTimes if causes.contains(&Cause::CreationTime) => return None,
            Cause::CreationTime | Cause::FileTimes => ("times", times(causes, settings)?),
            cause => other(*cause, settings)?,
        };
        Some(Remedy { cause: word, text })
    });
    let mut remedies: Vec<Remedy> = remedies.collect();
    if has_times && causes.len() > 1 && !settings.ignores_times {
        remedies.push(Remedy {
            cause: "times",
            text: "to see what differs besides times: --ignore-times".to_owned(),
        });
    }
    remedies
}

fn times(causes: &BTreeSet<Cause>, settings: Settings) -> Option<String> {
    let files = causes.contains(&Cause::FileTimes);
    let text = match (settings.has_epoch, settings.rewrites_times) {
        (false, _) => {
            "times: build with SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) in the environment\n\
             and -o type=image,rewrite-timestamp=true; the first sets the time of the image,\n\
             the second those of its files"
        }
        (true, false) if files => {
            "times of files: SOURCE_DATE_EPOCH is set, but files keep their times; add\n\
             rewrite-timestamp=true to the output: -o type=image,rewrite-timestamp=true"
        }
        (true, true) if files => {
            "times of files: rewrite-timestamp=true lowers times to SOURCE_DATE_EPOCH, and leaves\n\
             those before it; use an epoch that is older than the files"
        }
        (true, _) => {
            "times of the image: it is made with a SOURCE_DATE_EPOCH of its own; use the same one"
        }
    };
    Some(text.to_owned())
}

/// The name of the cause and the remedy's text.
fn other(cause: Cause, settings: Settings) -> Option<(&'static str, String)> {
    let text = |&(_, word, text): &(Cause, &'static str, &str)| match cause {
        Cause::OtherSteps if settings.is_locked => (word, OTHER_STEPS_OF_A_LOCK.to_owned()),
        _ => (word, text.to_owned()),
    };
    OTHERS.iter().find(|(known, ..)| *known == cause).map(text)
}

/// Base images cannot have moved.
const OTHER_STEPS_OF_A_LOCK: &str =
    "the steps differ: another Dockerfile, other build arguments or another --target";

/// The causes that have one remedy, their names in JSON, and the remedy.
const OTHERS: [(Cause, &str, &str); 16] = [
    (
        Cause::OtherSteps,
        "steps",
        "the steps differ: a base image has moved, or the Dockerfile or its arguments are\n\
         others; pin base images: solvekit lock, then --lock solvekit.lock",
    ),
    (
        Cause::Metadata,
        "metadata",
        "labels, annotations or variables: do not take the time or a number of the build from\n\
         build arguments; what comes from git should be of the commit that is built",
    ),
    (
        Cause::MediaTypes,
        "media-types",
        "media types: the content is the same; build with the same oci-mediatypes as the\n\
         image (-o type=image,oci-mediatypes=false for Docker's)",
    ),
    (
        Cause::Compression,
        "compression",
        "compression: the files are the same; set it: compression=gzip|zstd,\n\
         compression-level=N,force-compression=true in the output, and use the same BuildKit",
    ),
    (
        Cause::Order,
        "order",
        "order: the files are the same; something writes them in parallel, or the archive is\n\
         from another version of BuildKit",
    ),
    (
        Cause::Packages,
        "packages",
        "packages: other versions were installed between the builds; name their versions\n\
         (curl=8.5.0-2), or use a snapshot of the repository (snapshot.debian.org)",
    ),
    (
        Cause::PackageCaches,
        "package-caches",
        "caches of the package manager: remove them in the same RUN\n\
         (rm -rf /var/lib/apt/lists/* /var/cache/apt/*), use apk add --no-cache, or mount\n\
         them: RUN --mount=type=cache,target=/var/cache/apt",
    ),
    (
        Cause::Logs,
        "logs",
        "logs: remove them in the same RUN (rm -rf /var/log/*), or write them to\n\
         RUN --mount=type=tmpfs,target=/var/log",
    ),
    (
        Cause::PythonBytecode,
        "python",
        "compiled Python has times of sources in it: set PYTHONDONTWRITEBYTECODE=1 and use\n\
         pip install --no-compile, or compile with --invalidation-mode unchecked-hash",
    ),
    (
        Cause::SystemCaches,
        "system-caches",
        "caches of the system: remove them in the same RUN\n\
         (rm -rf /var/cache/ldconfig/aux-cache /var/cache/fontconfig /var/cache/man)",
    ),
    (
        Cause::Passwords,
        "passwords",
        "/etc/shadow has the day of the last change: create users without a password and set\n\
         the day (chage -d 0 NAME), or build with faketime",
    ),
    (
        Cause::Random,
        "random",
        "random keys and names: make them when the container starts, not in the image",
    ),
    (
        Cause::Archives,
        "archives",
        "archives hold the times of their files: gzip -n, zip -X, ar -D, and a build tool\n\
         that honours SOURCE_DATE_EPOCH (RUN sees it if the stage has ARG SOURCE_DATE_EPOCH)",
    ),
    (
        Cause::UserCaches,
        "user-caches",
        "caches of build tools: put them on a mount, which is no part of the image:\n\
         RUN --mount=type=cache,target=/root/.cache",
    ),
    (
        Cause::InlineCache,
        "inline-cache",
        "the inline cache notes times: export the cache elsewhere, as\n\
         --cache-to type=registry,ref=…",
    ),
    (
        Cause::Content,
        "content",
        "content: look at what the step writes: dates (ARG SOURCE_DATE_EPOCH gives RUN a\n\
         fixed one), random numbers, downloads without a checksum, the order of a folder or\n\
         of parallel work, absolute paths, the name of the machine",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(causes: &[Cause], settings: Settings) -> Vec<&'static str> {
        let causes = causes.iter().copied().collect();
        remedies(&causes, settings)
            .iter()
            .map(|it| it.cause)
            .collect()
    }

    #[test]
    fn what_is_done_already_is_not_advised() {
        let text = |settings| {
            let causes = BTreeSet::from([Cause::FileTimes]);
            remedies(&causes, settings).remove(0).text
        };
        let mut settings = Settings::default();
        assert!(text(settings).contains("SOURCE_DATE_EPOCH=$("));
        settings.has_epoch = true;
        assert!(text(settings).contains("add\nrewrite-timestamp=true"));
        settings.rewrites_times = true;
        assert!(text(settings).contains("older than the files"));
    }

    #[test]
    fn each_cause_has_a_remedy_once() {
        let both = [Cause::CreationTime, Cause::FileTimes];
        assert_eq!(words(&both, Settings::default()), ["times", "times"]);
        assert_eq!(words(&both[..1], Settings::default()), ["times"]);
        let ignoring = Settings {
            ignores_times: true,
            ..Settings::default()
        };
        assert_eq!(words(&both, ignoring), ["times"]);
        for cause in [
            Cause::OtherSteps,
            Cause::Metadata,
            Cause::MediaTypes,
            Cause::Compression,
            Cause::Order,
            Cause::Packages,
            Cause::PackageCaches,
            Cause::Logs,
            Cause::PythonBytecode,
            Cause::SystemCaches,
            Cause::Passwords,
            Cause::Random,
            Cause::Archives,
            Cause::UserCaches,
            Cause::Content,
            Cause::InlineCache,
        ] {
            assert_eq!(words(&[cause], Settings::default()).len(), 1, "{cause:?}");
        }
    }
}
