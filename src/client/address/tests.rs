use super::super::ConnectProblem;
use super::*;

fn parsed(text: &str) -> String {
    Address::parse(text).unwrap().to_string()
}

fn refused(text: &str) -> String {
    Address::parse(text).unwrap_err().to_string()
}

#[test]
fn every_form_is_printed_as_it_was_written() {
    for text in [
        "unix:///run/buildkit/buildkitd.sock",
        "tcp://buildkitd:1234",
        "tcp://[::1]:1234",
        "docker://",
        "docker:///tmp/docker.sock",
        "docker://engine:2375",
        "docker://[fe80::1]:2375",
        "docker://ssh://me@engine",
        "kube-pod://buildkitd-0?namespace=build",
        "ssh://me@host:2222/run/b.sock",
    ] {
        assert_eq!(parsed(text), text);
    }
}

#[test]
fn messages_name_a_pod_without_the_query_of_its_address() {
    let in_words = |text: &str| Address::parse(text).unwrap().in_words();
    assert_eq!(
        in_words(
            "kube-pod://b0-1?container=buildkitd&namespace=ci&context=arn%3Aaws%3Ax&kubeconfig=%2Fk"
        ),
        "the pod b0-1 (namespace ci, context arn:aws:x)"
    );
    assert_eq!(in_words("kube-pod://b0-1"), "the pod b0-1");
    assert_eq!(in_words("ssh://me@host"), "ssh://me@host");
    let error = Error::Connect {
        address: Address::parse("kube-pod://b0-1?kubeconfig=%2Fk").unwrap(),
        source: Box::new(ConnectProblem::TlsRequired),
    };
    assert_eq!(
        error.to_string(),
        "cannot connect to BuildKit at the pod b0-1"
    );
}

#[test]
fn an_address_with_control_characters_is_quoted_with_escapes() {
    for text in [
        "a\nb",
        "tcp://a\nb",
        "tcp://a\rb:1",
        "http://\n",
        "unix:///run/\u{1b}[2J",
        "docker://a\u{202e}b:1",
    ] {
        let error = refused(text);
        assert!(error.ends_with("it has control characters"), "{error:?}");
        assert!(!error.contains(is_unprintable), "{error:?}");
    }
    let pod = Address::parse("kube-pod://b0?context=a%0Ab%1B").unwrap();
    assert_eq!(pod.in_words(), "the pod b0 (context a b)");
}

#[test]
fn docker_takes_a_docker_host_too() {
    assert_eq!(
        parsed("docker://unix:///tmp/d.sock"),
        "docker:///tmp/d.sock"
    );
    assert_eq!(parsed("docker://tcp://engine"), "docker://engine:2375");
    let host = |value| {
        Address::Docker(None)
            .with_docker_host(value)
            .unwrap()
            .to_string()
    };
    assert_eq!(host(Some("unix:///x.sock")), "docker:///x.sock");
    assert_eq!(host(Some("")), "docker://");
    assert_eq!(host(None), "docker://");
}

#[test]
fn mistakes_are_reported_with_the_right_form() {
    assert!(refused("tcp://host").contains("tcp://host:1234"));
    assert!(refused("/run/b.sock").contains("unix:///run/b.sock"));
    assert!(refused("host:1234").contains("tcp://host:1234"));
    assert!(refused("unix://b.sock").contains("absolute path"));
    assert!(refused("https://host:1234").contains("tcp://host:1234"));
    assert!(refused("tcp://::1:1234").contains("brackets"));
    assert!(refused("tcp://host:99999").contains("99999"));
    assert!(refused("kube-pod://X").contains("pod"));
    assert!(refused("npipe://x").contains("npipe"));
    assert!(refused("docker://npipe://x").contains("docker://npipe"));
}

#[test]
fn a_password_in_an_address_is_not_printed() {
    for text in [
        "tcp://me:secret@host:1234",
        "gopher://me:secret@host",
        "me:secret@host",
    ] {
        assert!(!refused(text).contains("secret"), "{text}");
    }
}
