//! Text in columns, as Go's tabwriter sets it: a tab ends a cell; a column goes on for as long as lines have that cell.

/// Pads each cell that a tab ends to the widest of its column and `padding` blanks more, and to `minimum` at least.
pub(crate) fn align(text: &str, minimum: usize, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let width = |row: usize, column: usize| {
        let has_cell = |row: &usize| lines[*row].len() > column + 1;
        let above = (0..row).rev().take_while(has_cell);
        let below = (row..lines.len()).take_while(has_cell);
        let cells = above
            .chain(below)
            .map(|row| lines[row][column].chars().count());
        (cells.max().unwrap_or_default() + padding).max(minimum)
    };
    let mut aligned = String::new();
    for (row, cells) in lines.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            aligned.push_str(cell);
            if column + 1 < cells.len() {
                let blanks = width(row, column) - cell.chars().count();
                aligned.extend(std::iter::repeat_n(' ', blanks));
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
