use super::*;

fn to(text: &str) -> Result<Vec<CacheEntry>, String> {
    parse_cache(text, CacheDirection::To).map_err(|error| crate::causes::in_one_line(&error))
}

#[test]
fn names_alone_are_registry_caches() {
    let both = parse_cache("a/b:1,c/d", CacheDirection::From).unwrap();
    assert_eq!(both.len(), 2);
    assert_eq!(both[1].kind, "registry");
    assert_eq!(both[1].attrs["ref"], "c/d");
}

#[test]
fn attributes_are_kept() {
    let cache = &to("type=registry,ref=a/b,mode=max,Compression=zstd").unwrap()[0];
    assert_eq!(cache.attrs["mode"], "max");
    assert_eq!(cache.attrs["compression"], "zstd");
}

#[test]
fn mistakes_name_what_there_is() {
    for (text, part) in [
        ("ref=x", "type= is missing"),
        ("type=registry", "ref= is missing"),
        ("type=regestry,ref=x", "the types are registry, local"),
        ("type=registry,x", "not key=value"),
        ("type=local,mode=max", "dest= is missing"),
        ("type=local,src=x", "dest= is missing"),
        ("type=local,dest=x,tag=", "tag= is empty"),
        ("type=local,dest=x,reset=all", "neither true nor false"),
        (
            "type=registry,ref=x,on-failure=yes",
            "neither true nor false",
        ),
    ] {
        let error = to(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
        assert!(error.contains("cache to export"), "{error}");
    }
}

#[test]
fn a_local_cache_is_a_folder() {
    assert_eq!(
        to("type=local,dest=x,tag=v1").unwrap()[0].attrs["dest"],
        "x"
    );
    let from = |text: &str| parse_cache(text, CacheDirection::From);
    assert_eq!(from("type=local,src=x").unwrap()[0].kind, "local");
    let wrong = from("type=local,src=x,digest=../y").unwrap_err();
    let wrong = crate::causes::in_one_line(&wrong);
    assert!(wrong.contains("invalid digest"), "{wrong}");
}

#[test]
fn tokens_are_not_repeated() {
    let error = to("type=gha,token=abcdef,x").unwrap_err();
    assert!(!error.contains("abcdef"), "{error}");
}
