//! Aligns text in columns, as Go's tabwriter does: a tab ends a cell; a column ends at the first
//! line without that cell.

/// Pads each tab-terminated cell to the widest cell of its column plus `padding` blanks, but at
/// least to `minimum`.
pub(crate) fn align(text: &str, minimum: usize, padding: usize) -> String {
    let mut aligned = String::new();
    for line in rows(text) {
        for (cell, width) in line {
            aligned.push_str(cell);
            if let Some(width) = width {
                let width = (width + padding).max(minimum);
                aligned.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
        }
        aligned.push('\n');
    }
    aligned
}

/// The cells of each line with the widths of their columns. The last cell of a line has none.
fn rows(text: &str) -> Vec<Vec<(&str, Option<usize>)>> {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let mut rows: Vec<Vec<(&str, Option<usize>)>> = lines
        .iter()
        .map(|cells| cells.iter().map(|cell| (*cell, None)).collect())
        .collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    for column in 0..columns.saturating_sub(1) {
        let has_cell = |row: &usize| lines[*row].len() > column + 1;
        let mut start = 0;
        while start < lines.len() {
            let block = (start..lines.len()).take_while(has_cell).count();
            let cells = lines[start..start + block].iter().map(|it| it[column]);
            let width = cells.map(|cell| cell.chars().count()).max();
            for row in &mut rows[start..start + block] {
                row[column].1 = width;
            }
            start += block.max(1);
        }
    }
    rows
}

/// The same, padded with tabs of eight columns, as in buildctl's tables.
pub(crate) fn align_with_tabs(text: &str) -> String {
    const TAB: usize = 8;
    let mut aligned = String::new();
    for line in rows(text) {
        for (cell, width) in line {
            aligned.push_str(cell);
            if let Some(width) = width {
                let end = (width + 1).next_multiple_of(TAB);
                let missing = end - cell.chars().count();
                aligned.extend(std::iter::repeat_n('\t', missing.div_ceil(TAB)));
            }
        }
        aligned.push('\n');
    }
    aligned
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn a_column_ends_where_a_line_lacks_its_cell() {
        let text = "Name:\tx\nDriver:\tremote\n\nName:\ty\n\tAll:\ttrue\n\tFilters:\tz\n";
        let expected =
            "Name:   x\nDriver: remote\n\nName: y\n      All:     true\n      Filters: z\n";
        assert_eq!(align(text, 0, 1), expected);
    }

    #[test]
    fn cells_have_a_least_width() {
        assert_eq!(
            align("A\tB\nlonger name\tC", 10, 3),
            "A             B\nlonger name   C\n"
        );
    }
}
