//! Names the distribution package that registers emulators, for machines without an engine. Pure.

/// Returns an instruction for a machine, based on the text of its `/etc/os-release`.
pub fn package_hint(os_release: &str) -> &'static str {
    let of = |key: &str| {
        let mut lines = os_release.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().trim().trim_matches(['"', '\''])
    };
    let names = [of("ID")].into_iter().chain(of("ID_LIKE").split(' '));
    let commands = names.filter_map(|name| COMMANDS.iter().find(|(known, _)| *known == name));
    let mut commands = commands.map(|(_, command)| *command);
    commands.next().unwrap_or(
        "install the distribution's package of QEMU's user mode emulators (qemu-user-static or the \
         like) and its \
         registration with binfmt_misc",
    )
}

const COMMANDS: [(&str, &str); 9] = [
    ("debian", "apt-get install qemu-user-static binfmt-support"),
    ("ubuntu", "apt-get install qemu-user-static binfmt-support"),
    (
        "fedora",
        "dnf install qemu-user-static && systemctl restart systemd-binfmt",
    ),
    (
        "rhel",
        "dnf install qemu-user-static && systemctl restart systemd-binfmt (the package is in EPEL)",
    ),
    (
        "arch",
        "pacman -S qemu-user-static qemu-user-static-binfmt && systemctl restart systemd-binfmt",
    ),
    (
        "alpine",
        "apk add qemu-openrc qemu-aarch64 qemu-arm (and so on) && rc-service qemu-binfmt start",
    ),
    ("suse", "zypper install qemu-linux-user"),
    ("opensuse", "zypper install qemu-linux-user"),
    (
        "nixos",
        "boot.binfmt.emulatedSystems and boot.binfmt.preferStaticEmulators in configuration.nix",
    ),
];

#[cfg(test)]
mod tests {
    use super::package_hint;

    #[test]
    fn the_distribution_or_the_one_that_it_is_like_decides() {
        let debian = "PRETTY_NAME=\"Debian\"\nID=debian\n";
        assert!(package_hint(debian).starts_with("apt-get install qemu-user-static"));
        let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
        assert!(package_hint(mint).starts_with("apt-get"));
        let rocky = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n";
        assert!(package_hint(rocky).contains("EPEL"));
        let leap = "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n";
        assert!(package_hint(leap).starts_with("zypper"));
        for text in ["", "ID", "ID=\n", "NAME=debian\n"] {
            assert!(package_hint(text).starts_with("install the dist"), "{text}");
        }
    }
}
