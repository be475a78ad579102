//! Answers the daemon's questions about sources during a build:
//! `moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier`.

use std::fmt;
use std::sync::Arc;

use solvekit_policy::{
    Chain, GitFacts, HashAlgorithm, HttpFacts, ImageFacts, PREDICATE_TYPES, Request as Facts,
    Source, SuffixedDigest,
};
use tonic::{Request, Response, Status};

use super::MESSAGE_LIMIT;
use crate::client::platform_from_proto;
use crate::oci::Platform;
use crate::proto::moby::buildkit::v1::frontend as gateway;
use crate::proto::moby::buildkit::v1::sourcepolicy::PolicyAction;
use crate::proto::moby::buildkit::v1::sourcepolicy::policysession as proto;
use crate::proto::pb;
use proto::policy_verifier_server::{PolicyVerifier, PolicyVerifierServer};

/// The methods of the service.
pub(super) const METHODS: [&str; 1] =
    ["/moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier/CheckPolicy"];
/// The annotation with an attestation's predicate type.
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";

/// The decision about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It may be used.
    Allow,
    /// It may not be used, for these reasons.
    Deny(Vec<String>),
    /// Another source replaces it; the daemon asks again about that one.
    Convert(Box<Source>),
    /// The daemon should resolve these facts and ask again.
    Ask(Facts),
}

/// The error of a check. Its text and causes go to the daemon.
pub type CheckFailure = Box<dyn std::error::Error + Send + Sync>;

/// Decides about the sources of a build while it runs.
#[tonic::async_trait]
pub trait SourceCheck: Send + Sync {
    /// Decides about a source. The platform is that of an image.
    ///
    /// # Errors
    /// An error fails the build.
    async fn check(
        &self,
        source: Source,
        platform: Option<Platform>,
    ) -> Result<Verdict, CheckFailure>;
}

/// The service.
#[derive(Clone)]
pub(super) struct SourceChecks(Arc<dyn SourceCheck>);

impl fmt::Debug for SourceChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceChecks")
    }
}

impl SourceChecks {
    pub(super) fn new(check: Arc<dyn SourceCheck>) -> Self {
        Self(check)
    }

    pub(super) fn into_service(self) -> PolicyVerifierServer<Self> {
        PolicyVerifierServer::new(self).max_decoding_message_size(MESSAGE_LIMIT)
    }
}

#[tonic::async_trait]
impl PolicyVerifier for SourceChecks {
    async fn check_policy(
        &self,
        request: Request<proto::CheckPolicyRequest>,
    ) -> Result<Response<proto::CheckPolicyResponse>, Status> {
        let request = request.into_inner();
        let answer = request.source.unwrap_or_default();
        let Some(op) = answer.source.clone() else {
            return Err(Status::invalid_argument("no source info in request"));
        };
        let platform = request.platform.clone().map(platform_from_proto);
        let verdict = self.0.check(source(answer), platform).await;
        let result = match verdict.map_err(|failure| {
            let failure: &(dyn std::error::Error + 'static) = failure.as_ref();
            Status::failed_precondition(crate::causes::in_one_line(failure))
        })? {
            Verdict::Ask(facts) => Result_::Request(ask(op, request.platform, &facts)),
            verdict => Result_::Decision(decision(verdict)),
        };
        Ok(Response::new(proto::CheckPolicyResponse {
            result: Some(result),
        }))
    }
}

use proto::check_policy_response::Result as Result_;

fn decision(verdict: Verdict) -> proto::DecisionResponse {
    let (action, messages, update) = match verdict {
        Verdict::Allow => (PolicyAction::Allow, Vec::new(), None),
        Verdict::Convert(source) => (PolicyAction::Convert, Vec::new(), Some(*source)),
        Verdict::Deny(messages) => (PolicyAction::Deny, messages, None),
        Verdict::Ask(_) => (PolicyAction::Deny, Vec::new(), None),
    };
    let messages = messages.into_iter();
    proto::DecisionResponse {
        action: action as i32,
        deny_messages: messages
            .map(|message| proto::DenyMessage { message })
            .collect(),
        update: update.map(|source| pb::SourceOp {
            identifier: source.identifier,
            attrs: source.attrs,
        }),
    }
}

/// The daemon accepts a request only for the source that it asked about.
pub(crate) fn ask(
    source: pb::SourceOp,
    platform: Option<pb::Platform>,
    facts: &Facts,
) -> gateway::ResolveSourceMetaRequest {
    let is_image = facts.image_config || facts.attestations;
    let attestations = PREDICATE_TYPES.map(str::to_owned).to_vec();
    gateway::ResolveSourceMetaRequest {
        source: Some(source),
        platform,
        image: is_image.then(|| gateway::ResolveSourceImageRequest {
            no_config: !facts.image_config,
            attestation_chain: facts.attestations,
            resolve_attestations: if facts.provenance {
                attestations
            } else {
                Vec::new()
            },
        }),
        git: (facts.git || facts.git_objects).then_some(gateway::ResolveSourceGitRequest {
            return_object: facts.git_objects,
        }),
        http: facts
            .checksum
            .as_ref()
            .map(|checksum| gateway::ResolveSourceHttpRequest {
                checksum_request: Some(gateway::ChecksumRequest {
                    algo: match checksum.algorithm {
                        HashAlgorithm::Sha256 => 0,
                        HashAlgorithm::Sha384 => 1,
                        HashAlgorithm::Sha512 => 2,
                    },
                    suffix: checksum.suffix.clone(),
                }),
            }),
        ..Default::default()
    }
}

/// The source with the facts that the daemon has sent.
pub(crate) fn source(answer: gateway::ResolveSourceMetaResponse) -> Source {
    let op = answer.source.unwrap_or_default();
    Source {
        identifier: op.identifier,
        attrs: op.attrs,
        image: answer.image.map(image),
        git: answer.git.map(|git| GitFacts {
            checksum: git.checksum,
            reference: git.r#ref,
            commit_checksum: git.commit_checksum,
            commit_object: git.commit_object,
            tag_object: git.tag_object,
        }),
        http: answer.http.map(|http| HttpFacts {
            checksum: http.checksum,
            suffixed: http.checksum_response.map(|response| SuffixedDigest {
                digest: response.digest,
                suffix: response.suffix,
            }),
        }),
    }
}

fn image(image: gateway::ResolveSourceImageResponse) -> ImageFacts {
    ImageFacts {
        digest: image.digest,
        config: (!image.config.is_empty()).then(|| image.config.to_vec()),
        chain: image.attestation_chain.map(|chain| Chain {
            attestation_manifest: chain.attestation_manifest,
            signature_manifests: chain.signature_manifests,
            attestations: chain.blobs.into_iter().filter_map(attestation).collect(),
        }),
    }
}

/// The predicate type and the content of an attestation among the blobs.
fn attestation(entry: gateway::attestation_chain::BlobsEntry) -> Option<(String, Vec<u8>)> {
    let blob = entry.value?;
    let mut annotations = blob.descriptor?.annotations;
    Some((annotations.remove(PREDICATE_TYPE)?, blob.data))
}
