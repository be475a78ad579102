use super::*;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let id: String = Sha256::digest("far")
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let meta = folder.path().join("contexts/meta").join(&id);
    fs::create_dir_all(&meta).unwrap();
    let text = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":false}}}"#;
    fs::write(meta.join("meta.json"), text).unwrap();
    let tls = folder.path().join("contexts/tls").join(&id).join("docker");
    fs::create_dir_all(&tls).unwrap();
    fs::write(tls.join("ca.pem"), "").unwrap();
    fs::write(
        folder.path().join("config.json"),
        r#"{"currentContext":"far"}"#,
    )
    .unwrap();
    folder
}

fn contexts(host: Option<&str>, context: Option<&str>) -> (tempfile::TempDir, Contexts) {
    let folder = folder();
    let path = Some(folder.path().to_owned());
    let contexts = Contexts::new(path, host.map(Into::into), context.map(Into::into));
    (folder, contexts.unwrap())
}

#[test]
fn the_docker_host_wins_over_a_chosen_context() {
    assert_eq!(
        contexts(Some("unix:///x.sock"), Some("far")).1.key(),
        "unix:///x.sock"
    );
    assert_eq!(contexts(None, Some("default")).1.key(), DOCKER_ENGINE);
    assert_eq!(contexts(None, None).1.key(), "far");
}

#[test]
fn a_context_whose_name_has_control_characters_is_not_listed() {
    let (folder, contexts) = contexts(None, None);
    let meta = folder.path().join("contexts/meta/odd");
    fs::create_dir(&meta).unwrap();
    let text = r#"{"Name":"o\nd\u001bd","Endpoints":{"docker":{"Host":"tcp://a\nb:1"}}}"#;
    fs::write(meta.join("meta.json"), text).unwrap();
    assert_eq!(contexts.names(), ["default", "far"]);
    let error = contexts.connect_options("o\nd\u{1b}d").unwrap_err();
    assert!(
        !crate::causes::in_one_line(&error).contains(is_unprintable),
        "{error}"
    );
}

#[test]
fn a_context_brings_its_address_and_certificates() {
    let (_folder, contexts) = contexts(None, None);
    assert_eq!(contexts.names(), ["default", "far"]);
    let options = contexts.connect_options("far").unwrap();
    assert_eq!(options.address.to_string(), "docker://far:2376");
    assert!(options.tls.unwrap().ca.is_some());
    let options = contexts.connect_options("default").unwrap();
    assert_eq!(options.address.to_string(), "docker:///var/run/docker.sock");
    let error = contexts.connect_options("near").unwrap_err();
    assert!(error.to_string().contains("near"), "{error}");
    let options = contexts.connect_options("unix:///y.sock").unwrap();
    assert_eq!(options.address.to_string(), "docker:///y.sock");
}

#[test]
fn an_engine_gets_the_headers_of_the_configuration_or_those_given() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    fs::write(&config, r#"{"HttpHeaders":{"X-Token":"a"}}"#).unwrap();
    let contexts = |host: Option<&str>| {
        Contexts::new(Some(folder.path().to_owned()), host.map(Into::into), None).unwrap()
    };
    let token = |value| EngineHeaders::new([("x-token", value)]).unwrap();
    for contexts in [contexts(None), contexts(Some("unix:///x.sock"))] {
        let options = contexts.connect_options("default").unwrap();
        assert_eq!(options.engine_headers, token("a"));
        let given = contexts.with_engine_headers(token("b"));
        let options = given.connect_options("unix:///y.sock").unwrap();
        assert_eq!(options.engine_headers, token("b"));
    }
    fs::write(&config, r#"{"HttpHeaders":{"X Token":"secret"}}"#).unwrap();
    let error = contexts(None).connect_options("default").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use HttpHeaders in the docker CLI's config.json"
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "\"X Token\" cannot be the name of a header");
}
