package docker
allow if input.image.labels.x == "1"
allow if pin_image(input.image, "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
n := numbers.range(1, 5)
deny_msg contains sprintf("%s %5d", [input.image.ref, count(n)]) if not allow
decision := {"allow": allow, "deny_msg": deny_msg}
