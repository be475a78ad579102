use super::*;
use crate::git_object::Object;

const OBJECT: &[u8] = include_bytes!("fixtures/object");
const COMMIT: &[u8] = include_bytes!("fixtures/commit");
const TAG: &[u8] = include_bytes!("fixtures/tag");
const ED25519: &str = include_str!("fixtures/ed25519.pub");
const RSA: &str = include_str!("fixtures/rsab2048.pub");

/// Made with ssh-keygen -Y sign -n git.
const SIGNATURES: [(&str, &str); 4] = [
    (ED25519, include_str!("fixtures/ed25519.sig")),
    (
        include_str!("fixtures/ecdsab256.pub"),
        include_str!("fixtures/ecdsab256.sig"),
    ),
    (
        include_str!("fixtures/ecdsab384.pub"),
        include_str!("fixtures/ecdsab384.sig"),
    ),
    (RSA, include_str!("fixtures/rsab2048.sig")),
];

fn check_object(signature: &str, key: &str) -> Result<(), SshProblem> {
    verify(OBJECT, signature, key.as_bytes())
}

#[test]
fn signatures_hold_for_their_key_and_object_alone() {
    for (key, signature) in SIGNATURES {
        assert_eq!(check_object(signature, key), Ok(()), "{key}");
        let (_, other) = OBJECT.split_first().expect("it is long");
        let changed = verify(other, signature, key.as_bytes());
        assert_eq!(changed, Err(SshProblem::Wrong), "{key}");
        let of_other = SIGNATURES.iter().find(|(other, _)| *other != key);
        let (other, _) = of_other.expect("several");
        let result = check_object(signature, other);
        assert_eq!(result, Err(SshProblem::OtherKey), "{key}");
    }
}

#[test]
fn each_changed_byte_of_a_signature_is_noticed() {
    for (key, signature) in SIGNATURES {
        let bytes = armor(signature, "SSH SIGNATURE").expect("an armor");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let text = STANDARD.encode(&changed);
            let text =
                format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n");
            assert!(check_object(&text, key).is_err(), "{key} {at}");
            let text = STANDARD.encode(&bytes[..at]);
            let text =
                format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n");
            let cut = check_object(&text, key);
            assert_eq!(cut, Err(SshProblem::Malformed), "{key} {at}");
        }
    }
}

#[test]
fn what_is_not_for_git_or_of_an_unknown_kind_is_distinguished() {
    let file = check_object(include_str!("fixtures/file.sig"), ED25519);
    assert_eq!(file, Err(SshProblem::Namespace));
    let unsupported = check_object(
        include_str!("fixtures/ecdsab521.sig"),
        include_str!("fixtures/ecdsab521.pub"),
    );
    assert_eq!(unsupported, Err(SshProblem::Unsupported));
    let (_, signature) = SIGNATURES[0];
    assert_eq!(check_object(signature, "# none\n"), Err(SshProblem::NoKey));
    assert_eq!(check_object("", ED25519), Err(SshProblem::Malformed));
    // Options come before the key, a comment after it; only the first key is used.
    let line = format!(
        "# keys\n\nnamespaces=\"git\" {} me@here\n{RSA}",
        ED25519.trim()
    );
    assert_eq!(check_object(signature, &line), Ok(()));
    let other_first = format!("{RSA}{ED25519}");
    let refused = check_object(signature, &other_first);
    assert_eq!(refused, Err(SshProblem::OtherKey));
}

#[test]
fn commits_and_tags_as_git_signs_them_are_verified() {
    for raw in [COMMIT, TAG] {
        let object = Object::parse(raw).expect("an object");
        let verify = |text: &str| verify(text.as_bytes(), &object.signature, ED25519.as_bytes());
        assert_eq!(verify(&object.signed), Ok(()));
        let changed = object.signed.replace("signed", "changed");
        assert_eq!(verify(&changed), Err(SshProblem::Wrong));
    }
}
