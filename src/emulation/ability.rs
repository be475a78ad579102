//! Decides if and how a builder can run a platform's programs. Pure: computed from data about the
//! daemon and its machine.

use std::fmt;

use super::{Emulators, Handler, KernelVersion, Machine, Verdict, program};
use crate::oci::{Platform, PlatformMatcher};

/// The known facts about a builder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Builder {
    /// The platforms that the daemon lists, its own first. It detects them at its start; newer
    /// daemons also detect them later.
    pub listed: Vec<Platform>,
    /// The machine that it runs on, if accessible.
    pub machine: Option<Machine>,
}

/// The way in which programs of a platform run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ability {
    /// Natively.
    Native,
    /// With an emulator; `None` if the machine is not accessible, or the daemon has its own
    /// emulator.
    Emulated(Option<Handler>),
    /// Not possible.
    Impossible(Reason),
    /// Not known.
    Unknown(Reason),
}

/// Why programs of a platform do not run, or why that is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The programs are for another operating system.
    OperatingSystem {
        /// The daemon's operating system.
        native: String,
    },
    /// The processor is too old for the architecture's variant.
    Processor,
    /// binfmt_misc is not mounted.
    NotMounted,
    /// binfmt_misc is disabled as a whole.
    AllDisabled,
    /// No emulator is registered.
    NotRegistered,
    /// The emulator is registered but disabled.
    Disabled(Handler),
    /// The emulator is registered without the flag `F`: the kernel looks for it inside the
    /// container, which does not have it.
    NotFixed(Handler),
    /// The kernel is older than 4.8, which introduced that flag.
    OldKernel {
        /// The kernel's release.
        release: String,
    },
    /// binfmt_misc is not readable.
    Unreadable(String),
    /// The daemon does not list the platform, and its machine is not accessible.
    NotListed,
    /// The daemon lists the platform, but its machine has no emulator registered.
    ListedOnly,
    /// A trial program did not run.
    Tried {
        /// The daemon's message.
        message: String,
    },
}

impl Builder {
    /// Returns the builder's own platform, if known.
    pub fn native(&self) -> Option<&Platform> {
        let machine = self.machine.as_ref().map(|machine| &machine.platform);
        // A daemon with configured platforms may list another one first.
        machine.or(self.listed.first())
    }

    /// Returns how the builder runs programs of a platform.
    pub fn ability(&self, platform: &Platform) -> Ability {
        let platform = platform.normalized();
        let is_listed = self.lists(&platform);
        let Some(native) = self.native().map(Platform::normalized) else {
            return Ability::Unknown(Reason::NotListed);
        };
        if platform.os != native.os {
            let native = native.os;
            return Ability::Impossible(Reason::OperatingSystem { native });
        }
        // The kernel checks the handlers before it checks if it can run a file itself.
        if let Some(handler) = self.handler(&platform) {
            return Ability::Emulated(Some(handler.clone()));
        }
        let is_own = platform.architecture == native.architecture;
        if PlatformMatcher::only(&native).matches(&platform) {
            // Some 64-bit machines do not run 32-bit programs; the daemon has tried.
            let has_tried = |listed: &Platform| listed.architecture == platform.architecture;
            return match is_own || self.listed.iter().any(has_tried) {
                true => Ability::Native,
                false => Ability::Unknown(Reason::NotListed),
            };
        }
        if is_own {
            return match is_listed {
                true => Ability::Native,
                false => Ability::Impossible(Reason::Processor),
            };
        }
        match (&self.machine, is_listed) {
            (None, true) => Ability::Emulated(None),
            (None, false) => Ability::Unknown(Reason::NotListed),
            (Some(machine), is_listed) => match machine.missing(&platform) {
                Reason::NotRegistered if is_listed => Ability::Unknown(Reason::ListedOnly),
                reason @ Reason::Unreadable(_) => match is_listed {
                    true => Ability::Emulated(None),
                    false => Ability::Unknown(reason),
                },
                reason => Ability::Impossible(reason),
            },
        }
    }

    /// As `ability`, with the verdict of a trial, which takes precedence. The machine's own reason
    /// for a failure is preferred, because it is more precise.
    pub fn ability_after(&self, platform: &Platform, verdict: Option<&Verdict>) -> Ability {
        let message = match verdict {
            None => return self.ability(platform),
            Some(Verdict::Runs) => {
                let own = self.native().map(PlatformMatcher::only);
                return match own.is_some_and(|own| own.matches(platform)) {
                    true => Ability::Native,
                    false => Ability::Emulated(self.handler(&platform.normalized()).cloned()),
                };
            }
            Some(Verdict::DoesNotRun(message)) => message.clone(),
        };
        match self.ability(platform) {
            impossible @ Ability::Impossible(_) => impossible,
            _ => Ability::Impossible(Reason::Tried { message }),
        }
    }

    /// Returns true if the daemon lists the platform, or one that includes it as `arm/v7` includes
    /// `arm/v5`. It then runs such programs without further checks.
    pub fn lists(&self, platform: &Platform) -> bool {
        // Usually it is in the list itself, which needs no matcher for each entry.
        let includes = |listed| PlatformMatcher::only(listed).matches(platform);
        self.listed.contains(platform) || self.listed.iter().any(includes)
    }

    /// Returns the handler that the kernel uses, if it works inside containers.
    fn handler(&self, platform: &Platform) -> Option<&Handler> {
        let machine = self.machine.as_ref()?;
        let Emulators::Mounted {
            enabled: true,
            handlers,
        } = &machine.emulators
        else {
            return None;
        };
        let file = program(&platform.architecture)?;
        let mut handlers = handlers.iter();
        handlers.find(|handler| handler.enabled && handler.flags.is_fixed() && handler.runs(&file))
    }
}

impl Machine {
    /// Returns the reason why no handler runs the platform's programs.
    fn missing(&self, platform: &Platform) -> Reason {
        let old = self
            .kernel()
            .is_some_and(|version| version < KernelVersion::FIXED_HANDLERS);
        let handlers = match &self.emulators {
            _ if old => {
                return Reason::OldKernel {
                    release: self.release.clone(),
                };
            }
            Emulators::NotMounted => return Reason::NotMounted,
            Emulators::Unreadable(why) => return Reason::Unreadable(why.clone()),
            Emulators::Mounted { enabled: false, .. } => return Reason::AllDisabled,
            Emulators::Mounted { handlers, .. } => handlers,
        };
        let Some(file) = program(&platform.architecture) else {
            return Reason::NotRegistered;
        };
        let found = handlers.iter().find(|handler| handler.runs(&file));
        match found.cloned() {
            None => Reason::NotRegistered,
            Some(handler) if !handler.enabled => Reason::Disabled(handler),
            Some(handler) => Reason::NotFixed(handler),
        }
    }
}

impl Ability {
    /// Returns its name: `native`, `emulated`, `impossible` or `unknown`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Emulated(_) => "emulated",
            Self::Impossible(_) => "impossible",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Returns the handler in use, or the one that is not usable.
    pub fn handler(&self) -> Option<&Handler> {
        match self {
            Self::Emulated(handler) => handler.as_ref(),
            Self::Impossible(Reason::Disabled(handler) | Reason::NotFixed(handler)) => {
                Some(handler)
            }
            _ => None,
        }
    }

    /// Returns the reason, if programs do not run or that is unknown.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Native | Self::Emulated(_) => None,
            Self::Impossible(reason) | Self::Unknown(reason) => Some(reason),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OperatingSystem { native } => {
                write!(f, "the machine runs programs for {native} only")
            }
            Self::Processor => f.write_str("the processor is older than that"),
            Self::NotMounted => f.write_str("binfmt_misc is not mounted there"),
            Self::AllDisabled => f.write_str("binfmt_misc is turned off there"),
            Self::NotRegistered => f.write_str("no emulator is registered for it (binfmt_misc)"),
            Self::Disabled(handler) => {
                write!(
                    f,
                    "its emulator {} is registered and turned off",
                    handler.name
                )
            }
            Self::NotFixed(handler) => write!(
                f,
                "its emulator {} is registered without the flag F, and so is not found inside \
                 containers",
                handler.name
            ),
            Self::OldKernel { release } => write!(
                f,
                "the kernel {release} is older than 4.8, whose emulators work inside containers"
            ),
            Self::Unreadable(why) => write!(f, "binfmt_misc cannot be read: {why}"),
            Self::NotListed => f.write_str("the daemon does not list it"),
            Self::ListedOnly => {
                f.write_str("the daemon lists it, and no emulator is registered for it")
            }
            Self::Tried { message } => {
                write!(f, "one that was tried failed ({message})")
            }
        }
    }
}

#[cfg(test)]
mod tests;
