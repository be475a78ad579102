use super::*;

fn line(text: &str) -> String {
    let process = Process::of_buildkit(text).unwrap().unwrap();
    format!("{} {}", process.program(), process.arguments().join(" "))
}

fn refused(text: &str) -> String {
    Process::of_buildkit(text).unwrap().unwrap_err().to_string()
}

#[test]
fn each_scheme_has_its_program() {
    for (address, expected) in [
        (
            "docker-container://bk",
            "docker exec -i bk buildctl dial-stdio",
        ),
        (
            "docker-container://bk?context=far",
            "docker --context=far exec -i bk buildctl dial-stdio",
        ),
        (
            "podman-container://bk",
            "podman exec -i bk buildctl dial-stdio",
        ),
        (
            "nerdctl-container://bk?namespace=n",
            "nerdctl --namespace=n exec -i bk buildctl dial-stdio",
        ),
        (
            "kube-pod://bk-0",
            "kubectl exec -i bk-0 -- buildctl dial-stdio",
        ),
        (
            "kube-pod://bk-0?context=me%40c&namespace=n&container=c",
            "kubectl --context=me@c --namespace=n exec --container=c -i bk-0 -- buildctl \
             dial-stdio",
        ),
        (
            "ssh://me@host:2222/run/b.sock",
            "ssh -T -o BatchMode=yes -o ConnectTimeout=30 -l me -p 2222 -- host buildctl \
             --addr unix:///run/b.sock dial-stdio",
        ),
        (
            "ssh://host",
            "ssh -T -o BatchMode=yes -o ConnectTimeout=30 -- host buildctl dial-stdio",
        ),
    ] {
        assert_eq!(line(address), expected);
    }
    let engine = Process::of_engine("docker://ssh://h/d.sock", "h/d.sock").unwrap();
    assert!(
        engine
            .arguments()
            .join(" ")
            .ends_with("-- h docker --host=unix:///d.sock system dial-stdio")
    );
}

#[test]
fn a_kubeconfig_is_in_the_environment() {
    let text = "kube-pod://bk?kubeconfig=%2Fmy%2Fa%3A%2Fb";
    let process = Process::of_buildkit(text).unwrap().unwrap();
    assert_eq!(process.variables(), [("KUBECONFIG", "/my/a:/b".to_owned())]);
    assert!(!process.arguments().join(" ").contains("/my"));
}

#[test]
fn what_a_shell_or_a_program_could_take_for_something_else_is_refused() {
    for text in [
        "docker-container://",
        "docker-container://-v",
        "docker-container://a;b",
        "docker-container://a?x=1",
        "kube-pod://A_b",
        "kube-pod://a?namespace=$(x)",
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://host/a b",
        "ssh://host/$(x)",
        "ssh://host?x",
        "ssh://host:0",
        "ssh://a:b@host",
        "podman-container://a?context=b",
    ] {
        refused(text);
    }
    assert!(!refused("ssh://me:secret@host").contains("secret"));
}
