use super::*;

fn platform(text: &str) -> Platform {
    Platform::parse(text).unwrap()
}

fn handler(name: &str, architecture: &str, state: &str, flags: &str) -> Handler {
    let magic: String = program(architecture).unwrap()[..20]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text =
        format!("{state}\ninterpreter /usr/bin/{name}\nflags: {flags}\noffset 0\nmagic {magic}\n");
    Handler::parse(name, text.as_bytes()).unwrap()
}

fn builder(listed: &[&str], release: &str, emulators: Emulators) -> Builder {
    Builder {
        listed: listed.iter().map(|text| platform(text)).collect(),
        machine: Some(Machine {
            hostname: "here".to_owned(),
            platform: platform("linux/amd64"),
            release: release.to_owned(),
            emulators,
        }),
    }
}

fn mounted(handlers: Vec<Handler>) -> Emulators {
    Emulators::Mounted {
        enabled: true,
        handlers,
    }
}

#[test]
fn the_machine_s_own_programs_are_native() {
    let listed = ["linux/amd64", "linux/amd64/v2", "linux/386"];
    let builder = builder(&listed, "6.1", mounted(vec![]));
    for native in ["linux/amd64", "linux/386", "linux/amd64/v2"] {
        assert_eq!(
            builder.ability(&platform(native)),
            Ability::Native,
            "{native}"
        );
    }
    assert_eq!(
        builder.ability(&platform("linux/amd64/v4")),
        Ability::Impossible(Reason::Processor)
    );
    let without = self::builder(&["linux/amd64"], "6.1", mounted(vec![]));
    assert_eq!(
        without.ability(&platform("linux/386")),
        Ability::Unknown(Reason::NotListed)
    );
    let other = builder.ability(&platform("windows/amd64"));
    assert_eq!(other.as_str(), "impossible");
    assert!(
        other
            .reason()
            .unwrap()
            .to_string()
            .contains("for linux only")
    );
}

#[test]
fn foreign_programs_need_a_handler_that_works_in_containers() {
    let arm64 = platform("linux/arm64");
    let of = |handler| builder(&["linux/amd64"], "6.1", mounted(vec![handler])).ability(&arm64);
    let good = handler("qemu-aarch64", "arm64", "enabled", "PF");
    assert_eq!(of(good.clone()), Ability::Emulated(Some(good.clone())));
    let off = handler("qemu-aarch64", "arm64", "disabled", "PF");
    assert_eq!(of(off.clone()), Ability::Impossible(Reason::Disabled(off)));
    let loose = handler("qemu-aarch64", "arm64", "enabled", "OC");
    assert_eq!(
        of(loose.clone()),
        Ability::Impossible(Reason::NotFixed(loose.clone()))
    );
    let other = handler("qemu-s390x", "s390x", "enabled", "PF");
    assert_eq!(of(other), Ability::Impossible(Reason::NotRegistered));
    // A single working handler is enough.
    let both = builder(&["linux/amd64"], "6.1", mounted(vec![loose, good.clone()]));
    assert_eq!(both.ability(&arm64), Ability::Emulated(Some(good)));
}

#[test]
fn the_machine_says_why_nothing_is_emulated() {
    let arm64 = platform("linux/arm64");
    let why = |release, emulators| {
        let builder = builder(&["linux/amd64"], release, emulators);
        builder.ability(&arm64).reason().unwrap().to_string()
    };
    assert!(why("6.1", Emulators::NotMounted).contains("not mounted"));
    assert!(why("3.10.0-1160.el7", mounted(vec![])).contains("3.10.0-1160.el7 is older than 4.8"));
    let off = Emulators::Mounted {
        enabled: false,
        handlers: vec![handler("qemu-aarch64", "arm64", "enabled", "PF")],
    };
    assert!(why("6.1", off).contains("turned off"));
    assert!(why("6.1", Emulators::Unreadable("denied".into())).contains("denied"));
}

#[test]
fn of_a_distant_machine_the_daemon_s_list_is_known() {
    let builder = Builder {
        listed: ["linux/arm64", "linux/arm/v7", "linux/amd64"]
            .map(platform)
            .to_vec(),
        machine: None,
    };
    assert_eq!(builder.ability(&platform("linux/arm64")), Ability::Native);
    assert_eq!(builder.ability(&platform("linux/arm/v5")), Ability::Native);
    assert_eq!(
        builder.ability(&platform("linux/amd64")),
        Ability::Emulated(None)
    );
    assert_eq!(
        builder.ability(&platform("linux/s390x")),
        Ability::Unknown(Reason::NotListed)
    );
    assert_eq!(
        Builder::default().ability(&platform("linux/s390x")),
        Ability::Unknown(Reason::NotListed)
    );
}

#[test]
fn a_list_that_the_machine_does_not_bear_out_is_doubted() {
    let builder = builder(&["linux/amd64", "linux/s390x"], "6.1", mounted(vec![]));
    assert_eq!(
        builder.ability(&platform("linux/s390x")),
        Ability::Unknown(Reason::ListedOnly)
    );
}

#[test]
fn a_trial_goes_before_what_is_concluded() {
    let builder = builder(&["linux/amd64"], "6.1", mounted(vec![]));
    let after = |text: &str, verdict| builder.ability_after(&platform(text), Some(&verdict));
    assert_eq!(after("linux/386", Verdict::Runs), Ability::Native);
    assert_eq!(after("linux/arm64", Verdict::Runs), Ability::Emulated(None));
    let failed = || Verdict::DoesNotRun("exec format error".to_owned());
    assert_eq!(
        after("linux/arm64", failed()),
        Ability::Impossible(Reason::NotRegistered)
    );
    let message = "exec format error".to_owned();
    assert_eq!(
        after("linux/386", failed()),
        Ability::Impossible(Reason::Tried { message })
    );
}
