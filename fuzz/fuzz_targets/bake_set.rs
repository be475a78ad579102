//! Values of `--set` and `--var`, one per line, for a file that sets every attribute.

#![no_main]

mod bake;

use libfuzzer_sys::fuzz_target;

const FILE: &str = r#"
variable "TAG" { default = "latest" }
variable "COUNT" { default = 1 }
variable "LIST" { type = list(string) }
variable "SHAPE" { type = object({ a = number, b = optional(list(string)) }) }
group "default" { targets = ["app", "web"] }
target "base" {
  args = { A = "${TAG}", B = COUNT }
  labels = { l = "x" }
  tags = ["base:${TAG}"]
}
target "app" {
  inherits = ["base"]
  context = "."
  contexts = { base = "target:base" }
  cache-from = ["type=gha"]
  cache-to = ["type=inline"]
  secret = ["id=s,env=S"]
  ssh = ["default"]
  output = ["type=image,name=x"]
  platforms = ["linux/amd64"]
  attest = ["type=sbom"]
  annotations = ["index:a=b"]
  ulimits = ["nofile=1:2"]
  extra-hosts = { h = "1.2.3.4" }
}
target "web" {
  matrix = { v = ["1", "2"] }
  name = "web-${v}"
  no-cache-filter = ["x"]
}
"#;

fuzz_target!(|text: &str| {
    let mut environment = bake::environment();
    let mut set = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("--var ") {
            Some(variable) => {
                let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
                environment
                    .overrides
                    .insert(name.to_owned(), value.to_owned());
            }
            None => set.push(line.to_owned()),
        }
    }
    if let Some(evaluation) = bake::evaluate("docker-bake.hcl", FILE.as_bytes(), &environment) {
        bake::plan(&evaluation, &set, &environment);
    }
});
