//! Flags about images, for a build whose outputs are all something else.

use solvekit::pipeline::BuildRequest;

use super::BuildArgs;
use crate::cli::identity::Identity;

/// A warning that names the flags that are not used. buildx gives none.
pub(super) fn warning(
    args: &BuildArgs,
    request: &BuildRequest,
    identity: Identity,
) -> Option<String> {
    let outputs = &request.outputs;
    // Without an output the result stays in the cache, which has a warning of its own.
    let makes_image = outputs.is_empty() || outputs.iter().any(|output| output.is_image());
    if makes_image || identity == Identity::Buildx {
        return None;
    }
    let mut caches = request.cache_to.iter();
    let flags = [
        (!args.tag.is_empty(), "--tag"),
        (!args.tag_files.is_empty(), "--tag-file"),
        (!args.label.is_empty(), "--label"),
        (!args.annotation.is_empty(), "--annotation"),
        (
            caches.any(|cache| cache.kind == "inline"),
            "--cache-to type=inline",
        ),
    ];
    let given = flags.iter().filter(|(is_given, _)| *is_given);
    let given: Vec<&str> = given.map(|(_, flag)| *flag).collect();
    (!given.is_empty()).then(|| {
        format!(
            "no output makes an image, so these flags have no effect: {}",
            given.join(", ")
        )
    })
}
