//! Tables with aligned columns, like Go's `text/tabwriter`.
//!
//! A column is as wide as its widest cell within consecutive lines that have the column. A newline
//! in a cell ends the line, as in the reference.

const TAB: usize = 8;
const PADDING: usize = 1;

/// A table under construction.
pub(super) struct Table {
    text: String,
}

impl Table {
    pub(super) fn new<const N: usize>(heading: &[&str; N]) -> Table {
        let mut table = Table {
            text: String::new(),
        };
        table.row(*heading);
        table
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [impl AsRef<str>; N]) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.text.push('\t');
            }
            self.text.push_str(cell.as_ref());
        }
        self.text.push('\n');
    }

    /// Returns the aligned text.
    pub(super) fn finish(self) -> String {
        let text = self.text.strip_suffix('\n').unwrap_or(&self.text);
        let lines: Vec<Vec<&str>> = text
            .split('\n')
            .map(|line| line.split('\t').collect())
            .collect();
        let mut out = String::new();
        format(&lines, &mut Vec::new(), &mut out);
        out
    }
}

/// Writes lines whose columns up to `widths` are already measured.
fn format(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let has_column = |line: &Vec<&str>| column + 1 < line.len();
    let mut rest = lines;
    while let Some(start) = rest.iter().position(has_column) {
        write(&rest[..start], widths, out);
        rest = &rest[start..];
        let length = rest
            .iter()
            .position(|line| !has_column(line))
            .unwrap_or(rest.len());
        let widest = rest[..length]
            .iter()
            .map(|line| line[column].chars().count())
            .max();
        widths.push(widest.unwrap_or_default() + PADDING);
        format(&rest[..length], widths, out);
        widths.pop();
        rest = &rest[length..];
    }
    write(rest, widths, out);
}

fn write(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (index, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(index) {
                let end = width.div_ceil(TAB) * TAB;
                let tabs = (end - cell.chars().count()).div_ceil(TAB);
                out.extend(std::iter::repeat_n('\t', tabs));
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["TARGET", "DESCRIPTION"]);
        table.row(["described", "some group"]);
        table.row(["void", ""]);
        assert_eq!(
            table.finish(),
            "TARGET\t\tDESCRIPTION\ndescribed\tsome group\nvoid\t\t\n"
        );
    }

    #[test]
    fn a_newline_in_a_cell_ends_the_line() {
        let mut table = Table::new(&["VARIABLE", "TYPE", "VALUE", "DESCRIPTION"]);
        table.row(["ABLE", "list of string", "[\"a\",\"b,c\"]", ""]);
        table.row(["Q", "", "say \"hi\"\n", ""]);
        table.row(["ZED", "", "z", "last one"]);
        assert_eq!(
            table.finish(),
            "VARIABLE\tTYPE\t\tVALUE\t\tDESCRIPTION\nABLE\t\tlist of string\t[\"a\",\"b,c\"]\t\n\
             Q\t\t\t\tsay \"hi\"\n\t\t\nZED\t\t\tz\tlast one\n"
        );
    }
}
