//! `WWW-Authenticate`: any text is parsed, Bearer precedes Basic, and a formatted challenge parses
//! to itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::registry::Challenge;

fuzz_target!(|text: &str| {
    for challenge in Challenge::parse(text) {
        let Challenge::Bearer {
            realm,
            service,
            scopes,
        } = &challenge
        else {
            continue;
        };
        assert!(!realm.is_empty());
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let quoted = |text: &str| format!("\"{}\"", escaped(text));
        let header = format!(
            "Basic realm=\"x\", bearer REALM={}, service={}\t,scope={}",
            quoted(realm),
            quoted(service),
            quoted(&scopes.join(" "))
        );
        assert_eq!(
            Challenge::parse(&header),
            [Challenge::Basic, challenge.clone()]
        );
    }
});
