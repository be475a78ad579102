//! Walks from a result down to the steps that a daemon has to run for it.
//!
//! A step is needed if its user is, and if its result is neither there nor cached. A cached step
//! does not need its inputs: a daemon may have the image of a stage, but no longer the stage.

/// The walk. It asks only about steps whose answer does not follow from others.
#[derive(Debug)]
pub(crate) struct Walk {
    steps: Vec<Step>,
    is_seen: Vec<bool>,
    is_needed: Vec<bool>,
    /// The steps to look at next.
    open: Vec<Open>,
}

/// What is known about a step before the walk.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The indices of the steps that it needs, all lower than its own.
    pub(super) inputs: Vec<usize>,
    pub(super) found: Found,
    /// It, or a step that it needs, does not use the cache.
    pub(super) ignores_cache: bool,
}

/// The daemon's answer about a step whose inputs it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Its result was in the cache. Sources count as such.
    Cached,
    /// It was not cached, and ran: it only copies files.
    Ran,
    /// It is a command that is not cached.
    Tried,
    /// Unknown: a result that it needs is missing.
    Open,
}

impl Found {
    /// True if the daemon has the result now.
    pub(super) fn is_there(self) -> bool {
        matches!(self, Self::Cached | Self::Ran)
    }
}

/// A step whose user is needed.
#[derive(Debug, Clone, Copy)]
struct Open {
    number: usize,
    /// If it is not cached: the command at which the solve of a user stopped.
    stopped_at: Option<usize>,
}

/// A daemon's answer about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is cached.
    Cached,
    /// It is not. The solve stopped at a command: at the step itself or below it; `None` if the
    /// daemon named a step that is not in the graph.
    Stopped(Option<usize>),
}

impl Walk {
    /// Starts at the last step.
    pub(super) fn new(steps: Vec<Step>) -> Self {
        let last = steps.len().checked_sub(1);
        let open = last.map(|number| Open {
            number,
            stopped_at: None,
        });
        Self {
            is_seen: vec![false; steps.len()],
            is_needed: vec![false; steps.len()],
            open: open.into_iter().collect(),
            steps,
        }
    }

    /// Returns the next step to ask about; `None` at the end of the walk.
    pub(crate) fn question(&mut self) -> Option<usize> {
        while let Some(open) = self.open.pop() {
            if self.is_seen[open.number] {
                continue;
            }
            let step = &self.steps[open.number];
            match step.found {
                Found::Cached => {}
                Found::Ran | Found::Tried => self.descend(open.number, Some(open.number)),
                Found::Open if step.ignores_cache || open.stopped_at.is_some() => {
                    self.descend(open.number, open.stopped_at);
                }
                Found::Open => return Some(open.number),
            }
        }
        None
    }

    /// Continues with the answer to a question.
    pub(crate) fn answer(&mut self, number: usize, answer: Answer) {
        match answer {
            Answer::Cached => self.is_seen[number] = true,
            Answer::Stopped(at) => self.descend(number, at),
        }
    }

    /// Returns the steps that have to run.
    pub(crate) fn needed(self) -> Vec<bool> {
        self.is_needed
    }

    /// Marks a step as needed, and continues with its inputs that were not cached.
    fn descend(&mut self, number: usize, stopped_at: Option<usize>) {
        self.is_seen[number] = true;
        self.is_needed[number] = true;
        let mut inputs = self.steps[number].inputs.clone();
        inputs.sort_unstable();
        inputs.dedup();
        let is_missing = |at: &usize| !self.steps[*at].found.is_there();
        // If one input is missing, the solve stopped at it or below it.
        let below = stopped_at.filter(|_| inputs.iter().filter(|at| is_missing(at)).count() == 1);
        // If the solve stopped at the step itself, its missing inputs are cached.
        let starts = stopped_at == Some(number);
        inputs.retain(|at| !(starts && is_missing(at)));
        let open = inputs.into_iter().map(|number| Open {
            number,
            stopped_at: below,
        });
        self.open.extend(open);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A daemon with steps in its cache.
    struct Daemon {
        steps: Vec<Step>,
        is_cached: Vec<bool>,
    }

    impl Daemon {
        /// The daemon after a survey. `copies` are the steps that only copy files.
        fn new(inputs: &[&[usize]], cached: &[usize], copies: &[usize]) -> Self {
            let is_cached: Vec<bool> = (0..inputs.len()).map(|at| cached.contains(&at)).collect();
            let mut steps: Vec<Step> = Vec::new();
            for (number, inputs) in inputs.iter().enumerate() {
                let is_asked = inputs.iter().all(|at| steps[*at].found.is_there());
                steps.push(Step {
                    inputs: inputs.to_vec(),
                    found: match (is_asked, is_cached[number]) {
                        (false, _) => Found::Open,
                        (true, true) => Found::Cached,
                        (true, false) if copies.contains(&number) => Found::Ran,
                        (true, false) => Found::Tried,
                    },
                    ignores_cache: false,
                });
            }
            Self { steps, is_cached }
        }

        /// The steps that run for a step, in order; none if it is cached.
        fn run(&self, number: usize, ran: &mut Vec<usize>) {
            if self.is_cached[number] || ran.contains(&number) {
                return;
            }
            for input in &self.steps[number].inputs {
                self.run(*input, ran);
            }
            ran.push(number);
        }

        fn walk(&self) -> (Vec<usize>, usize) {
            let mut walk = Walk::new(self.steps.clone());
            let mut questions = 0;
            while let Some(number) = walk.question() {
                questions += 1;
                let mut ran = Vec::new();
                self.run(number, &mut ran);
                // The survey has run the steps that only copy files.
                let stopped = ran.into_iter().find(|at| !self.steps[*at].found.is_there());
                let answer = match stopped {
                    None => Answer::Cached,
                    stopped => Answer::Stopped(stopped),
                };
                walk.answer(number, answer);
            }
            let needed = walk.needed();
            let numbers = (0..needed.len()).filter(|at| needed[*at]);
            (numbers.collect(), questions)
        }
    }

    #[test]
    fn a_line_of_steps_takes_one_question() {
        let inputs: [&[usize]; 5] = [&[], &[0], &[1], &[2], &[3]];
        assert_eq!(
            Daemon::new(&inputs, &[0], &[]).walk(),
            (vec![1, 2, 3, 4], 1)
        );
        assert_eq!(
            Daemon::new(&inputs, &[0, 1, 2, 3], &[]).walk(),
            (vec![4], 0)
        );
        assert_eq!(
            Daemon::new(&inputs, &[0, 1, 2, 3, 4], &[]).walk(),
            (vec![], 0)
        );
    }

    #[test]
    fn a_cached_step_does_not_need_its_inputs() {
        let inputs: [&[usize]; 5] = [&[], &[0], &[], &[1, 2], &[3]];
        assert_eq!(Daemon::new(&inputs, &[0, 2, 3, 4], &[]).walk(), (vec![], 1));
        assert_eq!(Daemon::new(&inputs, &[0, 2, 3], &[]).walk(), (vec![4], 1));
        assert_eq!(
            Daemon::new(&inputs, &[0, 2], &[]).walk(),
            (vec![1, 3, 4], 1)
        );
    }

    #[test]
    fn steps_that_ran_in_the_survey_are_needed_if_their_users_are() {
        let inputs: [&[usize]; 5] = [&[], &[0], &[1], &[], &[2, 3]];
        let walk = |cached: &[usize]| Daemon::new(&inputs, cached, &[0, 1, 3]).walk();
        assert_eq!(walk(&[]), (vec![0, 1, 2, 3, 4], 1));
        assert_eq!(walk(&[2]), (vec![3, 4], 0));
        assert_eq!(walk(&[4]), (vec![], 1));
        let all_copies = Daemon::new(&inputs[..2], &[], &[0, 1]);
        assert_eq!(all_copies.walk(), (vec![0, 1], 0));
    }

    #[test]
    fn a_step_that_ignores_the_cache_is_not_asked_about() {
        let mut daemon = Daemon::new(&[&[], &[0], &[1]], &[], &[]);
        for step in &mut daemon.steps {
            step.ignores_cache = true;
        }
        assert_eq!(daemon.walk(), (vec![0, 1, 2], 0));
    }

    #[test]
    fn an_unknown_step_in_an_answer_makes_more_questions() {
        let steps = Daemon::new(&[&[], &[0], &[1], &[2]], &[], &[]).steps;
        let mut walk = Walk::new(steps);
        let mut questions = Vec::new();
        while let Some(number) = walk.question() {
            questions.push(number);
            walk.answer(number, Answer::Stopped(None));
        }
        assert_eq!(questions, [3, 2, 1]);
        assert_eq!(walk.needed(), [true; 4]);
    }

    proptest! {
        #[test]
        fn exactly_the_steps_that_a_daemon_runs_are_needed(
            graph in prop::collection::vec(
                (
                    prop::collection::vec(any::<prop::sample::Index>(), 0..3),
                    any::<bool>(),
                    any::<bool>(),
                ),
                1..20,
            ),
        ) {
            let inputs: Vec<Vec<usize>> = graph.iter().enumerate().map(|(at, (inputs, ..))| {
                let before = inputs.iter().filter(|_| at > 0);
                before.map(|input| input.index(at)).collect()
            }).collect();
            let inputs: Vec<&[usize]> = inputs.iter().map(Vec::as_slice).collect();
            let cached: Vec<usize> = (0..graph.len()).filter(|at| graph[*at].1).collect();
            let copies: Vec<usize> = (0..graph.len()).filter(|at| graph[*at].2).collect();
            let daemon = Daemon::new(&inputs, &cached, &copies);
            let mut ran = Vec::new();
            daemon.run(graph.len() - 1, &mut ran);
            ran.sort_unstable();
            prop_assert_eq!(daemon.walk().0, ran);
        }
    }
}
