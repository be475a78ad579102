use std::io::Write as _;

use tar::{Builder, Header};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(builder: &mut Builder<Vec<u8>>, name: &str, content: &str) {
    let mut header = Header::new_gnu();
    header.set_mode(0o100_644);
    header.set_mtime(7);
    header.set_size(content.len() as u64);
    builder
        .append_data(&mut header, name, content.as_bytes())
        .unwrap();
}

#[test]
fn properties_come_from_headers_and_their_extensions() {
    let mut builder = Builder::new(Vec::new());
    let long = "x/".repeat(120) + "file";
    file(&mut builder, &long, "one");
    let records: [(&str, &[u8]); 6] = [
        ("mtime", b"12.25"),
        ("uid", b"3000000"),
        ("uname", b"me"),
        ("SCHILY.xattr.user.a", b"\x00\xff"),
        ("atime", b"9"),
        ("path", b"./etc//b"),
    ];
    builder.append_pax_extensions(records).unwrap();
    file(&mut builder, "short", "two");
    let plain = builder.into_inner().unwrap();
    let listing = Listing::read(&*plain).unwrap();
    let [one, two] = listing.entries.as_slice() else {
        panic!("{listing:?}");
    };
    assert_eq!(&*one.path, long.as_bytes());
    assert_eq!((one.mode, one.time.seconds, one.size), (0o644, 7, 3));
    assert_eq!(&*two.path, b"etc/b");
    assert_eq!((two.time.seconds, two.time.nanoseconds), (12, 250_000_000));
    assert_eq!(two.owner.user, 3_000_000);
    assert_eq!(two.owner.names.as_ref().unwrap().0, "me");
    assert_eq!(two.attributes.len(), 1);
    assert_eq!(&**two.attributes.get(&b"user.a"[..]).unwrap(), b"\x00\xff");
    assert_ne!(one.content, two.content);
    let packed = Listing::read(&*gzip(&plain)).unwrap();
    assert_eq!(
        (packed.entries, packed.headers),
        (listing.entries, listing.headers)
    );
}

#[test]
fn contents_are_read_by_path_and_number() {
    let mut builder = Builder::new(Vec::new());
    for (name, content) in [("a", "first"), ("b", "b"), ("./a", "second"), ("c", "rest")] {
        file(&mut builder, name, content);
    }
    let plain = builder.into_inner().unwrap();
    let key = |path: &[u8], number| (Box::from(path), number);
    let wanted = BTreeMap::from([(key(b"a", 1), 99), (key(b"b", 0), 0)]);
    // It stops before the end, which is missing.
    let found = contents(&plain[..plain.len() - 2048], wanted).unwrap();
    assert_eq!(found[&key(b"a", 1)], b"second");
    assert_eq!(found[&key(b"b", 0)], b"");
    assert_eq!(found.len(), 2);
}

#[test]
fn hostile_archives_are_errors() {
    let error = |blob: &mut dyn Read| Listing::read(blob).unwrap_err().to_string();
    // A long name that claims a size of one tebibyte.
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let shown = error(&mut header.as_bytes().chain(io::repeat(b'x')));
    assert!(shown.contains("larger than any"), "{shown}");
    let mut builder = Builder::new(Vec::new());
    builder
        .append_pax_extensions([("mtime", &b"soon"[..])])
        .unwrap();
    file(&mut builder, "a", "x");
    let plain = builder.into_inner().unwrap();
    let shown = error(&mut &*plain);
    assert!(shown.contains("no number"), "{shown}");
    assert!(Listing::read(&plain[..700]).is_err());
    assert!(Listing::read(&b"\x1f\x8bno gzip"[..]).is_err());
    // Names without end.
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.set_cksum();
    let block = *header.as_bytes();
    struct Endless([u8; 512]);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (chunks, rest) = buffer.as_chunks_mut::<512>();
            assert!(rest.is_empty());
            chunks.iter_mut().for_each(|chunk| *chunk = self.0);
            Ok(chunks.len() * 512)
        }
    }
    let endless = Listing::read_at_most(Endless(block), 1000).unwrap_err();
    let shown = endless.to_string();
    assert!(shown.contains("more files"), "{shown}");
}
