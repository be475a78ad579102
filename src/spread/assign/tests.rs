//! Examples of assignments, and properties that hold for all.

use proptest::prelude::*;

use super::*;

fn platforms(texts: &[&str]) -> Vec<Platform> {
    let parse = |text: &&str| Platform::parse(text).unwrap();
    texts.iter().map(parse).collect()
}

fn offer(name: &str, given: &[&str], reported: &[&str], running: usize) -> Offer {
    Offer {
        given: platforms(given),
        reported: platforms(reported),
        running,
        name: name.to_owned(),
        passed_over: false,
    }
}

/// `NODE:PLATFORM,PLATFORM` of each share.
fn shown(wanted: &[&str], offers: &[Offer], rules: &Rules<'_>) -> Vec<String> {
    let shares = assign(&platforms(wanted), offers, rules);
    let show = |share: &Share| {
        let texts = share.platforms.iter().map(|(it, fit)| match fit {
            Fit::Native => it.to_string(),
            Fit::Emulated => format!("{it}~"),
            Fit::Unknown => format!("{it}?"),
        });
        let texts: Vec<String> = texts.collect();
        format!("{}:{}", offers[share.node].name, texts.join(","))
    };
    shares.iter().map(show).collect()
}

const AMD: [&str; 4] = ["linux/amd64", "linux/386", "linux/arm64", "linux/arm/v7"];
const ARM: [&str; 4] = ["linux/arm64", "linux/arm/v7", "linux/amd64", "linux/386"];

#[test]
fn native_nodes_come_before_those_that_emulate() {
    let nodes = [offer("x", &[], &AMD, 0), offer("a", &[], &ARM, 0)];
    let wanted = ["linux/arm64", "linux/amd64", "linux/arm/v7", "linux/386"];
    assert_eq!(
        shown(&wanted, &nodes, &Rules::default()),
        ["a:linux/arm64,linux/arm/v7", "x:linux/amd64,linux/386"]
    );
    let only = &nodes[..1];
    assert_eq!(
        shown(&wanted[..2], only, &Rules::default()),
        ["x:linux/arm64~,linux/amd64"]
    );
}

#[test]
fn a_platform_goes_to_the_node_that_it_was_given_to() {
    let nodes = [
        offer("x", &["linux/arm64"], &AMD, 0),
        offer("a", &[], &ARM, 0),
    ];
    assert_eq!(
        shown(&["linux/arm64"], &nodes, &Rules::default()),
        ["x:linux/arm64~"]
    );
    let native = Rules {
        require_native: true,
        ..Rules::default()
    };
    assert_eq!(
        shown(&["linux/arm64"], &nodes, &native),
        ["a:linux/arm64"],
        "unless emulation is forbidden"
    );
    let both = [
        offer("x", &["linux/arm64"], &AMD, 0),
        offer("a", &["linux/arm64/v8"], &ARM, 9),
    ];
    assert_eq!(
        shown(&["linux/arm64"], &both, &Rules::default()),
        ["a:linux/arm64"]
    );
}

#[test]
fn a_platform_that_nobody_names_is_tried_all_the_same() {
    let nodes = [offer("x", &[], &["linux/amd64"], 0)];
    assert_eq!(
        shown(&["linux/s390x"], &nodes, &Rules::default()),
        ["x:linux/s390x?"]
    );
}

#[test]
fn a_later_version_of_a_processor_goes_where_it_is() {
    let old = offer("old", &[], &["linux/amd64"], 0);
    let new = offer("new", &[], &["linux/amd64", "linux/amd64/v3"], 3);
    assert_eq!(
        shown(&["linux/amd64/v3"], &[old, new], &Rules::default()),
        ["new:linux/amd64/v3"]
    );
}

#[test]
fn of_equal_nodes_the_idle_one_is_taken() {
    let nodes = [offer("x", &[], &AMD, 2), offer("y", &[], &AMD, 1)];
    for context in ["a", "b", "c", "d"] {
        let rules = Rules {
            context,
            ..Rules::default()
        };
        assert_eq!(
            shown(&["linux/amd64", "linux/arm64"], &nodes, &rules),
            ["y:linux/amd64,linux/arm64~"]
        );
    }
}

#[test]
fn the_first_of_equal_nodes_is_buildx_s_choice() {
    let nodes = [
        offer("a", &[], &ARM, 0),
        offer("x", &[], &AMD, 9),
        offer("y", &[], &AMD, 0),
    ];
    let rules = Rules {
        placement: Placement::First,
        ..Rules::default()
    };
    assert_eq!(
        shown(&["linux/amd64", "linux/arm64"], &nodes, &rules),
        ["x:linux/amd64", "a:linux/arm64"]
    );
}

#[test]
fn a_pool_is_the_nodes_that_serve_a_platform_best() {
    let names = ["a", "b", "x", "y", "z"];
    let offers: Vec<Offer> = names
        .iter()
        .map(|name| offer(name, &[], if *name < "x" { &ARM } else { &AMD }, 1))
        .collect();
    for number in 0..40 {
        let context = format!("/src/{number}");
        let of = |offers: &[Offer], draw| {
            let rules = Rules {
                context: &context,
                placement: Placement::Pool,
                draw,
                ..Rules::default()
            };
            shown(&["linux/amd64", "linux/386", "linux/arm64"], offers, &rules)
        };
        let shares = of(&offers, number);
        assert_eq!(
            shares.len(),
            2,
            "platforms of one pool are together: {shares:?}"
        );
        assert!(
            shares[0].as_str() >= "x" && shares[1].as_str() < "c",
            "{shares:?}"
        );
        assert_eq!(shares, of(&offers, number + 1), "the nodes have room");
        // A busy pool of another processor changes nothing here.
        let mut busy = offers.clone();
        busy[0].running = 90;
        busy[1].running = 90;
        assert_eq!(of(&busy, number)[0], shares[0]);
    }
}

#[test]
fn a_node_that_failed_lately_is_the_last_of_its_equals() {
    let mut nodes = [offer("x", &[], &AMD, 0), offer("y", &[], &AMD, 9)];
    nodes[0].passed_over = true;
    for placement in Placement::ALL {
        let rules = Rules {
            placement,
            ..Rules::default()
        };
        assert_eq!(shown(&["linux/amd64"], &nodes, &rules), ["y:linux/amd64"]);
        let together = Rules {
            together: true,
            ..rules
        };
        assert_eq!(shown(&["linux/386"], &nodes, &together), ["y:linux/386"]);
        assert_eq!(assign(&[], &nodes, &rules)[0].node, 1);
        // A failed node is still used if no other is as good.
        let mixed = [nodes[0].clone(), offer("a", &[], &ARM, 0)];
        assert_eq!(shown(&["linux/amd64"], &mixed, &rules), ["x:linux/amd64"]);
    }
}

#[test]
fn a_context_comes_back_to_its_node() {
    let of = |names: &[&str], context: &str| {
        let offers: Vec<Offer> = names.iter().map(|it| offer(it, &[], &AMD, 0)).collect();
        let rules = Rules {
            context,
            ..Rules::default()
        };
        let node = assign(&platforms(&["linux/amd64"]), &offers, &rules)[0].node;
        names[node].to_owned()
    };
    let contexts: Vec<String> = (0..40).map(|number| format!("/src/{number}")).collect();
    let mut taken = std::collections::BTreeSet::new();
    for context in &contexts {
        let node = of(&["x", "y", "z"], context);
        assert_eq!(node, of(&["z", "x", "y"], context), "in any order");
        if node != "y" {
            assert_eq!(node, of(&["x", "z"], context), "without another one");
        }
        taken.insert(node);
    }
    assert_eq!(taken.len(), 3, "all get some");
}

#[test]
fn without_platforms_it_is_a_node_like_the_first() {
    let nodes = [
        offer("x", &[], &AMD, 5),
        offer("a", &[], &ARM, 0),
        offer("y", &[], &AMD, 1),
    ];
    let shares = assign(&[], &nodes, &Rules::default());
    assert_eq!((shares.len(), shares[0].node), (1, 2));
    assert!(shares[0].platforms.is_empty());
}

#[test]
fn what_is_to_be_together_goes_to_the_node_that_can_do_all() {
    let nodes = [
        offer("x", &[], &["linux/amd64"], 0),
        offer("y", &[], &AMD, 7),
        offer("a", &[], &["linux/arm64", "linux/arm/v7"], 0),
    ];
    let rules = Rules {
        together: true,
        ..Rules::default()
    };
    assert_eq!(
        shown(&["linux/amd64", "linux/arm64"], &nodes, &rules),
        ["y:linux/amd64,linux/arm64~"]
    );
    assert_eq!(shown(&["linux/arm/v7"], &nodes, &rules), ["a:linux/arm/v7"]);
}

#[test]
fn nobody_builds_nothing() {
    assert!(assign(&platforms(&["linux/amd64"]), &[], &Rules::default()).is_empty());
    assert!(assign(&[], &[], &Rules::default()).is_empty());
}

const NAMES: [&str; 8] = [
    "linux/amd64",
    "linux/amd64/v3",
    "linux/386",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v5",
    "linux/s390x",
    "windows/amd64",
];

fn some_platforms() -> impl Strategy<Value = Vec<Platform>> {
    proptest::collection::btree_set(0..NAMES.len(), 0..NAMES.len()).prop_map(|places| {
        let names: Vec<&str> = places.into_iter().map(|place| NAMES[place]).collect();
        platforms(&names)
    })
}

fn some_offers() -> impl Strategy<Value = Vec<Offer>> {
    let one = (some_platforms(), some_platforms(), 0_usize..4);
    proptest::collection::vec(one, 1..5).prop_map(|all| {
        let offers = all.into_iter().enumerate();
        let offer = |(number, (given, reported, running)): (usize, (_, _, usize))| Offer {
            given,
            reported,
            running,
            name: format!("n{number}"),
            passed_over: false,
        };
        offers.map(offer).collect()
    })
}

proptest! {
    #[test]
    fn every_platform_is_built_once(
        wanted in some_platforms(),
        offers in some_offers(),
        together: bool,
        require_native: bool,
        placement in proptest::sample::select(&Placement::ALL),
        draw: u64,
    ) {
        let rules = Rules { together, require_native, placement, draw, context: "c" };
        let shares = assign(&wanted, &offers, &rules);
        let mut built: Vec<Platform> = shares
            .iter()
            .flat_map(|share| share.platforms.iter().map(|(platform, _)| platform.clone()))
            .collect();
        built.sort();
        let mut expected = wanted.clone();
        expected.sort();
        prop_assert_eq!(built, expected);
        let mut nodes: Vec<usize> = shares.iter().map(|share| share.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        prop_assert_eq!(nodes.len(), shares.len(), "a node has one share");
        prop_assert!(nodes.iter().all(|node| *node < offers.len()));
        if together || wanted.is_empty() {
            prop_assert_eq!(shares.len(), 1);
        }
    }

    #[test]
    fn nothing_is_emulated_that_could_be_native(
        wanted in some_platforms(),
        offers in some_offers(),
    ) {
        let rules = Rules { require_native: true, ..Rules::default() };
        for share in assign(&wanted, &offers, &rules) {
            for (platform, found) in share.platforms {
                let best = offers.iter().map(|offer| fit(&platform, offer)).min();
                prop_assert_eq!(Some(found), best);
            }
        }
    }

    #[test]
    fn the_same_input_gives_the_same_shares(wanted in some_platforms(), offers in some_offers()) {
        let rules = Rules { context: "/a/b", ..Rules::default() };
        prop_assert_eq!(assign(&wanted, &offers, &rules), assign(&wanted, &offers, &rules));
    }
}
