//! The program that runs beside a cache mount, and makes the requested system calls.
//!
//! A cache mount can only be reached from a container. The daemon may have another processor than
//! this machine, and no image should be pulled for a copy. So the program has 200 bytes and the
//! same steps for each processor. All decisions are made on this side:
//!
//! 1. It reserves a block of memory on its stack, and writes the block's address (8 bytes).
//! 2. It reads a request of eleven words: number and six arguments of the call; address and length
//!    of the input; address and length of the output.
//! 3. It reads the input to its address, makes the call, and writes the result (8 bytes) and the
//!    output. For a negative length the result is the length.
//! 4. It repeats from step 2 until its standard input ends.
//!
//! It can do no more than any step of a build: it has the container's own rights. The assembly is
//! in `docs/cache-mounts.md`.

mod code;

use crate::emulation::executable;

/// The size of the block.
pub(super) const BLOCK: u64 = 0x11_0000;

/// The differences between architectures: the program, the system call numbers, and two flags.
#[derive(Debug)]
pub(super) struct System {
    architecture: &'static str,
    code: &'static [u8],
    pub(super) calls: &'static Calls,
    pub(super) o_directory: u64,
    pub(super) o_nofollow: u64,
}

/// Declares [`Calls`] and its values: for amd64, and for processors with the generic numbers.
macro_rules! calls {
    ($($name:ident $amd64:literal $generic:literal,)*) => {
        /// The numbers of system calls.
        #[derive(Debug)]
        pub(super) struct Calls {
            $(pub(super) $name: u64,)*
        }
        static AMD64: Calls = Calls { $($name: $amd64,)* };
        static GENERIC: Calls = Calls { $($name: $generic,)* };
    };
}

// The name, the number on amd64 (Linux: arch/x86/entry/syscalls/syscall_64.tbl), and the number on
// arm64 and riscv64 (Linux: include/uapi/asm-generic/unistd.h). `getdents` is getdents64.
calls! {
    read          0  63,
    write         1  64,
    close         3  57,
    openat      257  56,
    getdents    217  61,
    statx       332 291,
    readlinkat  267  78,
    mkdirat     258  34,
    mknodat     259  33,
    symlinkat   266  36,
    linkat      265  37,
    unlinkat    263  35,
    renameat2   316 276,
    fchown       93  55,
    fchownat    260  54,
    fchmod       91  52,
    fchmodat    268  53,
    utimensat   280  88,
    llistxattr  195  12,
    lgetxattr   192   9,
    lsetxattr   189   6,
}

/// Linux on the supported processors. The flags are from `fcntl.h`; arm64 has some of its own
/// (Linux: arch/arm64/include/uapi/asm/fcntl.h).
static SYSTEMS: [System; 3] = [
    System {
        architecture: "amd64",
        code: code::AMD64,
        calls: &AMD64,
        o_directory: 0o20_0000,
        o_nofollow: 0o40_0000,
    },
    System {
        architecture: "arm64",
        code: code::ARM64,
        calls: &GENERIC,
        o_directory: 0o4_0000,
        o_nofollow: 0o10_0000,
    },
    System {
        architecture: "riscv64",
        code: code::RISCV64,
        calls: &GENERIC,
        o_directory: 0o20_0000,
        o_nofollow: 0o40_0000,
    },
];

impl System {
    /// Returns Linux on an architecture, by its name in Go.
    pub(super) fn of(architecture: &str) -> Option<&'static Self> {
        SYSTEMS
            .iter()
            .find(|system| system.architecture == architecture)
    }

    /// The names of the supported architectures.
    pub(super) fn architectures() -> Vec<&'static str> {
        SYSTEMS.iter().map(|system| system.architecture).collect()
    }

    /// Returns the program as an executable file.
    pub(super) fn program(&self) -> Vec<u8> {
        executable(self.architecture, self.code).unwrap_or_default()
    }
}
