use std::time::Duration;

use super::super::event::ProgressGroup;
use super::super::fixture::*;
use super::*;

fn states(view: &View) -> Vec<(&str, StepState)> {
    view.steps()
        .map(|step| (step.name(), step.state()))
        .collect()
}

#[test]
fn steps_are_in_the_order_in_which_they_started() {
    let view = view(
        50,
        &[
            vertexes([
                vertex("a", "one", None, None),
                vertex("b", "two", None, None),
            ]),
            begun("b", "two", 10),
            begun("a", "one", 20),
            ended("b", "two", 10, 30),
        ],
    );
    assert_eq!(
        states(&view),
        [("two", StepState::Done), ("one", StepState::Running)]
    );
    assert_eq!(view.counts(), (1, 2));
    assert_eq!(view.age(at(50)), Duration::from_millis(40));
}

#[test]
fn a_step_is_cancelled_only_by_its_errors_end() {
    let view = view(
        50,
        &[
            failed("a", "one", 0, 1, "context canceled: no, exit code: 1"),
            failed(
                "b",
                "two",
                0,
                1,
                "rpc error: code = Canceled desc = context canceled",
            ),
        ],
    );
    assert_eq!(
        states(&view),
        [("one", StepState::Failed), ("two", StepState::Canceled)]
    );
}

#[test]
fn an_announcement_does_not_undo_a_start() {
    let view = view(
        50,
        &[
            begun("a", "one", 10),
            vertexes([vertex("a", "other", None, None)]),
        ],
    );
    assert_eq!(states(&view), [("one", StepState::Running)]);
}

#[test]
fn a_step_that_starts_again_is_running_and_counts_both_times() {
    let view = view(100, &[ended("a", "one", 10, 20), begun("a", "one", 40)]);
    assert_eq!(states(&view), [("one", StepState::Running)]);
    let elapsed = view.elapsed(view.steps().next().unwrap(), at(50));
    assert_eq!(elapsed, Duration::from_millis(20));
}

#[test]
fn what_speaks_of_no_known_step_is_left_out() {
    let view = view(
        50,
        &[
            log("nobody", 1, b"hello\n"),
            transfer("nobody", "pull", (1, 2), 1, false),
            warning("nobody", "careful"),
        ],
    );
    assert_eq!(states(&view), []);
    assert_eq!(view.counts(), (0, 0));
    // The warning is still in the final report.
    assert_eq!(view.warnings().len(), 1);
}

#[test]
fn the_same_warning_is_reported_once() {
    let view = view(
        50,
        &[
            begun("a", "x", 0),
            begun("b", "y", 0),
            warning("a", "careful"),
            warning("b", "careful"),
        ],
    );
    assert_eq!(view.warnings().len(), 1);
    assert!(view.steps().all(|step| step.warnings.len() == 1));
}

#[test]
fn times_that_are_missing_or_absurd_are_no_times() {
    let mut early = ended("a", "one", 50, 10);
    early.vertexes.push(vertex("b", "two", None, Some(5)));
    let mut timeless = log("a", 0, b"x\n");
    timeless.logs[0].timestamp = None;
    let view = view(0, &[early, timeless, log("a", 1, b"before the start\n")]);
    assert_eq!(states(&view), [("one", StepState::Done)]);
    assert_eq!(
        view.elapsed(view.steps().next().unwrap(), at(0)),
        Duration::ZERO
    );
    assert_eq!(view.age(at(0)), Duration::ZERO);
    assert_eq!(view.counts(), (1, 2));
}

#[test]
fn the_daemons_clock_may_be_wrong() {
    let mut view = View::default();
    // The daemon's clock is an hour ahead; its event arrives 5 ms after it happened.
    view.apply(7, &begun("a", "one", 3_600_000), at(5));
    let step = view.steps().next().unwrap();
    assert_eq!(view.elapsed(step, at(2005)), Duration::from_secs(2));
    assert_eq!(view.age(at(2005)), Duration::from_secs(2));
}

fn member(digest: &str, weak: bool, started: Option<u64>, completed: Option<u64>) -> Vertex {
    let group = ProgressGroup {
        id: "group".into(),
        name: "[2/2] COPY . .".into(),
        weak,
    };
    Vertex {
        progress_group: Some(group),
        ..vertex(digest, digest, started, completed)
    }
}

#[test]
fn a_group_is_one_step() {
    let mut view = view(
        0,
        &[vertexes([
            member("a", false, Some(0), Some(10)),
            member("b", false, Some(20), None),
        ])],
    );
    assert_eq!(states(&view), [("[2/2] COPY . .", StepState::Running)]);
    assert_eq!(view.counts(), (0, 1));
    view.apply(
        0,
        &vertexes([member("b", false, Some(20), Some(30))]),
        at(40),
    );
    assert_eq!(states(&view), [("[2/2] COPY . .", StepState::Done)]);
    assert_eq!(
        view.elapsed(view.steps().next().unwrap(), at(99)),
        Duration::from_millis(20)
    );
    view.apply(0, &log("b", 40, b"to the group\n"), at(40));
    assert_eq!(view.steps().next().unwrap().log().lines().count(), 1);
}

#[test]
fn a_weak_member_does_not_show_its_group() {
    let mut view = view(
        0,
        &[vertexes([
            member("a", true, Some(0), Some(10)),
            member("b", false, None, None),
        ])],
    );
    assert_eq!(states(&view), []);
    assert_eq!(view.counts(), (0, 0));
    view.apply(0, &vertexes([member("b", false, Some(20), None)]), at(20));
    assert_eq!(states(&view), [("[2/2] COPY . .", StepState::Running)]);
    assert_eq!(view.counts(), (0, 1));
}

#[test]
fn a_group_is_cached_when_all_members_are() {
    let cached = |digest| Vertex {
        cached: true,
        ..member(digest, false, Some(0), Some(1))
    };
    let all = view(0, &[vertexes([cached("a"), cached("b")])]);
    assert_eq!(states(&all)[0].1, StepState::Cached);
    let some = view(
        0,
        &[vertexes([
            cached("a"),
            member("b", false, Some(0), Some(1)),
        ])],
    );
    assert_eq!(states(&some)[0].1, StepState::Done);
}

#[test]
fn the_log_of_a_step_that_ended_well_is_given_up() {
    let steps = [
        begun("a", "one", 0),
        log("a", 1, b"x\n"),
        ended("a", "one", 0, 2),
    ];
    assert_eq!(
        view(3, &steps)
            .steps()
            .next()
            .unwrap()
            .log()
            .lines()
            .count(),
        0
    );
    let steps = [
        begun("a", "one", 0),
        log("a", 1, b"x\n"),
        failed("a", "one", 0, 2, "exit code: 1"),
    ];
    assert_eq!(
        view(3, &steps)
            .steps()
            .next()
            .unwrap()
            .log()
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_daemon_that_reports_without_end_fills_no_memory() {
    let mut view = View {
        bounds: Bounds::of(1 << 20),
        ..View::default()
    };
    for round in 0..20 {
        let many = (0..1000).map(|n| {
            let digest = format!("sha256:{round}-{n}");
            vertex(&digest, &"long name ".repeat(20), Some(1), None)
        });
        let update = vertexes(many.collect::<Vec<_>>());
        view.apply(1, &update, at(2));
    }
    let (_, all) = view.counts();
    assert!((1000..2000).contains(&all), "{all}");
    assert_eq!(view.warnings().len(), 1);
    assert!(
        view.warnings()[0]
            .short
            .starts_with(b"the daemon reports more")
    );

    // The same for one step that changes its name each time.
    let mut view = View {
        bounds: Bounds::of(1 << 20),
        ..View::default()
    };
    for n in 0..10_000 {
        let name = format!("{n} {}", "long name ".repeat(20));
        view.apply(1, &begun("sha256:a", &name, 1), at(2));
    }
    assert_eq!(view.warnings().len(), 1);
}

#[test]
fn the_logs_of_a_few_hundred_steps_are_kept_at_a_time() {
    let mut bounds = Bounds::default();
    let kept = (0..1000).filter(|_| bounds.admit_log()).count();
    assert_eq!(kept, 256);
    bounds.release_log();
    assert!(bounds.admit_log() && !bounds.admit_log());
}
