use super::{super::yaml::documents, *};

fn run(text: &str) -> Result<String, Diagnostic> {
    let mut root = documents("f", text).unwrap().remove(0).root;
    canonical(root.as_map_mut().unwrap())?;
    Ok(root.value.to_string())
}

fn service(text: &str) -> Result<String, Diagnostic> {
    let shown = run(&format!("services: {{s: {{{text}}}}}"))?;
    let inner = shown.strip_prefix("map[services:map[s:map[").unwrap();
    Ok(inner.strip_suffix("]]]").unwrap().to_owned())
}

#[test]
fn short_forms_become_long() {
    assert_eq!(service("build: ./x").unwrap(), "build:map[context:./x]");
    assert_eq!(
        service("env_file: a").unwrap(),
        "env_file:[map[path:a required:true]]"
    );
    assert_eq!(
        service("build: {ssh: [default, a=b], secrets: [x], provenance: false}").unwrap(),
        "build:map[provenance:false secrets:[map[source:x]] ssh:map[a:b default:<nil>]]"
    );
    assert_eq!(
        service("build: {additional_contexts: [a=b, c=]}").unwrap(),
        "build:map[additional_contexts:map[a:b c:]]"
    );
    assert_eq!(service("networks: [a]").unwrap(), "networks:map[a:<nil>]");
    assert_eq!(
        run("secrets: {a: {external: {name: b}}}").unwrap(),
        "map[secrets:map[a:map[external:true name:b]]]"
    );
}

#[test]
fn mistakes_anywhere_in_the_file_are_refused() {
    for (text, message) in [
        (
            "build: 5",
            "services.s.build must be a folder or a mapping, not a number",
        ),
        (
            "build:",
            "services.s.build must be a folder or a mapping, not null",
        ),
        (
            "ports: ['bad:port:1']",
            "services.s.ports: \"bad\" is not an IP address",
        ),
        ("ports: 80", "services.s.ports must be a list, not a number"),
        (
            "volumes: ['aa::b']",
            "services.s.volumes.[]: nothing stands between two colons",
        ),
        (
            "depends_on: {x: }",
            "services.s.depends_on.x must be a mapping, not null",
        ),
        (
            "build: {ssh: [x]}",
            "services.s.build.ssh: \"x\" must be default or have the form ID=PATH",
        ),
        (
            "build: {additional_contexts: [x]}",
            "services.s.build.additional_contexts: \"x\" must have the form NAME=VALUE",
        ),
        (
            "build: {ulimits: {nofile: '5'}}",
            "services.s.build.ulimits.nofile must be a whole number or a mapping, not text",
        ),
    ] {
        assert_eq!(service(text).unwrap_err().message, message, "{text}");
    }
    assert!(run("secrets: {a: {name: a, external: {name: b}}}").is_err());
    assert!(run("volumes: {a: text}").is_err());
}
