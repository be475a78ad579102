//! Networks in CIDR notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::files::Host;
use crate::value::Value;

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, function, number, text};

/// The most bits by which a prefix can be extended at once.
const MAX_NEW_BITS: i64 = 32;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("cidrhost", &[text("prefix"), number("hostnum")], host),
    function("cidrnetmask", &[text("prefix")], |args, _| {
        let network = Network::parse(args.text(0)?)?;
        Ok(Value::string(network.show(network.mask())))
    }),
    function(
        "cidrsubnet",
        &[text("prefix"), number("newbits"), number("netnum")],
        subnet,
    ),
    function("cidrsubnets", &[text("prefix")], subnets).and_more(number("newbits")),
];

/// A network: its first address as bits, the prefix length, and the length of addresses in bits.
#[derive(Clone, Copy)]
struct Network {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, CallReason> {
        let network = text.split_once('/').and_then(|(address, prefix)| {
            let (address, bits) = match address.parse().ok()? {
                IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
                IpAddr::V6(address) => (u128::from(address), 128),
            };
            let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
            let prefix = prefix
                .parse()
                .ok()
                .filter(|prefix| digits && *prefix <= bits)?;
            Some(Self::containing(address, prefix, bits))
        });
        network.ok_or_else(|| CallReason::Cidr {
            text: text.chars().take(100).collect(),
        })
    }

    /// Returns the network with that prefix that contains the address.
    fn containing(address: u128, prefix: u32, bits: u32) -> Self {
        let mut network = Self {
            address,
            prefix,
            bits,
        };
        network.address &= network.mask();
        network
    }

    /// Returns the ones of the prefix.
    fn mask(self) -> u128 {
        self.ones() & !self.host_ones()
    }

    /// Returns ones in the length of an address.
    fn ones(self) -> u128 {
        u128::MAX.checked_shr(128 - self.bits).unwrap_or(0)
    }

    /// Returns the ones after the prefix.
    fn host_ones(self) -> u128 {
        u128::MAX
            .checked_shr(128 - (self.bits - self.prefix))
            .unwrap_or(0)
    }

    fn last(self) -> u128 {
        self.address | self.host_ones()
    }

    fn show(self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(address) if self.bits == 32 => Ipv4Addr::from(address).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }

    fn cidr(self) -> String {
        format!("{}/{}", self.show(self.address), self.prefix)
    }

    /// Returns the next network with that prefix; `None` after the last one.
    fn next(self, prefix: u32) -> Option<Self> {
        let last = Self::containing(self.last(), prefix, self.bits).last();
        let next = last.wrapping_add(1) & self.ones();
        (next != 0).then(|| Self::containing(next, prefix, self.bits))
    }
}

/// Returns the address of a host. Negative numbers count from the end.
fn host(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let number = args.int(1)?;
    let network = Network::parse(args.text(0)?)?;
    let most = network.host_ones();
    let distance = match u128::try_from(number) {
        Ok(number) => number,
        Err(_) => u128::from(number.unsigned_abs()) - 1,
    };
    if distance > most {
        let prefix = network.prefix;
        return Err(CallReason::NoRoom { prefix, number }.into());
    }
    let host = if number < 0 {
        most - distance
    } else {
        distance
    };
    Ok(Value::string(network.show(network.address | host)))
}

fn subnet(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (new_bits, number) = (args.int(1)?, args.int(2)?);
    let network = Network::parse(args.text(0)?)?;
    let prefix = i64::from(network.prefix).saturating_add(new_bits);
    let prefix = u32::try_from(prefix)
        .ok()
        .filter(|prefix| *prefix <= network.bits);
    let (Some(prefix), true) = (prefix, new_bits <= MAX_NEW_BITS) else {
        return Err(CallReason::PrefixLength { bits: new_bits }.into());
    };
    // As in the reference, a negative number of bits has room for any network number.
    let room = u32::try_from(new_bits).map_or(u64::MAX, |bits| (1u64 << bits) - 1);
    let wanted = u64::try_from(number).ok().filter(|wanted| *wanted <= room);
    let wanted = wanted.and_then(|wanted| {
        let by = network.bits - prefix;
        let shifted = u128::from(wanted).checked_shl(by).unwrap_or(0);
        (shifted.checked_shr(by).unwrap_or(0) == u128::from(wanted)).then_some(shifted)
    });
    let wanted = wanted.filter(|wanted| *wanted <= network.ones());
    let wanted = wanted.ok_or(CallReason::NoRoom { prefix, number })?;
    let subnet = Network {
        address: network.address | wanted,
        prefix,
        bits: network.bits,
    };
    Ok(Value::string(subnet.cidr()))
}

/// Returns consecutive networks, each with its own number of new bits.
fn subnets(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let network = Network::parse(args.text(0)?).map_err(|reason| Fault::at(0, reason))?;
    let mut cidrs = Vec::new();
    let mut current: Option<Network> = None;
    for index in 1..args.len() {
        let new_bits = args
            .int(index)
            .map_err(|fault| Fault::at(index, fault.reason))?;
        let prefix = i64::from(network.prefix).saturating_add(new_bits);
        let valid = (1..=MAX_NEW_BITS).contains(&new_bits) && prefix <= i64::from(network.bits);
        let Some(length) = u32::try_from(prefix).ok().filter(|_| valid) else {
            return Err(Fault::at(
                index,
                CallReason::PrefixLength { bits: new_bits },
            ));
        };
        let next = match current {
            Some(current) => current.next(length),
            // The reference treats a first address of 0 as an overflow.
            None if network.address == 0 => None,
            None => Some(Network::containing(network.address, length, network.bits)),
        };
        let next = next.filter(|next| {
            Network::containing(next.address, network.prefix, network.bits).address
                == network.address
        });
        let next = next.ok_or_else(|| Fault::at(index, CallReason::NoSpace { prefix }))?;
        cidrs.push(next.cidr());
        current = Some(next);
    }
    Ok(Value::strings(cidrs))
}
