use super::*;

fn request(kind: u8, parts: &[&[u8]], flags: Option<u32>) -> Vec<u8> {
    let mut body = vec![kind];
    parts.iter().for_each(|part| put_string(&mut body, part));
    if let Some(flags) = flags {
        body.put_u32(flags);
    }
    let mut framed = Vec::new();
    put_string(&mut framed, &body);
    framed
}

fn read(name: &str) -> Result<Keys, (PathBuf, KeyError)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ssh");
    Keys::read(&[folder.join(name)])
}

/// Parses the algorithm and the signature of an answer.
fn signed(answer: &[u8]) -> (String, Vec<u8>) {
    assert_eq!(answer[4], message::SIGNATURE, "{answer:?}");
    let mut rest = &answer[5..];
    let mut signature = take_string(&mut rest).unwrap();
    assert!(rest.is_empty());
    let name = take_string(&mut signature).unwrap();
    let blob = take_string(&mut signature).unwrap();
    assert!(signature.is_empty());
    (String::from_utf8(name.to_vec()).unwrap(), blob.to_vec())
}

#[test]
fn keys_are_listed_without_their_files() {
    let keys = read("ed25519").unwrap();
    let answer = keys.answer(&request(message::REQUEST_IDENTITIES, &[], None));
    assert_eq!(&answer[4..9], [message::IDENTITIES, 0, 0, 0, 1]);
    let mut rest = &answer[9..];
    assert_eq!(take_string(&mut rest).unwrap(), keys.keys[0].public);
    assert_eq!(take_string(&mut rest).unwrap(), b"");
}

#[test]
fn signatures_are_verified_by_the_public_key() {
    let keys = read("ed25519").unwrap();
    let public = keys.keys[0].public.clone();
    let answer = keys.answer(&request(
        message::SIGN_REQUEST,
        &[&public, b"data"],
        Some(0),
    ));
    let (name, blob) = signed(&answer);
    assert_eq!(name, "ssh-ed25519");
    let point = &public[public.len() - 32..];
    signature::UnparsedPublicKey::new(&signature::ED25519, point)
        .verify(b"data", &blob)
        .unwrap();
}

#[test]
fn rsa_signs_with_the_hash_that_is_asked_for() {
    let keys = read("rsa").unwrap();
    let public = keys.keys[0].public.clone();
    let Pair::Rsa(pair) = &keys.keys[0].pair else {
        panic!("no RSA key");
    };
    for (flags, name, algorithm) in [
        (2, "rsa-sha2-256", &signature::RSA_PKCS1_2048_8192_SHA256),
        (4, "rsa-sha2-512", &signature::RSA_PKCS1_2048_8192_SHA512),
    ] {
        let answer = keys.answer(&request(
            message::SIGN_REQUEST,
            &[&public, b"data"],
            Some(flags),
        ));
        let (made, blob) = signed(&answer);
        assert_eq!(made, name);
        signature::UnparsedPublicKey::new(algorithm, pair.public())
            .verify(b"data", &blob)
            .unwrap();
    }
}

#[test]
fn ecdsa_signatures_are_two_numbers() {
    let keys = read("ecdsa").unwrap();
    let public = keys.keys[0].public.clone();
    let point = &public[public.len() - 65..];
    // Some of these rounds have a leading zero or a set high bit.
    for round in 0..64_u8 {
        let answer = keys.answer(&request(
            message::SIGN_REQUEST,
            &[&public, &[round]],
            Some(0),
        ));
        let (name, blob) = signed(&answer);
        assert_eq!(name, "ecdsa-sha2-nistp256");
        let mut rest = blob.as_slice();
        let mut fixed = Vec::new();
        for _ in 0..2 {
            let number = take_string(&mut rest).unwrap();
            assert!(number[0] & 0x80 == 0);
            let number = number.strip_prefix(&[0]).unwrap_or(number);
            fixed.extend(std::iter::repeat_n(0, 32 - number.len()));
            fixed.extend_from_slice(number);
        }
        signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
            .verify(&[round], &fixed)
            .unwrap();
    }
}

#[test]
fn other_keys_and_other_messages_fail() {
    let keys = read("ed25519").unwrap();
    let failed = [0, 0, 0, 1, message::FAILURE];
    for request in [
        request(message::SIGN_REQUEST, &[b"unknown", b"data"], Some(0)),
        request(message::SIGN_REQUEST, &[&keys.keys[0].public], None),
        request(17, &[b"x"], None),
        vec![0, 0, 0, 0],
        vec![0, 0, 0, 5, message::SIGN_REQUEST, 255, 255, 255, 255],
    ] {
        assert_eq!(keys.answer(&request)[..], failed);
    }
}

#[test]
fn what_is_no_usable_key_says_why() {
    for (name, part) in [
        ("ed25519.pub", "not a private key"),
        ("passphrase", "ssh-add"),
        ("legacy-passphrase", "ssh-add"),
        ("p521", "ecdsa-sha2-nistp521 is not supported"),
        ("missing", "No such file"),
    ] {
        let (path, error) = read(name).unwrap_err();
        assert!(path.ends_with(name));
        assert!(error.to_string().contains(part), "{name}: {error}");
    }
}
