package names

is_official(image) if {
	image.host == "docker.io"
	not contains(image.repo, "/")
}

is_forbidden(image) if image.repo in {"nginx", "php"}
