package docker

# Functions that every policy has, with buildx's names.

# True if Docker's builder on GitHub built the image from this repository ("owner/name").
docker_github_builder(image, repo) if {
	image.hasProvenance
	some signature in image.signatures
	docker_github_builder_signature(signature, repo)
}

# The same, from this tag.
docker_github_builder_tag(image, repo, tag) if {
	docker_github_builder(image, repo)
	wanted := sprintf("refs/tags/%s", [tag])
	some signature in image.signatures
	signature.signer.sourceRepositoryRef == wanted
}

docker_github_builder_signature(signature, repo) if {
	signature.kind == "docker-github-builder"
	signature.type == "bundle-v0.3"
	signer := signature.signer
	signer.certificateIssuer == "CN=sigstore-intermediate,O=sigstore.dev"
	signer.issuer == "https://token.actions.githubusercontent.com"
	signer.runnerEnvironment == "github-hosted"
	signer.sourceRepositoryURI == concat("/", ["https://github.com", repo])
	count(signature.timestamps) > 0
}

# True if this file has an attestation of Docker's builder for the download, from this repository.
docker_github_builder_bundle(http, filename, repo) if {
	docker_github_builder_signature(artifact_attestation(http, filename), repo)
}

# GitHub's attestation for a file of a release.
github_release_attestation(http) := attestation if {
	http.schema == "https"
	lower(http.host) == "github.com"
	parts := split(http.path, "/")
	count(parts) > 6
	parts[0] == ""
	parts[1] != ""
	parts[2] != ""
	array.slice(parts, 3, 5) == ["releases", "download"]
	parts[5] != ""
	trim_prefix(http.path, concat("/", array.slice(parts, 0, 6))) != "/"
	attestation := github_attestation(http, concat("/", array.slice(parts, 1, 3)))
}
