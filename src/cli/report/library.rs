//! Hints for errors of images and nodes, by their variants. Hints for builds are in `hint`, for
//! builders and connections in `builders` and `connection`.

use std::error::Error as StdError;

use solvekit::text::one_line;
use solvekit::translate::ImageFailure;
use solvekit::{cache_mount, diff, imagetools, manifest_list, registry, spread, transfer};

use super::daemon_text;
use super::usage::Advised;

impl Advised for registry::Error {
    fn advice(&self) -> Option<String> {
        for_logins(self).or_else(|| daemon_text::for_error(self))
    }
}

/// The next step for logins that cannot be read.
fn for_logins(error: &registry::Error) -> Option<String> {
    use registry::Error;
    Some(match error {
        Error::ReadConfig { .. } => {
            "make it readable for this user, or name another folder with DOCKER_CONFIG".to_owned()
        }
        Error::ParseConfig { place, .. } => no_json(place),
        Error::MalformedAuth { registry, .. } => {
            format!("log in again: solvekit login {}", one_line(registry))
        }
        Error::RunHelper { helper, .. } => format!(
            "install {}, or take it out of config.json and log in again: solvekit login HOST",
            one_line(helper)
        ),
        _ => return None,
    })
}

/// The next step for a configuration that is not JSON. Docker's own commands refuse it too.
pub(crate) fn no_json(place: &str) -> String {
    format!(
        "correct {place} (JSON in UTF-8, without a byte order mark), or remove it and log in \
         again: solvekit login HOST"
    )
}

/// The registry that an error or one of its causes is about.
pub(super) fn registry_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a str> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = as_registry_error(error) {
            return named_registry(found);
        }
        cause = passed_on(error).or_else(|| error.source());
    }
    None
}

type Cause<'a> = Option<&'a (dyn StdError + 'static)>;

/// The error that another one passes on with its own words: it is not among the causes.
fn passed_on<'a>(error: &'a (dyn StdError + 'static)) -> Cause<'a> {
    fn inside<'a, T: StdError + 'static>(
        error: &'a (dyn StdError + 'static),
        inner: fn(&'a T) -> Cause<'a>,
    ) -> Cause<'a> {
        error.downcast_ref().and_then(inner)
    }
    let found = [
        inside(error, |error| match error {
            transfer::Error::Registry(inner) => Some(inner),
            _ => None,
        }),
        inside(error, |error| match error {
            transfer::ContentsError::Registry(inner) => Some(inner),
            transfer::ContentsError::Image(inner) => Some(inner),
            _ => None,
        }),
        inside(error, |error| match error {
            diff::Error::Registry(inner) => Some(inner),
            diff::Error::Image(inner) => Some(inner),
            _ => None,
        }),
        inside(error, |error| match error {
            imagetools::Error::Registry(inner) => Some(inner),
            _ => None,
        }),
        inside(error, |error| match error {
            manifest_list::Error::Registry(inner) => Some(inner),
            manifest_list::Error::Image(inner) => Some(inner),
            _ => None,
        }),
        inside(error, |error| match error {
            spread::JoinError::Registry(inner) => Some(inner),
            spread::JoinError::Index(inner) => Some(inner),
            spread::JoinError::Archive(inner) => Some(inner),
            _ => None,
        }),
        inside(error, |error| match error {
            cache_mount::Error::Registry(inner) => Some(inner),
            _ => None,
        }),
    ];
    found.into_iter().flatten().next()
}

/// Errors are also causes in a box or shared.
fn as_registry_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a registry::Error> {
    let boxed = || error.downcast_ref::<Box<registry::Error>>().map(|it| &**it);
    let shared = || {
        let shared = error.downcast_ref::<ImageFailure>()?;
        shared.downcast_ref::<registry::Error>()
    };
    let plain = error.downcast_ref::<registry::Error>();
    plain.or_else(boxed).or_else(shared)
}

fn named_registry(error: &registry::Error) -> Option<&str> {
    match error {
        registry::Error::Refused(refusal) => Some(&refusal.registry),
        registry::Error::Unreachable { registry, .. }
        | registry::Error::LoginRefused { registry, .. }
        | registry::Error::Silent { registry, .. }
        | registry::Error::NoToken { registry, .. }
        | registry::Error::NoLocation { registry, .. }
        | registry::Error::Redirects { registry } => Some(registry),
        _ => None,
    }
}

impl Advised for transfer::Error {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NotForPlatform { .. } => return None,
            Self::SeveralPlatforms { .. } => {
                "choose one with --platform, or make an OCI archive, which holds all"
            }
            Self::NoImage { .. } => "name it behind the path: oci:DIR:TAG, oci-archive:FILE:TAG",
            Self::Incomplete { .. } | Self::Damaged { .. } => {
                "it was cut off or changed after it was made; make it again, nothing was named so \
                 far"
            }
            _ => return daemon_text::for_error(self),
        };
        Some(advice.to_owned())
    }
}

/// The hint for a push by this client.
pub(super) fn for_transfer(error: &transfer::Error) -> Option<String> {
    error.advice()
}

impl Advised for manifest_list::Error {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoList { list } => {
                format!(
                    "create it: solvekit manifest create {} IMAGE…",
                    list.familiar()
                )
            }
            Self::NoPlatform { manifest } => format!(
                "set it: solvekit manifest annotate LIST {} --os linux --arch …",
                manifest.familiar()
            ),
            Self::Gone { .. } => {
                "create the list again: solvekit manifest rm LIST, then create".to_owned()
            }
            _ => return None,
        })
    }
}

/// The hint for a build that cannot be distributed over the nodes of this builder.
pub(super) fn for_plan(error: &spread::Error, builder: &str) -> Option<String> {
    Some(match error {
        spread::Error::NotTogether { .. } => format!(
            "push the image (--push), build the platforms of one node at a time (--platform), or \
             add a node that builds for all: solvekit create --append --name {builder} …"
        ),
        spread::Error::Unserved { .. } => format!(
            "start the nodes that do not answer, or add one that builds for it: solvekit create \
             --append --name {builder} … (--leave --node NODE takes one out)"
        ),
        spread::Error::NoNode { .. } => format!(
            "start them, or take them out: solvekit create --leave --name {builder} --node NODE"
        ),
        spread::Error::EngineCannotPush { .. } => {
            "turn on the engine's containerd image store, or give the builder nodes with a \
             BuildKit of their own: solvekit create --driver docker-container"
                .to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_named_through_errors_that_pass_others_on() {
        let refused = || registry::Error::Redirects {
            registry: "r.example.com".to_owned(),
        };
        let image = || transfer::Error::Registry(refused());
        let all: [Box<dyn StdError>; 7] = [
            Box::new(refused()),
            Box::new(image()),
            Box::new(transfer::ContentsError::Image(image())),
            Box::new(diff::Error::Image(image())),
            Box::new(manifest_list::Error::Image(imagetools::Error::Registry(
                refused(),
            ))),
            Box::new(spread::JoinError::Archive(image())),
            Box::new(cache_mount::Error::Registry(refused())),
        ];
        for error in &all {
            assert_eq!(registry_of(&**error), Some("r.example.com"), "{error:?}");
        }
    }
}
