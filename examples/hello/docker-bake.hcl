# Two images for two platforms; the second is made of the first.

group "default" {
  targets = ["hello", "shout"]
}

target "hello" {
  context   = "examples/hello"
  platforms = ["linux/amd64", "linux/arm64"]
}

target "shout" {
  inherits          = ["hello"]
  contexts          = { hello = "target:hello" }
  dockerfile-inline = <<EOT
FROM hello
RUN tr a-z A-Z < /os.txt > /shout.txt
EOT
}
