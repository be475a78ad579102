use super::*;

fn read(attest: &[&str], provenance: &str, sbom: &str) -> Result<Vec<String>, String> {
    let attest: Vec<String> = attest.iter().map(|text| (*text).to_owned()).collect();
    let all = Attestations::parse(&attest, Some(provenance), Some(sbom));
    let all = all.map_err(|error| crate::causes::in_one_line(&error))?;
    Ok(all
        .attributes()
        .iter()
        .map(|(k, v)| format!("{k}: {v}"))
        .collect())
}

#[test]
fn flags_become_attributes_of_the_frontend() {
    for (attest, provenance, sbom, expected) in [
        (&[][..], "", "", &[][..]),
        (&[], "true", "", &["attest:provenance: type=provenance"]),
        (&[], "false", "0", &[]),
        (
            &[],
            "mode=max,builder-id=\"a,b\"",
            "",
            &["attest:provenance: type=provenance,\"builder-id=a,b\",mode=max"],
        ),
        (
            &[
                "type=sbom,generator=a/b,EXTRA=1",
                "type=provenance,disabled=true",
            ],
            "mode=max",
            "",
            &["attest:sbom: type=sbom,EXTRA=1,generator=a/b"],
        ),
    ] {
        let provenance = provenance.replace("builder-id=\"a,b\"", "\"builder-id=a,b\"");
        assert_eq!(read(attest, &provenance, sbom).unwrap(), expected);
    }
}

#[test]
fn explicit_attestations_replace_the_default_of_buildx() {
    let default = Attestations::default().or_default();
    assert_eq!(
        default.attributes()["attest:provenance"],
        "mode=min,inline-only=true"
    );
    assert!(default.is_empty());
    let not_wanted = Attestations::parse(&[], Some("false"), None).unwrap();
    assert!(not_wanted.or_default().attributes().is_empty());
}

#[test]
fn mistakes_name_what_there_is() {
    for (attest, provenance, sbom, part) in [
        (
            "provenance",
            "",
            "",
            "invalid attestation \"provenance\": \"provenance\" is not key=value",
        ),
        ("mode=max", "", "", "type= is missing"),
        ("type=sbomb", "", "", "the types are provenance, sbom"),
        ("type=sbom,disabled=x", "", "", "neither true nor false"),
        (
            "",
            "max",
            "",
            "invalid attestation \"max\": \"max\" is not key=value",
        ),
        ("", "mode=all", "", "neither min nor max"),
        ("", "version=v2", "", "neither v0.2 nor v1"),
        ("", "reproducible=maybe", "", "neither true nor false"),
        ("", "\"mode=max", "", "not closed"),
        ("", "", "generator=", "no image"),
        ("", "", "generator=A B", "is not an image"),
    ] {
        let error = read(&[attest], provenance, sbom).unwrap_err();
        assert!(error.contains(part), "{attest}{provenance}{sbom}: {error}");
    }
}
