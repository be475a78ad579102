//! Tiny programs: an ELF file per architecture that exits successfully and does nothing else.
//!
//! They show which handler of binfmt_misc the kernel would use for an architecture (it compares the
//! first bytes of a file), and if a builder can run such a program.

/// The load address.
const BASE: u64 = 0x40_0000;
/// A page size that works on any machine: arm64 and ppc64le have large pages.
const ALIGNMENT: u64 = 0x1_0000;

/// An architecture in ELF terms, with the code of the system call `exit(0)`.
struct Architecture {
    /// The name in Go.
    name: &'static str,
    /// The ELF machine number.
    machine: u16,
    is_64_bit: bool,
    is_little_endian: bool,
    /// The ELF flags: the calling convention, if the architecture has several.
    flags: u32,
    code: &'static [u8],
}

const ARCHITECTURES: [Architecture; 13] = [
    // xor edi, edi; mov eax, 60; syscall
    little("amd64", 62, 0, &[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]),
    // xor ebx, ebx; mov eax, 1; int 0x80
    Architecture {
        is_64_bit: false,
        ..little("386", 3, 0, &[0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80])
    },
    // mov x0, 0; mov x8, 93; svc 0
    little(
        "arm64",
        183,
        0,
        &[0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4],
    ),
    // mov r0, 0; mov r7, 1; svc 0
    Architecture {
        is_64_bit: false,
        ..little(
            "arm",
            40,
            0x0500_0000,
            &[0, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef],
        )
    },
    // li a0, 0; li a7, 93; ecall
    little(
        "riscv64",
        243,
        0,
        &[0x13, 5, 0, 0, 0x93, 8, 0xd0, 5, 0x73, 0, 0, 0],
    ),
    // li r3, 0; li r0, 1; sc
    little(
        "ppc64le",
        21,
        2,
        &[0, 0, 0x60, 0x38, 1, 0, 0, 0x38, 2, 0, 0, 0x44],
    ),
    big(
        "ppc64",
        21,
        2,
        &[0x38, 0x60, 0, 0, 0x38, 0, 0, 1, 0x44, 0, 0, 2],
    ),
    // lghi r2, 0; svc 1
    big("s390x", 22, 0, &[0xa7, 0x29, 0, 0, 0x0a, 1]),
    // addiu a0, zero, 0; addiu v0, zero, 5058; syscall
    little(
        "mips64le",
        8,
        0x8000_0007,
        &[0, 0, 4, 0x24, 0xc2, 0x13, 2, 0x24, 0x0c, 0, 0, 0],
    ),
    big(
        "mips64",
        8,
        0x8000_0007,
        &[0x24, 4, 0, 0, 0x24, 2, 0x13, 0xc2, 0, 0, 0, 0x0c],
    ),
    // The same as above, with system call 4001.
    Architecture {
        is_64_bit: false,
        ..little(
            "mipsle",
            8,
            0x7000_1007,
            &[0, 0, 4, 0x24, 0xa1, 0x0f, 2, 0x24, 0x0c, 0, 0, 0],
        )
    },
    Architecture {
        is_64_bit: false,
        ..big(
            "mips",
            8,
            0x7000_1007,
            &[0x24, 4, 0, 0, 0x24, 2, 0x0f, 0xa1, 0, 0, 0, 0x0c],
        )
    },
    // addi.w a0, zero, 0; addi.w a7, zero, 93; syscall 0
    little(
        "loong64",
        258,
        0x43,
        &[4, 0, 0x80, 2, 0x0b, 0x74, 0x81, 2, 0, 0, 0x2b, 0],
    ),
];

const fn little(name: &'static str, machine: u16, flags: u32, code: &'static [u8]) -> Architecture {
    Architecture {
        name,
        machine,
        is_64_bit: true,
        is_little_endian: true,
        flags,
        code,
    }
}

const fn big(name: &'static str, machine: u16, flags: u32, code: &'static [u8]) -> Architecture {
    Architecture {
        is_little_endian: false,
        ..little(name, machine, flags, code)
    }
}

/// Returns the program for an architecture, by its Go name; `None` if unsupported.
pub fn program(architecture: &str) -> Option<Vec<u8>> {
    let found = ARCHITECTURES
        .iter()
        .find(|known| known.name == architecture);
    found.map(|known| known.file(known.code))
}

/// Returns an executable file of this code, which is loaded read-only; `None` if the architecture
/// is unsupported.
pub(crate) fn executable(architecture: &str, code: &[u8]) -> Option<Vec<u8>> {
    let found = ARCHITECTURES
        .iter()
        .find(|known| known.name == architecture);
    found.map(|known| known.file(code))
}

impl Architecture {
    /// Builds the file: ELF header, one program header, the code.
    fn file(&self, code: &[u8]) -> Vec<u8> {
        let (header, segment) = match self.is_64_bit {
            true => (64, 56),
            false => (52, 32),
        };
        let begin = u64::from(header) + u64::from(segment);
        let size = begin + code.len() as u64;
        let class = if self.is_64_bit { 2 } else { 1 };
        let order = if self.is_little_endian { 1 } else { 2 };
        let mut file = vec![0x7f, b'E', b'L', b'F', class, order, 1, 0];
        file.extend([0; 8]);
        // The type of an executable file.
        self.half(&mut file, 2);
        self.half(&mut file, self.machine);
        self.word(&mut file, 1);
        self.address(&mut file, BASE + begin);
        self.address(&mut file, u64::from(header));
        self.address(&mut file, 0);
        self.word(&mut file, self.flags);
        for half in [header, segment, 1, 0, 0, 0] {
            self.half(&mut file, half);
        }
        // A loadable segment, readable and executable.
        self.word(&mut file, 1);
        if self.is_64_bit {
            self.word(&mut file, 5);
        }
        for address in [0, BASE, BASE, size, size] {
            self.address(&mut file, address);
        }
        if !self.is_64_bit {
            self.word(&mut file, 5);
        }
        self.address(&mut file, ALIGNMENT);
        file.extend(code);
        file
    }

    fn half(&self, file: &mut Vec<u8>, value: u16) {
        file.extend(match self.is_little_endian {
            true => value.to_le_bytes(),
            false => value.to_be_bytes(),
        });
    }

    fn word(&self, file: &mut Vec<u8>, value: u32) {
        file.extend(match self.is_little_endian {
            true => value.to_le_bytes(),
            false => value.to_be_bytes(),
        });
    }

    fn address(&self, file: &mut Vec<u8>, value: u64) {
        match (self.is_64_bit, self.is_little_endian) {
            (true, true) => file.extend(value.to_le_bytes()),
            (true, false) => file.extend(value.to_be_bytes()),
            // All values here are far below 4 GiB.
            (false, _) => self.word(file, u32::try_from(value).unwrap_or(u32::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn programs_are_small_and_have_their_header() {
        for known in &ARCHITECTURES {
            let file = program(known.name).unwrap();
            assert!(file.starts_with(b"\x7fELF"), "{}", known.name);
            let header = if known.is_64_bit { 64 + 56 } else { 52 + 32 };
            assert_eq!(file.len(), header + known.code.len(), "{}", known.name);
        }
        assert_eq!(program("vax"), None);
    }

    #[test]
    fn the_program_of_this_machine_ends_well() {
        let host = crate::oci::Platform::host();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, program(&host.architecture).unwrap()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        // Another thread's child process may briefly have the file open for writing.
        let ended = (0..50).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            std::process::Command::new(&path).status().ok()
        });
        assert!(ended.unwrap().success());
    }
}
