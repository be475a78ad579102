package docker

# The default policy (BUILDX_DEFAULT_POLICY): images that Docker publishes for builds must be signed
# by Docker's builder on GitHub. Other images, images by digest, unknown tags, and
# releases older than the signatures are allowed.

# Images with versions like 1.21: the repository on GitHub, the first signed minor version, the tags
# that move, and the prefix of the version in the names of git tags.
frontends := {
	"docker.io/docker/dockerfile": {
		"repo": "moby/buildkit", "first": 21, "prefix": "refs/tags/dockerfile/",
		"moving": {"latest", "labs", "master"}, "suffix": "-labs",
	},
	"docker.io/docker/dockerfile-upstream": {
		"repo": "moby/buildkit", "first": 21, "prefix": "refs/tags/dockerfile/",
		"moving": {"latest", "labs", "master"}, "suffix": "-labs",
	},
	"docker.io/docker/buildkit-syft-scanner": {
		"repo": "docker/buildkit-syft-scanner", "first": 10, "prefix": "refs/tags/",
		"moving": {"latest"}, "suffix": "",
	},
}

buildkit_moving := {
	"latest", "latest-ubuntu", "rootless",
	"master", "master-rootless", "master-ubuntu",
	"nightly", "nightly-rootless", "nightly-ubuntu",
}

is_buildkit if input.image.fullRepo == "docker.io/moby/buildkit"

# Major and minor version; a tag without a minor version is the newest of its major version.
version(tag) := [to_number(found[1]), to_number(found[2])] if {
	found := regex.find_all_string_submatch_n(`^(\d+)\.(\d+)(?:\.\d+)?(?:-labs)?$`, tag, 1)[0]
}

version(tag) := [to_number(found[1]), 999999] if {
	found := regex.find_all_string_submatch_n(`^(\d+)(?:-labs)?$`, tag, 1)[0]
}

at_least(tag, _) if version(tag)[0] > 1

at_least(tag, minor) if {
	found := version(tag)
	found[0] == 1
	found[1] >= minor
}

needs_signature(image, frontend) if image.tag in frontend.moving
needs_signature(image, frontend) if at_least(image.tag, frontend.first)

# True if a tag like 1, 1.21 or 1.21.0 selects this release.
selects(tag, release) if tag == release

selects(tag, release) if {
	regex.match(`^\d+\.\d+$`, tag)
	version(tag) == version(release)
}

selects(tag, release) if {
	regex.match(`^\d+$`, tag)
	version(tag)[0] == version(release)[0]
}

is_signed(image, frontend) if {
	image.tag in frontend.moving
	some signature in image.signatures
	docker_github_builder_signature(signature, frontend.repo)
}

is_signed(image, frontend) if {
	not image.tag in frontend.moving
	some signature in image.signatures
	docker_github_builder_signature(signature, frontend.repo)
	reference := signature.signer.sourceRepositoryRef
	release := trim_prefix(reference, frontend.prefix)
	release != reference
	endswith(image.tag, "-labs") == endswith(release, "-labs")
	selects(trim_suffix(image.tag, frontend.suffix), trim_suffix(release, frontend.suffix))
}

is_buildkit_moving(tag) if tag in buildkit_moving
is_buildkit_moving(tag) if regex.match(`^buildx-stable-\d+(?:-rootless|-gpu)?$`, tag)

# The release of a tag like v0.27.0-rootless, if it was signed.
buildkit_release(tag) := found[1] if {
	pattern := `^(v(\d+)\.(\d+)\.\d+(?:-rc\d+)?)(?:-rootless|-ubuntu)?$`
	found := regex.find_all_string_submatch_n(pattern, tag, 1)[0]
	[to_number(found[2]), to_number(found[3])] >= [0, 27]
}

is_buildkit_signed(image) if {
	is_buildkit_moving(image.tag)
	some signature in image.signatures
	docker_github_builder_signature(signature, "moby/buildkit")
}

is_buildkit_signed(image) if {
	wanted := sprintf("refs/tags/%s", [buildkit_release(image.tag)])
	some signature in image.signatures
	docker_github_builder_signature(signature, "moby/buildkit")
	signature.signer.sourceRepositoryRef == wanted
}

buildkit_needs_signature(tag) if is_buildkit_moving(tag)
buildkit_needs_signature(tag) if buildkit_release(tag)

unsigned if {
	frontend := frontends[input.image.fullRepo]
	needs_signature(input.image, frontend)
	not is_signed(input.image, frontend)
}

unsigned if {
	is_buildkit
	buildkit_needs_signature(input.image.tag)
	not is_buildkit_signed(input.image)
}

deny_msg contains message if {
	unsigned
	message := sprintf("image %s is not allowed by default policy: a verified docker-github-builder signature is required for %s tag", [input.image.ref, input.image.tag])
}

decision := {
	"allow": count(deny_msg) == 0,
	"deny_msg": deny_msg,
}
