//! `--allow`: the entitlements that bake files may ask for.

use solvekit::build::csv_fields;

use super::super::Failure;

/// Entitlements without a value.
const PLAIN: [&str; 4] = [
    "network.host",
    "security.insecure",
    "ssh",
    "buildx.local.delete",
];
/// Entitlements with a value.
const VALUED: [&str; 7] = [
    "device",
    "fs.read",
    "fs.write",
    "fs",
    "image.push",
    "image.load",
    "image",
];

/// Checks that all entitlements are known.
pub(super) fn check(given: &[String]) -> Result<(), Failure> {
    for text in given {
        if PLAIN.contains(&text.as_str()) {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let invalid = |reason: String| {
            Failure::new(format!("--allow {text}: {reason}")).hint(format!(
                "the entitlements are {} and {} with =VALUE",
                PLAIN.join(", "),
                VALUED.join(", ")
            ))
        };
        if PLAIN.contains(&key) {
            return Err(invalid(format!("{key} has no value")));
        }
        if !VALUED.contains(&key) {
            return Err(invalid(format!("there is no entitlement {key:?}")));
        }
        if key == "device" {
            csv_fields(value).map_err(invalid)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entitlements_are_known_by_name() {
        for good in [
            "ssh",
            "fs=*",
            "fs.read=/x",
            "device",
            "device=a/b",
            "image.push=x",
        ] {
            assert!(check(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in ["bogus", "security.insecure=x", "buildx.local.delete=1", ""] {
            assert!(check(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
