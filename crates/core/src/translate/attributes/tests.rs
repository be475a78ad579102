use super::*;
use crate::llb::HostIp;

fn read(pairs: &[(&str, &str)]) -> Result<Attributes, AttributeError> {
    let given = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Attributes::read(&given, "session")
}

#[test]
fn attributes_become_options() {
    let read = read(&[
        ("platform", "linux/arm64/v8,linux/amd64"),
        ("add-hosts", "A=1.2.3.4,b=::FFFF:1.2.3.4"),
        ("ulimit", "nofile=1024:2048,nproc=-1"),
        ("no-cache", "a,B"),
        ("build-arg:A", "1"),
        ("memswap", "-1"),
        ("cpusetcpus", "0-3, 5"),
        ("context:x", "local:y"),
        ("local-sessionid:y", "other"),
    ]);
    let Attributes {
        options, platforms, ..
    } = read.unwrap();
    assert_eq!(
        platforms
            .iter()
            .map(Platform::to_string)
            .collect::<Vec<_>>(),
        ["linux/arm64", "linux/amd64"]
    );
    assert!(options.multi_platform);
    assert_eq!(
        options.extra_hosts[1],
        HostIp {
            host: "b".into(),
            ip: "1.2.3.4".into()
        }
    );
    assert_eq!(options.ulimits[1].hard, -1);
    assert!(options.no_cache.covers(Some("b")) && !options.no_cache.covers(None));
    assert_eq!(options.linux_resources.unwrap().memory_swap, -1);
    let NamedContext::Local(local) = &options.contexts["x"] else {
        panic!()
    };
    assert_eq!(local.session_id.as_deref(), Some("other"));
}

#[test]
fn what_buildkit_removed_is_refused() {
    const FILEOP: &str = "build-arg:BUILDKIT_DISABLE_FILEOP";
    for (name, value) in [(FILEOP, "1"), (FILEOP, "t"), ("override-copy-image", "x")] {
        let refused = read(&[("platform", "bad/"), (name, value)]).unwrap_err();
        assert!(
            matches!(refused, AttributeError::Removed { .. }),
            "{name}={value}: {refused}"
        );
    }
    for (name, value) in [
        (FILEOP, "0"),
        (FILEOP, "yes"),
        (FILEOP, ""),
        ("override-copy-image", ""),
    ] {
        assert!(read(&[(name, value)]).is_ok(), "{name}={value}");
    }
}

#[test]
fn wrong_values_are_refused() {
    for (name, value) in [
        ("platform", "bad/"),
        ("force-network-mode", "bad"),
        ("add-hosts", "a=b"),
        ("add-hosts", "a"),
        ("ulimit", "foo=1"),
        ("ulimit", "nofile=2:1"),
        ("ulimit", "nofile=1:2:3"),
        ("shm-size", "1m"),
        ("memory", "0"),
        ("cpushares", "-1"),
        ("cpuperiod", "+1"),
        ("cpusetmems", "3-1"),
        ("image-resolve-mode", "x"),
        ("multi-platform", "x"),
        ("cache-imports", "x"),
        ("attest:x", ""),
        ("build-arg:BUILDKIT_DOCKERFILE_CHECK", "x"),
    ] {
        assert!(read(&[(name, value)]).is_err(), "{name}={value}");
    }
    let both = [
        ("platform", "linux/arm64,linux/amd64"),
        ("multi-platform", "false"),
    ];
    assert_eq!(read(&both).unwrap_err(), AttributeError::SeveralPlatforms);
}
