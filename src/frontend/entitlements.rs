//! What a graph needs leave for, and was not given: found before anything is solved.

use prost::Message as _;

use crate::llb::{Definition, Location};
use crate::proto::pb;

/// `RUN --network=host`
const NETWORK_HOST: &str = "network.host";
/// `RUN --security=insecure`
const SECURITY_INSECURE: &str = "security.insecure";

/// The first entitlement that a step needs and that is not among `allowed`, with the step's lines. Whether a device needs one
/// is known to the daemon only.
pub(super) fn missing(
    definition: &Definition,
    allowed: &[String],
) -> Option<(&'static str, Vec<Location>)> {
    let is_missing = |name: &&str| !allowed.iter().any(|allowed| allowed == name);
    definition.vertices().iter().find_map(|vertex| {
        // Ops of this program decode; others are the daemon's business.
        let op = pb::Op::decode(vertex.op().clone()).ok()?;
        let Some(pb::op::Op::Exec(exec)) = op.op else {
            return None;
        };
        let name = needed(&exec).into_iter().flatten().find(is_missing)?;
        Some((name, vertex.locations().to_vec()))
    })
}

fn needed(exec: &pb::ExecOp) -> [Option<&'static str>; 2] {
    [
        (exec.network() == pb::NetMode::Host).then_some(NETWORK_HOST),
        (exec.security() == pb::SecurityMode::Insecure).then_some(SECURITY_INSECURE),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::{Exec, MarshalOptions, Network, Security, State};

    fn graph(exec: Exec) -> Definition {
        let base = crate::llb::image("a", Default::default(), Default::default());
        let root = base.run(exec).root();
        let later = root.run(Exec::new(["true"])).root();
        later.marshal(&MarshalOptions::default()).unwrap()
    }

    #[test]
    fn what_a_step_needs_is_found_unless_it_is_given() {
        let of = |definition: &Definition, allowed: &[&str]| {
            let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
            missing(definition, &allowed).map(|(name, _)| name)
        };
        let host = graph(Exec::new(["a"]).network(Network::Host));
        assert_eq!(of(&host, &["security.insecure"]), Some(NETWORK_HOST));
        assert_eq!(of(&host, &["network.host"]), None);
        let both = Exec::new(["a"]).network(Network::Host);
        let both = graph(both.security(Security::Insecure));
        assert_eq!(of(&both, &["network.host"]), Some(SECURITY_INSECURE));
        assert_eq!(of(&graph(Exec::new(["a"])), &[]), None);
        assert_eq!(
            of(&State::scratch().marshal(&Default::default()).unwrap(), &[]),
            None
        );
    }
}
