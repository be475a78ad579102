use super::*;

#[test]
fn a_policy_file_is_read() {
    let json = r#"{"rules":[{"action":"CONVERT",
            "selector":{"identifier":"docker-image://docker.io/library/alpine:latest","matchType":"EXACT",
                "constraints":[{"key":"k","value":"v","condition":"NOTEQUAL"}]},
            "updates":{"identifier":"docker-image://docker.io/library/alpine@sha256:aa"}}]}"#;
    let policy: SourcePolicy = serde_json::from_str(json).unwrap();
    let rule = &policy.clone().into_proto().rules[0];
    assert_eq!(rule.action(), proto::PolicyAction::Convert);
    let selector = rule.selector.as_ref().unwrap();
    assert_eq!(selector.match_type(), proto::MatchType::Exact);
    assert_eq!(
        selector.constraints[0].condition(),
        proto::AttrMatch::Notequal
    );
    assert_eq!(
        serde_json::from_str::<SourcePolicy>(&serde_json::to_string(&policy).unwrap()).unwrap(),
        policy
    );
    assert_eq!(SourcePolicy::parse(json.as_bytes()).unwrap(), policy);
    let message = policy.clone().into_proto().encode_to_vec();
    assert_eq!(SourcePolicy::parse(&message).unwrap(), policy);
}

#[test]
fn what_the_daemon_would_not_know_is_refused() {
    for (json, part) in [
        (
            r#"{"rules":[{"action":"DENNY"}]}"#,
            "unknown variant `DENNY`, expected one of `ALLOW`",
        ),
        (
            r#"{"rules":[{"selector":{"identifer":"x"}}]}"#,
            "unknown field `identifer`, expected",
        ),
        (r#"{"rules":[{"action":"DENY"}]}"#, "rule 1 has no selector"),
        (
            r#"{"rules":[{"action":"CONVERT","selector":{"identifier":"x"}}]}"#,
            "rule 1 converts",
        ),
        ("\"x\"", "not a source policy"),
        ("", "not a source policy"),
        ("{", "line 1"),
        ("FROM x", "not a source policy"),
    ] {
        let error = SourcePolicy::parse(json.as_bytes()).unwrap_err();
        let text = crate::causes::in_one_line(&error);
        assert!(text.contains(part), "{json}: {text}");
    }
}
