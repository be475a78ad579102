use super::{super::yaml::documents, *};

fn run(first: &str, second: &str) -> Result<String, Diagnostic> {
    let map = |text| match documents("f", text).unwrap().remove(0).root.value {
        Value::Map(map) => map,
        other => panic!("{other:?} is no mapping"),
    };
    let mut base = map(first);
    merge(&mut base, map(second))?;
    Ok(Value::Map(base).to_string())
}

#[test]
fn builds_merge_by_key_and_text_is_their_context() {
    assert_eq!(
        run(
            "services: {s: {build: ./a}}",
            "services: {s: {build: {target: t}}}"
        )
        .unwrap(),
        "map[services:map[s:map[build:map[context:./a target:t]]]]"
    );
}

#[test]
fn arguments_become_a_list_in_order() {
    assert_eq!(
        run(
            "services: {s: {build: {args: {B: 1, A: }}}}",
            "services: {s: {build: {args: [C=2]}}}"
        )
        .unwrap(),
        "map[services:map[s:map[build:map[args:[A B=1 C=2]]]]]"
    );
}

#[test]
fn null_changes_nothing_and_a_list_cannot_become_text() {
    let lists = "services: {s: {cap_add: [a]}}";
    assert_eq!(
        run(lists, "services: {s: {cap_add: }}").unwrap(),
        "map[services:map[s:map[cap_add:[a]]]]"
    );
    assert_eq!(
        run(lists, "services: {s: {cap_add: x}}")
            .unwrap_err()
            .message,
        "services.s.cap_add is a list elsewhere, not text"
    );
}

#[test]
fn logging_options_merge_for_one_driver_only() {
    let first = "services: {s: {logging: {driver: a, options: {x: 1}}}}";
    assert_eq!(
        run(first, "services: {s: {logging: {driver: b}}}").unwrap(),
        "map[services:map[s:map[logging:map[driver:b]]]]"
    );
    assert_eq!(
        run(first, "services: {s: {logging: {options: {y: 2}}}}").unwrap(),
        "map[services:map[s:map[logging:map[driver:a options:map[x:1 y:2]]]]]"
    );
}

#[test]
fn hosts_and_pools_that_are_there_already_are_not_added() {
    let hosts = |list: &str| format!("services: {{s: {{extra_hosts: {list}}}}}");
    assert_eq!(
        run(&hosts("[a=1, b=2]"), &hosts("[b=2, c=3, c=3]")).unwrap(),
        "map[services:map[s:map[extra_hosts:[a=1 b=2 c=3 c=3]]]]"
    );
    let pools = |list: &str| format!("networks: {{n: {{ipam: {{config: {list}}}}}}}");
    assert_eq!(
        run(
            &pools("[{subnet: x, gateway: a}, {subnet: y}]"),
            &pools("[{subnet: z}, {subnet: x, gateway: b}, {subnet: z, gateway: c}]")
        )
        .unwrap(),
        "map[networks:map[n:map[ipam:map[config:[map[gateway:b subnet:x] map[subnet:y] \
         map[subnet:z]]]]]]"
    );
}
