//! The name that was probably meant.

/// As far from each other as this, two names have nothing to do with each other (0: nothing in common, 1: the same).
const ALIKE: f64 = 0.6;

/// The known name most like `name`, if any is.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&name, known);
    let alike = known.into_iter().map(|known| (likeness(known), known)).filter(|(likeness, _)| *likeness >= ALIKE);
    alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// That no key has this name, which one is nearest, and which there are.
pub(super) fn no_such_key(name: &str, known: &[&str]) -> String {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!(", did you mean {near}?"),
        None => ".".to_owned(),
    };
    format!("there is no such key{hint} Keys here: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_seen_through() {
        let known = ["budget", "min_history", "quiet_after", "accept_after"];
        let cases = [("budgt", "budget"), ("bugdet", "budget"), ("min-history", "min_history"), ("Budget", "budget")];
        for (slip, meant) in cases {
            assert_eq!(nearest(slip, known), Some(meant));
        }
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn all_names_are_told() {
        assert_eq!(
            no_such_key("budgt", &["budget", "log"]),
            "there is no such key, did you mean budget? Keys here: budget, log"
        );
        assert_eq!(no_such_key("colour", &["budget", "log"]), "there is no such key. Keys here: budget, log");
    }
}
