//! Refuses steps that need a missing entitlement or would be emulated, before anything is solved.

use prost::Message as _;

use super::{Refusal, Setting};
use crate::llb::{Definition, Location};
use crate::oci::{Platform, PlatformMatcher};
use crate::proto::pb;

/// `RUN --network=host`
const NETWORK_HOST: &str = "network.host";
/// `RUN --security=insecure`
const SECURITY_INSECURE: &str = "security.insecure";

/// Returns the first process of a graph that must not start, with the step's lines.
pub(super) fn refused(
    definition: &Definition,
    setting: &Setting,
) -> Option<(Refusal, Vec<Location>)> {
    let native = setting.build_platforms.first();
    let native = native.filter(|_| setting.require_native);
    definition.vertices().iter().find_map(|vertex| {
        // This program's own ops always decode; others are checked by the daemon.
        let op = pb::Op::decode(vertex.op().clone()).ok()?;
        let Some(pb::op::Op::Exec(exec)) = &op.op else {
            return None;
        };
        let allowed = setting.entitlements.as_deref();
        let refusal = allowed
            .and_then(|allowed| missing(exec, allowed))
            .or_else(|| emulated(&op, native?))?;
        Some((refusal, vertex.locations().to_vec()))
    })
}

/// Returns an entitlement that a process needs and `allowed` lacks. Only the daemon knows if a
/// device needs one.
fn missing(exec: &pb::ExecOp, allowed: &[String]) -> Option<Refusal> {
    let is_missing = |name: &&str| !allowed.iter().any(|allowed| allowed == name);
    let entitlement = needed(exec).into_iter().flatten().find(is_missing)?;
    Some(Refusal::Entitlement { entitlement })
}

/// Returns the refusal if the daemon's machine cannot run the process's platform itself. A machine
/// that also runs 386 or older ARM programs is native for these.
fn emulated(op: &pb::Op, native: &Platform) -> Option<Refusal> {
    let platform = platform_of(op.platform.as_ref()?)?;
    (!PlatformMatcher::runs(native, &platform)).then(|| Refusal::Emulated {
        platform: Box::new(platform),
        native: Box::new(native.clone()),
    })
}

/// Returns the platform of an op, if it has one.
pub(super) fn platform_of(op: &pb::Platform) -> Option<Platform> {
    let platform = Platform {
        os: op.os.clone(),
        architecture: op.architecture.clone(),
        variant: op.variant.clone(),
        ..Platform::default()
    };
    (!platform.os.is_empty()).then_some(platform)
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
        let base = crate::llb::image("a", crate::llb::ResolveMode::Default, Default::default());
        let root = base.run(exec).root();
        let later = root.run(Exec::new(["true"])).root();
        later.marshal(&MarshalOptions::default()).unwrap()
    }

    #[test]
    fn what_a_step_needs_is_found_unless_it_is_given() {
        let of = |definition: &Definition, allowed: &[&str]| {
            let setting = Setting {
                entitlements: Some(allowed.iter().map(|name| (*name).to_owned()).collect()),
                ..Setting::default()
            };
            match refused(definition, &setting)?.0 {
                Refusal::Entitlement { entitlement } => Some(entitlement),
                other => panic!("{other:?}"),
            }
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

    #[test]
    fn processes_of_other_machines_are_found() {
        let platform = |name: &str| Platform::parse(name).unwrap();
        let of = |target: &str, native: &str| {
            let options = MarshalOptions {
                platform: platform(target).into(),
                ..MarshalOptions::default()
            };
            let base = crate::llb::image("a", crate::llb::ResolveMode::Default, Default::default());
            let root = base.run(Exec::new(["a"])).root();
            let definition = root.marshal(&options).unwrap();
            let setting = Setting {
                build_platforms: vec![platform(native)],
                require_native: true,
                ..Setting::default()
            };
            refused(&definition, &setting).map(|(refusal, _)| refusal.to_string())
        };
        assert_eq!(of("linux/amd64", "linux/amd64"), None);
        assert_eq!(of("linux/386", "linux/amd64"), None);
        assert_eq!(of("linux/arm/v7", "linux/arm64"), None);
        let refusal = of("linux/arm64", "linux/amd64").unwrap();
        assert!(refusal.contains("linux/arm64"), "{refusal}");
        assert!(refusal.contains("linux/amd64"), "{refusal}");
    }
}
