use super::*;

fn parsed(text: &str) -> String {
    Platform::parse(text).unwrap().to_string()
}

#[test]
fn parse_resolves_aliases_and_keeps_given_variants() {
    assert_eq!(parsed("linux/x86_64"), "linux/amd64");
    assert_eq!(parsed("Linux/AARCH64"), "linux/arm64");
    assert_eq!(parsed("linux/arm"), "linux/arm");
    assert_eq!(parsed("linux/arm/v7"), "linux/arm/v7");
    assert_eq!(parsed("linux/arm/5"), "linux/arm/v5");
    assert_eq!(parsed("linux/arm64/v8"), "linux/arm64/v8");
    assert_eq!(parsed("linux/armel"), "linux/arm/v6");
    assert_eq!(parsed("macos/arm64"), "darwin/arm64");
    assert_eq!(parsed("s390x"), format!("{}/s390x", host_os()));
    assert_eq!(parsed("linux"), format!("linux/{}", host_architecture()));
}

#[test]
fn normalized_is_canonical() {
    let normalized = |text: &str| Platform::parse(text).unwrap().normalized().to_string();
    assert_eq!(normalized("linux/arm"), "linux/arm/v7");
    assert_eq!(normalized("linux/arm64/v8"), "linux/arm64");
    assert_eq!(normalized("linux/amd64/v1"), "linux/amd64");
    assert_eq!(normalized("linux/amd64/v3"), "linux/amd64/v3");
}

#[test]
fn os_version_and_features_round_trip() {
    let platform = Platform::parse("windows(10.0.17763+win32k)/amd64").unwrap();
    assert_eq!(platform.os_version, "10.0.17763");
    assert_eq!(platform.os_features, ["win32k"]);
    assert_eq!(platform.format_all(), "windows(10.0.17763+win32k)/amd64");
    assert_eq!(platform.to_string(), "windows/amd64");
}

#[test]
fn what_is_not_a_platform_is_rejected_with_an_example() {
    for text in [
        "",
        "linux/",
        "linux/amd64/v1/x",
        "lin ux/amd64",
        "linux/*",
        "nosuch",
        "windows(10/amd64",
        "linux(+)/a",
    ] {
        let error = Platform::parse(text).unwrap_err().to_string();
        assert!(error.contains("for example linux/amd64"), "{text}: {error}");
    }
}

#[test]
fn json_omits_what_is_empty() {
    let json = serde_json::to_string(&Platform::parse("linux/arm/v7").unwrap()).unwrap();
    assert_eq!(
        json,
        r#"{"architecture":"arm","os":"linux","variant":"v7"}"#
    );
}
