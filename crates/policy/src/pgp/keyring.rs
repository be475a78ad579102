//! Files of armored public keys, and the key in them that may have made a signature (RFC 4880,
//! sections 5.2.1 and 11.1).

use super::PgpProblem;
use super::key::{Key, hash_of};
use super::packet::{Packet, Signature, packets};

/// A key with everything that belongs to it.
struct Certificate<'a> {
    key: Key<'a>,
    /// Signatures of the key itself.
    direct: Vec<Signature<'a>>,
    /// What a signature of each user name hashes, with its signatures.
    users: Vec<(Vec<u8>, Vec<Signature<'a>>)>,
    /// `None` for subkeys of other versions.
    subkeys: Vec<(Option<Key<'a>>, Vec<Signature<'a>>)>,
}

/// What a key says about itself or a subkey.
struct Terms {
    made: u32,
    life: Option<u32>,
    may_sign: bool,
}

/// Finds the key with an id that may sign and was valid at a time, in seconds since 1970. `blocks`
/// are the contents of the file's armors.
pub(super) fn signing_key<'a>(
    blocks: &'a [Vec<u8>],
    issuer: [u8; 8],
    at: u32,
) -> Result<Key<'a>, PgpProblem> {
    let mut certificates = Vec::new();
    for block in blocks {
        let packets = packets(block).ok_or(PgpProblem::MalformedKey)?;
        certificates.extend(read(&packets)?);
    }
    if certificates.is_empty() {
        return Err(PgpProblem::NoKey);
    }
    let found = certificates.iter().filter_map(|it| it.find(issuer, at));
    let mut found: Vec<Result<Key<'a>, PgpProblem>> = found.collect();
    // A file may have a second, older copy of a key that is revoked.
    if found
        .iter()
        .any(|it| matches!(it, Err(PgpProblem::Revoked)))
    {
        return Err(PgpProblem::Revoked);
    }
    let usable = found.iter().position(Result::is_ok).unwrap_or_default();
    match found.is_empty() {
        true => Err(PgpProblem::OtherKey),
        false => found.swap_remove(usable),
    }
}

/// Puts packets together to keys. Keys of other versions are left out, with what belongs to them.
fn read<'a>(packets: &[Packet<'a>]) -> Result<Vec<Certificate<'a>>, PgpProblem> {
    let mut found: Vec<Certificate<'a>> = Vec::new();
    let mut is_left_out = true;
    for packet in packets {
        if packet.kind == Packet::KEY {
            let key = Key::parse(packet.body);
            is_left_out = key.is_none();
            found.extend(key.map(Certificate::new));
        } else if let Some(current) = found.last_mut().filter(|_| !is_left_out) {
            current.add(packet)?;
        }
    }
    Ok(found)
}

impl<'a> Certificate<'a> {
    fn new(key: Key<'a>) -> Self {
        Self {
            key,
            direct: Vec::new(),
            users: Vec::new(),
            subkeys: Vec::new(),
        }
    }

    /// Adds a packet. A signature belongs to the key, name or subkey before it.
    fn add(&mut self, packet: &Packet<'a>) -> Result<(), PgpProblem> {
        match packet.kind {
            Packet::USER | Packet::USER_ATTRIBUTE => {
                let hashed = user(packet).ok_or(PgpProblem::MalformedKey)?;
                self.users.push((hashed, Vec::new()));
            }
            Packet::SUBKEY => self.subkeys.push((Key::parse(packet.body), Vec::new())),
            Packet::SIGNATURE => {
                let list = match (self.subkeys.last_mut(), self.users.last_mut()) {
                    (Some((_, list)), _) | (None, Some((_, list))) => list,
                    (None, None) => &mut self.direct,
                };
                list.extend(Signature::parse(packet.body));
            }
            _ => {}
        }
        Ok(())
    }

    /// The key or subkey with this id, if it may sign and was valid at a time.
    fn find(&self, id: [u8; 8], at: u32) -> Option<Result<Key<'a>, PgpProblem>> {
        if self.key.id() == Some(id) {
            return Some(self.own_terms().and_then(|terms| terms.allow(self.key, at)));
        }
        let mut subkeys = self
            .subkeys
            .iter()
            .filter_map(|(key, list)| Some((key.as_ref()?, list)));
        let (subkey, signatures) = subkeys.find(|(key, _)| key.id() == Some(id))?;
        Some(self.subkey(subkey, signatures, at))
    }

    fn subkey(
        &self,
        subkey: &Key<'a>,
        signatures: &[Signature<'a>],
        at: u32,
    ) -> Result<Key<'a>, PgpProblem> {
        self.own_terms()?.check_time(&self.key, at)?;
        let malformed = PgpProblem::MalformedKey;
        let content = [
            self.key.hashed().ok_or(malformed)?,
            subkey.hashed().ok_or(malformed)?,
        ];
        let content = content.concat();
        let bindings = signatures
            .iter()
            .filter(|it| it.kind == Signature::SUBKEY_BINDING);
        let bindings = bindings.map(|it| (it, self.signed(it, &content)));
        let terms = newest(bindings.map(|(it, checked)| {
            checked?;
            // Without this, anybody could claim the subkey of another key.
            let inner = it.embedded().and_then(Signature::parse);
            let inner = inner.filter(|it| it.kind == Signature::KEY_BINDING);
            let inner = inner.ok_or(PgpProblem::NotForSigning)?;
            subkey.check(&inner, hash_of(&inner)?, &[&content])?;
            Terms::of(it)
        }))?;
        let revocations = signatures
            .iter()
            .filter(|it| it.kind == Signature::SUBKEY_REVOCATION);
        self.check_revocations(revocations, &content)?;
        terms.allow(*subkey, at)
    }

    /// The newest valid signature of the key by itself.
    fn own_terms(&self) -> Result<Terms, PgpProblem> {
        let own = self.key.hashed().ok_or(PgpProblem::MalformedKey)?;
        let revocations = self
            .direct
            .iter()
            .filter(|it| it.kind == Signature::REVOCATION);
        self.check_revocations(revocations, &own)?;
        let direct = self.direct.iter().filter(|it| it.kind == Signature::DIRECT);
        let direct = direct.map(|it| (it, own.clone()));
        let users = self.users.iter().flat_map(|(user, signatures)| {
            let content = [&*own, user].concat();
            let kinds = Signature::CERTIFICATIONS;
            let certifications = signatures.iter().filter(move |it| kinds.contains(&it.kind));
            certifications.map(move |it| (it, content.clone()))
        });
        let id = self.key.id();
        let by_itself = direct.chain(users).filter(|(it, _)| it.issuer() == id);
        newest(by_itself.map(|(it, content)| {
            self.signed(it, &content)?;
            Terms::of(it)
        }))
    }

    /// Checks that the key itself made a signature of its parts.
    fn signed(&self, signature: &Signature<'a>, content: &[u8]) -> Result<(), PgpProblem> {
        self.key.check(signature, hash_of(signature)?, &[content])
    }

    /// Fails if one of the key's own revocations is not proved wrong.
    fn check_revocations<'s>(
        &self,
        mut revocations: impl Iterator<Item = &'s Signature<'a>>,
        content: &[u8],
    ) -> Result<(), PgpProblem>
    where
        'a: 's,
    {
        let counts = |it: &Signature<'a>| self.signed(it, content) != Err(PgpProblem::Wrong);
        match revocations.any(counts) {
            true => Err(PgpProblem::Revoked),
            false => Ok(()),
        }
    }
}

impl Terms {
    fn of(signature: &Signature<'_>) -> Result<Self, PgpProblem> {
        Ok(Self {
            made: signature.created().ok_or(PgpProblem::MalformedKey)?,
            life: signature.key_life(),
            may_sign: signature.may_sign(),
        })
    }

    fn allow<'a>(&self, key: Key<'a>, at: u32) -> Result<Key<'a>, PgpProblem> {
        self.check_time(&key, at)?;
        match self.may_sign {
            true => Ok(key),
            false => Err(PgpProblem::NotForSigning),
        }
    }

    fn check_time(&self, key: &Key<'_>, at: u32) -> Result<(), PgpProblem> {
        let age = at.checked_sub(key.created).ok_or(PgpProblem::NotValid)?;
        match self.life.is_some_and(|life| age >= life) {
            true => Err(PgpProblem::NotValid),
            false => Ok(()),
        }
    }
}

/// The newest valid terms. If there are none, the reason is that of a kind that is not supported,
/// if there is one.
fn newest(all: impl Iterator<Item = Result<Terms, PgpProblem>>) -> Result<Terms, PgpProblem> {
    let (valid, problems): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
    let valid = valid.into_iter().flatten();
    valid.max_by_key(|terms| terms.made).ok_or_else(|| {
        let mut problems = problems.into_iter().filter_map(Result::err);
        let unsupported = problems.find(|it| *it == PgpProblem::Unsupported);
        unsupported.unwrap_or(PgpProblem::NotForSigning)
    })
}

/// What a signature of a user name or picture hashes (section 5.2.4).
fn user(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let start = match packet.kind {
        Packet::USER => 0xb4,
        _ => 0xd1,
    };
    let length = u32::try_from(packet.body.len()).ok()?;
    let mut hashed = vec![start];
    hashed.extend(length.to_be_bytes());
    hashed.extend(packet.body);
    Some(hashed)
}
