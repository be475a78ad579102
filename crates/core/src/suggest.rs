//! "Did you mean": the known name that is nearest to a mistyped one.

/// Returns the candidate that `word` most likely stands for: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                *candidate,
            )
        })
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(word.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["name", "push", "compression"];
        assert_eq!(nearest("compresion", &names), Some("compression"));
        assert_eq!(nearest("PUSH", &names), Some("push"));
        assert_eq!(nearest("platform", &names), None);
    }
}
