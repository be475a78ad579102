//! Removed records as `docker buildx prune` prints them: cells that are padded with tabs.

use std::time::SystemTime;

use solvekit::client::CacheRecord;
use solvekit::text::one_line;

use crate::cli::report::columns::align_with_tabs;
use crate::cli::report::records::{go_time, last_used, size};

/// The columns' names, above the first record.
const HEADER: &str = "ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n";

/// A record in one line. A `*` follows the id of a mutable record, and a shared size.
pub(super) fn row(record: &CacheRecord, is_first: bool, now: SystemTime) -> String {
    let star = |marked: bool| if marked { "*" } else { "" };
    let id = format!("{}{}", one_line(&record.id), star(record.mutable));
    let size = format!("{}{}", size(record.size), star(record.shared));
    let (reclaimable, used) = (!record.in_use, last_used(record, now));
    let row = format!("{id:<40}\t{reclaimable:<5}\t{size:<10}\t{used}\n");
    match is_first {
        true => align_with_tabs(&format!("{HEADER}{row}")),
        false => align_with_tabs(&row),
    }
}

/// All fields of a record, one a line, and an empty line.
pub(super) fn paragraph(record: &CacheRecord, now: SystemTime) -> String {
    let mut lines = String::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push_str(&format!("{name}:\t{}\n", one_line(value)));
        }
    };
    add("ID", &record.id);
    add("Parent", &record.parents.join(","));
    add("Created at", &go_time(record.created_at));
    add("Mutable", &record.mutable.to_string());
    add("Reclaimable", &(!record.in_use).to_string());
    add("Shared", &record.shared.to_string());
    add("Size", &size(record.size));
    add("Description", &record.description);
    add("Usage count", &record.usage_count.to_string());
    add("Last used", &last_used(record, now));
    add("Type", &record.kind);
    align_with_tabs(&format!("{lines}\n"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn record() -> (CacheRecord, SystemTime) {
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let mut record = CacheRecord::default();
        record.id = "y8edrc9tsk8pulwgzd33s2acn".into();
        record.parents = vec!["a".into(), "b".into()];
        record.mutable = true;
        record.size = 8192;
        record.last_used_at = Some(used);
        (record, used + Duration::from_secs(17))
    }

    #[test]
    fn cells_are_padded_with_tabs_as_in_buildx() {
        let (record, now) = record();
        let first = row(&record, true, now);
        let expected = "ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\n\
             y8edrc9tsk8pulwgzd33s2acn*              \ttrue \t\t8.192kB   \t17 seconds ago\n";
        assert_eq!(first, expected);
        let next = row(&record, false, now);
        let expected =
            "y8edrc9tsk8pulwgzd33s2acn*              \ttrue \t8.192kB   \t17 seconds ago\n";
        assert_eq!(next, expected);
        let all = paragraph(&record, now);
        let expected = "ID:\t\ty8edrc9tsk8pulwgzd33s2acn\nParent:\t\ta,b\n";
        assert!(all.starts_with(expected), "{all:?}");
        assert!(
            all.ends_with("Usage count:\t0\nLast used:\t17 seconds ago\n\n"),
            "{all:?}"
        );
    }
}
