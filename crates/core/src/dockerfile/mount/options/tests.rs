use super::*;

fn parse(text: &str) -> Result<Mount, MountError> {
    parse_mount(text, &mut |value| Ok(value.replace("$v", "value")))
}

#[test]
fn each_type_has_its_defaults() {
    let bind = parse("target=/x,from=$v,SRC=a").unwrap();
    assert_eq!(
        (
            bind.kind,
            bind.read_only,
            bind.from.as_deref(),
            bind.source.as_str()
        ),
        (MountType::Bind, true, Some("value"), "a")
    );
    assert!(!parse("type=cache,target=/x").unwrap().read_only);
    assert!(!parse("type=tmpfs,target=/x").unwrap().read_only);
    assert!(parse("type=tmpfs,target=/x,ro").unwrap().read_only);
    assert!(!parse("rw,target=/x").unwrap().read_only);
    assert!(!parse("readonly=false,target=/x").unwrap().read_only);
    let secret = parse("type=secret,id=a,required,env=,mode=0440,uid=1").unwrap();
    assert_eq!(
        (
            secret.required,
            secret.env.as_deref(),
            secret.mode,
            secret.uid
        ),
        (true, Some(""), Some(0o440), Some(1))
    );
}

#[test]
fn wrong_options_are_rejected() {
    use MountError::*;
    assert!(matches!(parse(""), Err(List { .. })));
    assert!(matches!(parse("a\"b"), Err(List { .. })));
    assert!(matches!(parse("target"), Err(NoValue { .. })));
    assert!(matches!(
        parse("form=x"),
        Err(UnknownKey {
            nearest: Some("from"),
            ..
        })
    ));
    assert!(matches!(
        parse("type=cach"),
        Err(UnknownType {
            nearest: Some("cache"),
            ..
        })
    ));
    assert!(matches!(
        parse("type=cache,sharing=x"),
        Err(UnknownSharing { .. })
    ));
    assert!(matches!(
        parse("sharing=shared"),
        Err(KeyOfOtherType { key: "sharing", .. })
    ));
    assert!(matches!(
        parse("required,type=secret,id=a"),
        Err(KeyOfOtherType {
            key: "required",
            ..
        })
    ));
    assert!(matches!(
        parse("size=1"),
        Err(KeyOfOtherType { key: "size", .. })
    ));
    assert!(matches!(
        parse("uid=1"),
        Err(KeyOfOtherType { key: "uid", .. })
    ));
    assert!(matches!(
        parse("type=cache,uid=+1"),
        Err(Value { key: "uid", .. })
    ));
    assert!(matches!(
        parse("type=cache,mode=8"),
        Err(Value { key: "mode", .. })
    ));
    assert!(matches!(
        parse("ro=maybe"),
        Err(Value {
            key: "readonly",
            ..
        })
    ));
    assert_eq!(parse("type=secret"), Err(SecretWithoutName));
    assert_eq!(parse("type=secret,id=a,src=b"), Err(SecretWithTwoNames));
    assert!(matches!(
        parse("type=secret,id=a,from=b"),
        Err(KeyOfOtherType { key: "from", .. })
    ));
}

#[test]
fn from_is_known_before_expansion() {
    assert_eq!(
        mount_from("type=$t,FROM=base,x").unwrap().as_deref(),
        Some("base")
    );
    assert_eq!(mount_from("from=").unwrap(), None);
    assert_eq!(mount_from("from=a$").unwrap().as_deref(), Some("a$"));
    assert!(matches!(
        mount_from("from=$a"),
        Err(MountError::FromVariable { .. })
    ));
}
