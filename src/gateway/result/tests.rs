use super::*;

fn reference(id: &str) -> Ref {
    Ref {
        id: id.into(),
        definition: None,
    }
}

#[test]
fn a_result_survives_the_wire_in_both_forms() {
    let attestation = Attestation {
        kind: AttestationKind::Bundle,
        reference: reference("c"),
        path: "/sbom".into(),
        subjects: vec![Subject {
            kind: SubjectKind::Digests,
            digests: vec!["sha256:a".into()],
            name: "x".into(),
        }],
        ..Attestation::default()
    };
    let platforms =
        ["linux/amd64", "linux/arm64"].map(|platform| (platform.to_owned(), reference(platform)));
    let result = BuildResult {
        refs: Refs::Platforms(platforms.into()),
        metadata: [("k".to_owned(), b"v".to_vec())].into(),
        attestations: [("linux/amd64".to_owned(), vec![attestation])].into(),
    };
    for arrays in [true, false] {
        assert_eq!(BuildResult::from_proto(result.to_proto(arrays)), result);
        let one = BuildResult::one(reference("a"));
        assert_eq!(BuildResult::from_proto(one.to_proto(arrays)), one);
    }
}

#[test]
fn scratch_is_returned_as_an_empty_ref_and_never_as_nothing() {
    let sent = BuildResult::default().to_proto(true);
    assert_eq!(
        sent.result,
        Some(result::Result::Ref(proto::Ref::default()))
    );
    assert!(BuildResult::from_proto(sent).refs().all(Ref::is_scratch));
}
