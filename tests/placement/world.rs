//! Simulated nodes with caches, clients with a memory, and time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use solvekit::builder::Health;
use solvekit::oci::Platform;
use solvekit::spread::{Offer, Placement, PoolNode, Rules, assign, pool_node};

/// The number of contexts. A few are built often, most of them rarely.
const CONTEXTS: usize = 500;
/// The number of contexts that fit into a node's cache.
const CACHE: usize = 40;
const CLIENTS: usize = 50;
/// Builds that start per second.
const RATE: f64 = 2.5;
/// The duration of a build with its cache and without, in seconds.
const CACHED: f64 = 20.0;
const COLD: f64 = 120.0;
/// The age of the loads that a client sees, in seconds: it asks, and its build is visible only
/// later.
const STALE: f64 = 1.0;

/// The way to choose a node.
#[derive(Clone, Copy)]
pub(crate) enum Policy {
    /// The library's choice.
    Of(Placement),
    /// A random node.
    Random,
    /// The context's own node, whatever its load.
    HashAlone,
}

/// A change of the nodes.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    Joins,
    Leaves(usize),
    /// From this node on, this number of nodes leaves.
    LeaveFrom(usize, usize),
    Hangs(usize),
}

struct Node {
    name: String,
    /// The contexts in its cache, the last used one last.
    cache: VecDeque<usize>,
    /// The start and end of its builds.
    builds: Vec<(f64, f64)>,
    total: usize,
    gone: bool,
    hangs: bool,
}

impl Node {
    fn new(number: usize) -> Self {
        Self {
            name: format!("node{number}"),
            cache: VecDeque::new(),
            builds: Vec::new(),
            total: 0,
            gone: false,
            hangs: false,
        }
    }

    /// The number of builds that run at this time.
    fn running(&self, at: f64) -> usize {
        let seen = self.builds.iter();
        seen.filter(|(began, ends)| *began <= at && at < *ends)
            .count()
    }

    /// Adds the context to the cache. True if it was there.
    fn hits(&mut self, context: usize) -> bool {
        let found = self.cache.iter().position(|known| *known == context);
        let hit = found.and_then(|place| self.cache.remove(place)).is_some();
        self.cache.push_back(context);
        if self.cache.len() > CACHE {
            self.cache.pop_front();
        }
        hit
    }
}

/// The results of a run.
pub(crate) struct Figures {
    hits: Vec<bool>,
    totals: Vec<usize>,
    at_once: f64,
    pub(crate) most_at_once: usize,
    /// The share of contexts that have another own node after the event.
    pub(crate) moved: f64,
    pub(crate) lost: usize,
    pub(crate) delayed: usize,
    pub(crate) put_on_hanging: usize,
}

impl Figures {
    pub(crate) fn hit_share(&self) -> f64 {
        share(&self.hits)
    }

    pub(crate) fn busiest(&self) -> f64 {
        self.totals.iter().copied().max().unwrap_or(0) as f64
    }

    pub(crate) fn mean(&self) -> f64 {
        self.totals.iter().sum::<usize>() as f64 / self.totals.len() as f64
    }

    pub(crate) fn mean_at_once(&self) -> f64 {
        self.at_once / self.hits.len() as f64
    }

    /// The shares of hits among `count` builds before and after a build.
    pub(crate) fn hits_around(&self, place: usize, count: usize) -> (f64, f64) {
        let before = &self.hits[place - count..place];
        (share(before), share(&self.hits[place..place + count]))
    }
}

fn share(hits: &[bool]) -> f64 {
    hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64
}

pub(crate) struct World {
    policy: Policy,
    nodes: Vec<Node>,
    memories: Vec<Health>,
    random: u64,
    /// The cumulative frequencies of the contexts: the sums of 1/1, 1/2, 1/3 …
    frequencies: Vec<f64>,
}

impl World {
    pub(crate) fn new(nodes: usize, policy: Policy) -> Self {
        let mut sum = 0.0;
        let frequencies = (1..=CONTEXTS).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self {
            policy,
            frequencies: frequencies.collect(),
            nodes: (0..nodes).map(Node::new).collect(),
            memories: vec![Health::default(); CLIENTS],
            random: 7,
        }
    }

    /// A random number: xorshift64*.
    fn random(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A random number from 0 to 1.
    fn fraction(&mut self) -> f64 {
        (self.random() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn context(&mut self) -> usize {
        let all = self.frequencies.last().copied().unwrap_or(0.0);
        let wanted = self.fraction() * all;
        self.frequencies.partition_point(|sum| *sum < wanted)
    }

    pub(crate) fn run(mut self, builds: usize, events: &[(usize, Event)]) -> Figures {
        let mut figures = Figures {
            hits: Vec::new(),
            totals: Vec::new(),
            at_once: 0.0,
            most_at_once: 0,
            moved: 0.0,
            lost: 0,
            delayed: 0,
            put_on_hanging: 0,
        };
        let mut now = 0.0;
        for build in 0..builds {
            now -= (1.0 - self.fraction()).ln() / RATE;
            for (_, event) in events.iter().filter(|(place, _)| *place == build) {
                self.happens(*event, now, &mut figures);
            }
            let (context, client) = (self.context(), build % CLIENTS);
            let passed_over = self.asked(client, now, &mut figures);
            let node = self.choose(&context_name(context), now - STALE, &passed_over);
            figures.put_on_hanging += usize::from(self.nodes[node].hangs);
            self.begins(node, context, now, &mut figures);
        }
        let here = self.nodes.iter().filter(|node| !node.gone);
        figures.totals = here.map(|node| node.total).collect();
        figures
    }

    /// The most builds on one node if all builds start before the first one is visible.
    pub(crate) fn burst(mut self, builds: usize, contexts: usize) -> usize {
        let mut totals: BTreeMap<usize, usize> = BTreeMap::new();
        for build in 0..builds {
            let name = context_name(build % contexts);
            *totals
                .entry(self.choose(&name, 0.0, &BTreeSet::new()))
                .or_default() += 1;
        }
        totals.into_values().max().unwrap_or(0)
    }

    /// A client asks all nodes. It waits for a node that hangs, unless it remembers the failure.
    /// Returns the nodes that hang.
    fn asked(&mut self, client: usize, now: f64, figures: &mut Figures) -> BTreeSet<String> {
        let (memory, now) = (&mut self.memories[client], time(now));
        let mut waited = false;
        for node in self.nodes.iter().filter(|node| node.hangs) {
            waited |= !memory.is_passed_over(&node.name, now);
            memory.note_failure(&node.name, now);
        }
        figures.delayed += usize::from(waited);
        let silent = self.nodes.iter().filter(|node| node.hangs);
        silent.map(|node| node.name.clone()).collect()
    }

    fn choose(&mut self, context: &str, at: f64, silent: &BTreeSet<String>) -> usize {
        let draw = self.random();
        let answer = |node: &&usize| {
            let node = &self.nodes[**node];
            !node.gone && !silent.contains(&node.name)
        };
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let places: Vec<usize> = all.iter().filter(answer).copied().collect();
        let place = match self.policy {
            Policy::Random => (draw >> 32) as usize % places.len(),
            Policy::HashAlone => {
                let idle = places.iter().map(|node| PoolNode {
                    name: &self.nodes[*node].name,
                    running: 0,
                });
                let idle: Vec<PoolNode<'_>> = idle.collect();
                pool_node(&idle, context, draw).expect("there are nodes")
            }
            Policy::Of(placement) => {
                let offers = places.iter().map(|node| Offer {
                    name: self.nodes[*node].name.clone(),
                    running: self.nodes[*node].running(at),
                    ..Offer::default()
                });
                let offers: Vec<Offer> = offers.collect();
                let rules = Rules {
                    context,
                    placement,
                    draw,
                    ..Rules::default()
                };
                assign(&[platform()], &offers, &rules)[0].node
            }
        };
        places[place]
    }

    fn begins(&mut self, node: usize, context: usize, now: f64, figures: &mut Figures) {
        let factor = 0.5 + self.fraction();
        let others = self
            .nodes
            .iter()
            .map(|node| node.running(now))
            .sum::<usize>();
        let node = &mut self.nodes[node];
        let hit = node.hits(context);
        node.builds.retain(|(_, ends)| *ends > now - 2.0 * STALE);
        let takes = if hit { CACHED } else { COLD };
        node.builds.push((now, now + takes * factor));
        node.total += 1;
        figures.hits.push(hit);
        figures.at_once += (others + 1) as f64 / self.nodes.len() as f64;
        figures.most_at_once = figures.most_at_once.max(self.nodes_most(now));
    }

    fn nodes_most(&self, now: f64) -> usize {
        let running = self.nodes.iter().map(|node| node.running(now));
        running.max().unwrap_or(0)
    }

    fn happens(&mut self, event: Event, now: f64, figures: &mut Figures) {
        let before = self.owners();
        match event {
            Event::Joins => self.nodes.push(Node::new(self.nodes.len())),
            Event::Leaves(node) => self.nodes[node].gone = true,
            Event::LeaveFrom(node, count) => {
                let leaving = self.nodes[node..].iter_mut().take(count);
                leaving.for_each(|node| node.gone = true);
            }
            Event::Hangs(node) => {
                self.nodes[node].hangs = true;
                figures.lost = self.nodes[node].running(now);
            }
        }
        let moved = before.iter().zip(self.owners()).filter(|(a, b)| *a != b);
        figures.moved = moved.count() as f64 / CONTEXTS as f64;
    }

    /// The own node of each context.
    fn owners(&self) -> Vec<String> {
        let here = self.nodes.iter().filter(|node| !node.gone);
        let nodes: Vec<PoolNode<'_>> = here
            .map(|node| PoolNode {
                name: &node.name,
                running: 0,
            })
            .collect();
        let own = |context| {
            let node = pool_node(&nodes, &context_name(context), 0).expect("there are nodes");
            nodes[node].name.to_owned()
        };
        (0..CONTEXTS).map(own).collect()
    }
}

fn context_name(context: usize) -> String {
    format!("https://git.test/team/project{context}#.")
}

fn platform() -> Platform {
    Platform::parse("linux/amd64").expect("a platform")
}

fn time(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(1e9 + seconds)
}
