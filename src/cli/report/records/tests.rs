use super::*;

fn parse(given: &[&str]) -> Filters {
    let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
    Filters::parse(&given, Identity::Solvekit).unwrap()
}

#[test]
fn filters_become_the_daemon_s_expressions() {
    let filters = parse(&[
        "until=1h30m",
        "type=regular",
        "id=abc",
        "description~=RUN",
        "shared",
    ]);
    assert_eq!(filters.unused_for, Duration::from_secs(5400));
    assert_eq!(
        filters.expressions,
        ["type==regular,id~=abc,description~=RUN,shared"]
    );
    assert_eq!(parse(&["unused-for=2s"]).unused_for.as_secs(), 2);
    assert_eq!(parse(&["type!=regular"]).expressions, ["type!=regular"]);
    assert_eq!(parse(&["type==regular"]).expressions, ["type==regular"]);
    assert!(parse(&[]).expressions.is_empty());
}

#[test]
fn wrong_filters_are_named() {
    for given in [
        vec!["until=soon"],
        vec!["until"],
        vec!["=x"],
        vec!["until=1h", "unused-for=1h"],
        vec!["type=a", "type=b"],
        vec!["kind=regular"],
        vec!["descripton~=apt"],
        vec!["shared=true"],
        vec!["colour"],
    ] {
        let given: Vec<String> = given.into_iter().map(str::to_owned).collect();
        let message = Filters::parse(&given, Identity::Solvekit)
            .unwrap_err()
            .into_message();
        assert!(message.contains(given.last().unwrap()), "{message}");
    }
}

#[test]
fn sizes_have_four_digits() {
    for (bytes, text) in [
        (0, "0B"),
        (999, "999B"),
        (1_000, "1kB"),
        (1_234, "1.234kB"),
        (12_345_678, "12.35MB"),
        (999_960_000, "1000MB"),
        (5_000_000_000, "5GB"),
    ] {
        assert_eq!(size(bytes), text);
    }
}

#[test]
fn ages_are_rough() {
    for (seconds, text) in [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (100_000, "28 hours"),
        (86_400 * 13, "13 days"),
        (86_400 * 30, "4 weeks"),
        (86_400 * 100, "3 months"),
        (86_400 * 1000, "2 years"),
    ] {
        assert_eq!(age(Duration::from_secs(seconds)), text);
    }
}
