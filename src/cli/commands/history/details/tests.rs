use super::*;

fn record(attributes: &[(&str, &str)]) -> BuildRecord {
    let mut record = BuildRecord::default();
    let pairs = attributes.iter();
    record.attributes = pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    record
}

#[test]
fn attributes_are_shown_under_their_names() {
    let record = record(&[
        ("add-hosts", "a=1.2.3.4,b=5.6.7.8"),
        ("build-arg:A", "b"),
        ("build-arg:SOURCE_DATE_EPOCH", "7"),
        ("cmdline", "x"),
        ("force-network-mode", "host"),
        ("label:made", "here"),
        ("memory", "0"),
        ("multi-platform", "true"),
        ("no-cache", ""),
        ("platform", "linux/arm64/v8,linux/amd64"),
    ]);
    assert_eq!(
        config(&record),
        json!({
            "Network": "host",
            "ExtraHosts": ["a=1.2.3.4", "b=5.6.7.8"],
            "Memory": "0",
            "MultiPlatform": true,
            "NoCache": true,
            "SourceDateEpoch": "7",
            "RestRaw": [{"Name": "cmdline", "Value": "x"}],
        })
    );
    assert_eq!(
        pairs(&record, "build-arg:"),
        json!([
            {"Name": "A", "Value": "b"},
            {"Name": "SOURCE_DATE_EPOCH", "Value": "7"},
        ])
    );
    assert_eq!(
        platforms(&record.attributes["platform"]),
        json!(["linux/arm64", "linux/amd64"])
    );
}

#[test]
fn paths_are_relative_to_the_folder_that_has_them() {
    let folder = Path::new("/home/me");
    assert_eq!(beneath("/home/me/app", folder), "app");
    assert_eq!(beneath("/home/me", folder), ".");
    assert_eq!(beneath("/home/you", folder), "/home/you");
    assert_eq!(beneath("-", folder), "-");
}
