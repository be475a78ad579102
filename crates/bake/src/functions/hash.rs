//! Hashes and passwords.

use std::fmt::Write;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::files::Host;
use crate::value::{Number, Value};

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, function, number, rsa, text};

const STR: &[super::Parameter] = &[text("str")];

/// The cost that Go uses instead of one that is too low.
const DEFAULT_COST: i64 = 10;

/// This cost takes about a quarter of a second; each further step doubles it.
const MAX_COST: u32 = 12;

/// The most bytes of a password that bcrypt uses.
const MAX_PASSWORD: usize = 72;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("bcrypt", STR, bcrypt).and_more(number("cost")),
    function("md5", STR, digest::<Md5>),
    function(
        "rsadecrypt",
        &[text("ciphertext"), text("privatekey")],
        rsa::decrypt,
    ),
    function("sha1", STR, digest::<Sha1>),
    function("sha256", STR, digest::<Sha256>),
    function("sha512", STR, digest::<Sha512>),
];

fn digest<D: Digest>(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let mut hex = String::new();
    for byte in D::digest(args.text(0)?) {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(Value::string(hex))
}

/// Returns the approximate time of a hash in microseconds: 50 for each of its rounds.
pub(super) fn bcrypt_work(cost: Option<&Value>) -> u64 {
    let cost = cost.and_then(Value::as_number).and_then(Number::to_i64);
    let cost = cost.filter(|cost| *cost >= 4).unwrap_or(DEFAULT_COST);
    50 << cost.clamp(4, i64::from(MAX_COST))
}

fn bcrypt(args: &Arguments<'_>, host: &dyn Host) -> Result<Value, Fault> {
    let password = args.text(0)?;
    let cost = if args.len() > 1 {
        args.int(1)?
    } else {
        DEFAULT_COST
    };
    if args.len() > 2 {
        let (most, found) = (2, args.len());
        return Err(CallReason::TooManyArguments { most, found }.into());
    }
    if password.len() > MAX_PASSWORD {
        return Err(CallReason::PasswordLength.into());
    }
    let cost = if cost < 4 { DEFAULT_COST } else { cost };
    let cost = u32::try_from(cost).ok().filter(|cost| *cost <= MAX_COST);
    let cost = cost.ok_or(CallReason::Cost { most: MAX_COST })?;
    let mut salt = [0; 16];
    host.fill_random(&mut salt);
    let parts = bcrypt::hash_with_salt(password, cost, salt);
    let parts = parts.map_err(|_| CallReason::PasswordLength)?;
    Ok(Value::string(
        parts.format_for_version(bcrypt::Version::TwoA),
    ))
}
