//! Selects the rows that fit: everything if possible, else the oldest completed steps are folded.
//!
//! The steps of a platform stay together, so that eight concurrent builds are readable.

use std::collections::BTreeMap;

use super::super::view::{StepState, StepView, View};

/// A line of the display below the header.
#[derive(Debug, Clone)]
pub(super) enum Row<'a> {
    /// A step.
    Step(&'a StepView),
    /// A transfer of a step, by its index.
    Transfer(&'a StepView, usize),
    /// The number of a step's transfers that are not shown.
    Omitted(&'a StepView),
    /// A warning of a step, by its index.
    Warning(&'a StepView, usize),
    /// A line of a running step's log.
    Log(String),
    /// Successful steps in one line: those of a group, or all.
    Folded {
        group: Option<&'a str>,
        steps: Vec<&'a StepView>,
    },
    /// The number of lines that do not fit.
    Hidden(usize),
}

/// Steps that are shown together.
struct Section<'a> {
    group: Option<&'a str>,
    steps: Vec<&'a StepView>,
}

/// Returns all rows, without logs.
pub(super) fn all(view: &View) -> Vec<Row<'_>> {
    let sections = sections(view);
    sections
        .iter()
        .flat_map(|section| section.steps.iter().flat_map(|step| step_rows(step, true)))
        .collect()
}

/// Returns at most `room` rows, with logs of running steps of at most `log_lines` each.
pub(super) fn fit(view: &View, room: usize, log_lines: usize) -> Vec<Row<'_>> {
    let sections = sections(view);
    let wanted: usize = running(view).map(|step| step.log.count(log_lines)).sum();
    let everything = all(view);
    let mut rows = if everything.len() + wanted <= room {
        everything
    } else {
        fold(&sections, room, wanted)
    };
    if rows.len() > room {
        hide(&mut rows, room);
    }
    let free = room.saturating_sub(rows.len());
    add_logs(rows, free, log_lines)
}

/// Groups the steps. Steps without a platform come first if they started before the platforms'
/// steps or prepare them, otherwise last.
fn sections(view: &View) -> Vec<Section<'_>> {
    let mut before = Vec::new();
    let mut groups: BTreeMap<&str, Vec<&StepView>> = BTreeMap::new();
    let mut after = Vec::new();
    for step in view.steps() {
        match step.name.group() {
            Some(group) => groups.entry(group).or_default().push(step),
            None if groups.is_empty() || step.name.is_internal() => before.push(step),
            None => after.push(step),
        }
    }
    let grouped = groups.into_iter().map(|(group, steps)| Section {
        group: Some(group),
        steps,
    });
    let first = Section {
        group: None,
        steps: before,
    };
    let last = Section {
        group: None,
        steps: after,
    };
    std::iter::once(first)
        .chain(grouped)
        .chain([last])
        .collect()
}

fn step_rows(step: &StepView, transfers: bool) -> Vec<Row<'_>> {
    let transfers = if transfers {
        0..step.transfers.len()
    } else {
        0..0
    };
    let omitted = step.omitted_line().filter(|_| !transfers.is_empty());
    let transfers = transfers
        .filter(|&number| !step.omits(number))
        .map(|number| Row::Transfer(step, number));
    let warnings = (0..step.warnings.len()).map(|number| Row::Warning(step, number));
    std::iter::once(Row::Step(step))
        .chain(transfers)
        .chain(omitted.map(|_| Row::Omitted(step)))
        .chain(warnings)
        .collect()
}

/// Returns the running transfers of an unfinished step.
fn open_rows(step: &StepView) -> Vec<Row<'_>> {
    let goes_on = |row: &Row<'_>| match row {
        Row::Transfer(_, number) => step.transfers[*number].completed.is_none(),
        Row::Omitted(_) => false,
        _ => true,
    };
    step_rows(step, true).into_iter().filter(goes_on).collect()
}

fn is_folded_first(step: &StepView) -> bool {
    matches!(step.state(), StepState::Done | StepState::Cached)
}

fn running(view: &View) -> impl Iterator<Item = &StepView> + '_ {
    view.steps()
        .filter(|step| step.state() == StepState::Running)
}

/// Keeps the latest completed steps of each section, as many as leave room for the rest and for
/// `wanted` lines of logs.
fn fold<'a>(sections: &[Section<'a>], room: usize, wanted: usize) -> Vec<Row<'a>> {
    let most = sections
        .iter()
        .map(|section| section.steps.len())
        .max()
        .unwrap_or(0)
        .min(room);
    for keep in (0..=most).rev() {
        let rows: usize = sections
            .iter()
            .map(|section| count_folded(section, keep))
            .sum();
        if rows + wanted <= room {
            return sections
                .iter()
                .flat_map(|section| fold_section(section, keep))
                .collect();
        }
    }
    fold_everything(sections)
}

/// Returns the number of rows of [`fold_section`].
fn count_folded(section: &Section<'_>, keep: usize) -> usize {
    let (ended, open): (Vec<&StepView>, Vec<&StepView>) =
        section.steps.iter().partition(|step| is_folded_first(step));
    let open: usize = open.into_iter().map(|step| open_rows(step).len()).sum();
    open + if ended.len() > keep + 1 {
        keep + 1
    } else {
        ended.len()
    }
}

fn fold_section<'a>(section: &Section<'a>, keep: usize) -> Vec<Row<'a>> {
    let ended = section
        .steps
        .iter()
        .filter(|step| is_folded_first(step))
        .count();
    // A single step is as short as the line that would replace it.
    let mut to_fold = if ended > keep + 1 { ended - keep } else { 0 };
    let mut folded = Vec::with_capacity(to_fold);
    let mut rows = Vec::new();
    for &step in &section.steps {
        match is_folded_first(step) {
            true if to_fold > 0 => {
                to_fold -= 1;
                folded.push(step);
            }
            true => rows.push(Row::Step(step)),
            false => rows.extend(open_rows(step)),
        }
    }
    if !folded.is_empty() {
        rows.insert(
            0,
            Row::Folded {
                group: section.group,
                steps: folded,
            },
        );
    }
    rows
}

/// Returns one line for all successful steps.
fn fold_everything<'a>(sections: &[Section<'a>]) -> Vec<Row<'a>> {
    let steps = || {
        sections
            .iter()
            .flat_map(|section| section.steps.iter().copied())
    };
    let ended: Vec<&StepView> = steps().filter(|step| is_folded_first(step)).collect();
    let folded = (!ended.is_empty()).then_some(Row::Folded {
        group: None,
        steps: ended,
    });
    let open = steps()
        .filter(|step| !is_folded_first(step))
        .flat_map(open_rows);
    folded.into_iter().chain(open).collect()
}

/// Reduces the rows to `room`: failures go before running steps, running steps before the rest. The
/// last line counts the hidden ones.
fn hide(rows: &mut Vec<Row<'_>>, room: usize) {
    if room == 0 {
        rows.clear();
        return;
    }
    let rank = |row: &Row<'_>| match row {
        Row::Step(step) if step.state() == StepState::Failed => 0,
        Row::Step(step) if step.state() == StepState::Running => 1,
        Row::Transfer(..) => 2,
        _ => 3,
    };
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&number| (rank(&rows[number]), number));
    let mut kept: Vec<usize> = order.into_iter().take(room - 1).collect();
    kept.sort_unstable();
    let hidden = rows.len() - kept.len();
    *rows = kept
        .into_iter()
        .map(|number| rows[number].clone())
        .chain([Row::Hidden(hidden)])
        .collect();
}

/// Adds logs below their steps and shares the free room fairly.
fn add_logs(rows: Vec<Row<'_>>, free: usize, log_lines: usize) -> Vec<Row<'_>> {
    let wants: Vec<usize> = rows
        .iter()
        .map(|row| match row {
            Row::Step(step) if step.state() == StepState::Running => step.log.count(log_lines),
            _ => 0,
        })
        .collect();
    let shares = share(&wants, free);
    let mut with_logs = Vec::with_capacity(rows.len());
    let mut pending: Vec<Row<'_>> = Vec::new();
    for (row, lines) in rows.into_iter().zip(shares) {
        // A step's log comes after its transfers.
        if !matches!(row, Row::Transfer(..) | Row::Omitted(_) | Row::Warning(..)) {
            with_logs.append(&mut pending);
        }
        if let Row::Step(step) = &row {
            pending = step.log.last(lines).into_iter().map(Row::Log).collect();
        }
        with_logs.push(row);
    }
    with_logs.append(&mut pending);
    with_logs
}

/// Gives each as much as it wants, if there is enough; otherwise equal shares, with the remainder
/// for the first ones.
fn share(wants: &[usize], mut free: usize) -> Vec<usize> {
    let mut shares = vec![0; wants.len()];
    loop {
        let mut given = false;
        for (share, want) in shares.iter_mut().zip(wants) {
            if *share < *want && free > 0 {
                *share += 1;
                free -= 1;
                given = true;
            }
        }
        if !given {
            return shares;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_fairly() {
        assert_eq!(share(&[6, 0, 1, 6], 7), [3, 0, 1, 3]);
        assert_eq!(share(&[6, 6], 3), [2, 1]);
        assert_eq!(share(&[2, 1], 100), [2, 1]);
        assert_eq!(share(&[], 5), [0; 0]);
    }
}
