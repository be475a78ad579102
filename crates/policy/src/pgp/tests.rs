use super::*;
use crate::git_object::Object;

/// The fixtures were made with GnuPG 2.2; each signature is one of this text.
const TEXT: &[u8] = include_bytes!("fixtures/text");
/// After all signatures of the fixtures.
const NOW: u64 = 1_800_000_000;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name))
    };
}

fn ask(signature: &str, keys: &str) -> Result<(), PgpProblem> {
    verify(TEXT, signature, keys.as_bytes(), NOW)
}

#[test]
fn keys_verify_their_signatures() {
    for (name, signature, key) in [
        ("ed25519", fixture!("ed25519.sig"), fixture!("ed25519.pub")),
        ("p256", fixture!("p256.sig"), fixture!("p256.pub")),
        ("p384", fixture!("p384.sig"), fixture!("p384.pub")),
        ("rsa", fixture!("rsa.sig"), fixture!("rsa.pub")),
        ("subkey", fixture!("subkey.sig"), fixture!("subkey.pub")),
    ] {
        assert_eq!(ask(signature, key), Ok(()), "{name}");
        let other = verify(b"another text\n", signature, key.as_bytes(), NOW);
        assert_eq!(other, Err(PgpProblem::Wrong), "{name}");
        // Keys may follow each other in a file.
        let both = format!("{}\n{key}", fixture!("before.pub"));
        assert_eq!(ask(signature, &both), Ok(()), "{name}");
    }
}

#[test]
fn objects_of_git_verify() {
    let commit = Object::parse(include_bytes!("fixtures/commit")).expect("an object");
    let tag = Object::parse(include_bytes!("fixtures/tag")).expect("an object");
    for (object, key) in [
        (
            commit.commit().expect("a commit").signed,
            fixture!("ed25519.pub"),
        ),
        (tag.tag().expect("a tag").signed, fixture!("subkey.pub")),
    ] {
        let verify = |text: &str| verify(text.as_bytes(), &object.signature, key.as_bytes(), NOW);
        assert_eq!(verify(&object.text), Ok(()));
        let changed = object.text.replace("signed", "changed");
        assert_eq!(verify(&changed), Err(PgpProblem::Wrong));
    }
}

#[test]
fn the_reason_is_named() {
    let ed = fixture!("ed25519.sig");
    let rsa = fixture!("rsa.pub");
    for (expected, signature, keys) in [
        (PgpProblem::OtherKey, ed, rsa),
        (PgpProblem::NoKey, ed, ""),
        (PgpProblem::NoKey, ed, "ssh-ed25519 AAAA"),
        (
            PgpProblem::MalformedKey,
            ed,
            "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        ),
        (PgpProblem::Malformed, "-----BEGIN PGP SIGNATURE-----", rsa),
        (
            PgpProblem::Unsupported,
            fixture!("p521.sig"),
            fixture!("p521.pub"),
        ),
        (
            PgpProblem::Unsupported,
            fixture!("sha1.sig"),
            fixture!("ed25519.pub"),
        ),
        (
            PgpProblem::Revoked,
            fixture!("revoked.sig"),
            fixture!("revoked.pub"),
        ),
        (
            PgpProblem::NotValid,
            fixture!("ended.sig"),
            fixture!("ended.pub"),
        ),
    ] {
        assert_eq!(ask(signature, keys), Err(expected), "{signature}{keys}");
    }
    // What GnuPG knew before the keys were changed.
    assert_eq!(ask(fixture!("revoked.sig"), fixture!("before.pub")), Ok(()));
    assert_eq!(ask(fixture!("ended.sig"), fixture!("endless.pub")), Ok(()));
}

#[test]
fn a_revoked_key_stays_revoked_beside_an_older_copy() {
    let copies = [fixture!("before.pub"), fixture!("revoked.pub")];
    for keys in [copies.concat(), [copies[1], copies[0]].concat()] {
        assert_eq!(
            ask(fixture!("revoked.sig"), &keys),
            Err(PgpProblem::Revoked)
        );
    }
}

#[test]
fn a_signature_of_the_future_is_not_accepted() {
    let key = fixture!("ed25519.pub").as_bytes();
    let early = verify(TEXT, fixture!("ed25519.sig"), key, 1_700_000_000);
    assert_eq!(early, Err(PgpProblem::Future));
}

/// No change of a bit, and no cut, makes a key or signature valid that is another one. The length
/// of a number, the unhashed part and the checked bits of the hash may change without effect, so
/// only the content of the certified parts is changed here.
#[test]
fn damage_is_never_accepted() {
    let armor_of = |bytes: &[u8]| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        let kind = "PGP PUBLIC KEY BLOCK";
        format!("-----BEGIN {kind}-----\n\n{text}\n-----END {kind}-----\n")
    };
    for (signature, key) in [
        (fixture!("ed25519.sig"), fixture!("ed25519.pub")),
        (fixture!("subkey.sig"), fixture!("subkey.pub")),
    ] {
        let bytes = armor(key, "PGP PUBLIC KEY BLOCK").expect("an armor");
        assert_eq!(ask(signature, &armor_of(&bytes)), Ok(()));
        for end in 0..bytes.len() {
            assert!(ask(signature, &armor_of(&bytes[..end])).is_err(), "{end}");
        }
        let found = packets(&bytes).expect("packets");
        let mut start = 0;
        for packet in &found {
            let at = start
                + bytes[start..]
                    .windows(packet.body.len())
                    .position(|part| part == packet.body)
                    .expect("the packet's place");
            start = at + packet.body.len();
            // Only the hashed part of a signature; the last bytes are the number itself.
            let checked = match Signature::parse(packet.body) {
                Some(parsed) if packet.kind == Packet::SIGNATURE => parsed.hashed.len(),
                _ => packet.body.len(),
            };
            let mut changed: Vec<usize> = (at..at + checked).collect();
            changed.extend(start - 8..start);
            for place in changed {
                let mut bytes = bytes.clone();
                bytes[place] ^= 1;
                assert!(ask(signature, &armor_of(&bytes)).is_err(), "{place}");
            }
        }
    }
}

#[test]
fn garbage_is_an_error() {
    for length in 0..64_usize {
        for byte in [0, 1, 0x80, 0x99, 0xc2, 0xc6, 0xff] {
            let bytes = vec![byte; length];
            let _ = packets(&bytes);
            let parsed = Signature::parse(&bytes);
            assert!(parsed.is_none_or(|it| it.created().is_none()), "{bytes:?}");
        }
    }
}
