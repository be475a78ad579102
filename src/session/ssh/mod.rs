//! SSH agents for RUN mounts and git sources: `moby.sshforward.v1.SSH`.
//!
//! A build may list the agent's keys and sign with them. Requests that would change the agent, and
//! extensions, are refused here: a build cannot add, remove or lock keys. An agent is a process
//! behind a socket, or keys that were read from files.

mod keys;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::BoxStream;
use solvekit_host::{files, sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use keys::Keys;

pub use keys::KeyError;

use super::granted::Granted;
use super::tasks::Tasks;
use super::{Error, MESSAGE_LIMIT};
use crate::client::CONNECT_TIMEOUT;
use crate::proto::moby::sshforward::v1::ssh_server::{self, SshServer};
use crate::proto::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse};

/// The methods of the service.
pub(super) const METHODS: [&str; 2] = [
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
];
/// The id used if the build names none.
const DEFAULT: &str = "default";
/// The largest agent message in bytes.
const FRAME_LIMIT: usize = 256 * 1024;

/// Agent message types (draft-miller-ssh-agent, 6.1).
mod message {
    pub(super) const FAILURE: u8 = 5;
    pub(super) const REQUEST_IDENTITIES: u8 = 11;
    pub(super) const IDENTITIES: u8 = 12;
    pub(super) const SIGN_REQUEST: u8 = 13;
    pub(super) const SIGNATURE: u8 = 14;
    /// The flag that requests SHA-256.
    pub(super) const RSA_SHA2_256: u32 = 2;
}

/// SSH agents by their ids.
#[derive(Debug, Clone, Default)]
pub struct SshAgents {
    agents: Granted<Agent>,
}

#[derive(Debug, Clone)]
enum Agent {
    Socket(PathBuf),
    Keys(Arc<Keys>),
}

impl SshAgents {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns true if there is no agent.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// Adds the agents of another list whose ids are free.
    pub(crate) fn with_missing(mut self, others: &Self) -> Self {
        self.agents.add_missing(&others.agents);
        self
    }

    /// Adds those of another list whose ids are free and allowed, served while the flag is true.
    pub(crate) fn with_allowed(
        mut self,
        others: &Self,
        flag: &Arc<AtomicBool>,
        is_allowed: impl Fn(&str) -> bool,
    ) -> Self {
        self.agents.add_allowed(&others.agents, flag, is_allowed);
        self
    }

    /// True if it has the agent.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.agents.has_own(id)
    }

    /// Adds the agent behind a socket (usually `$SSH_AUTH_SOCK`) and replaces an earlier one with
    /// the id. An empty id means `default`.
    ///
    /// # Errors
    ///
    /// If the path is not a socket.
    pub fn with_socket(mut self, id: &str, path: impl AsRef<Path>) -> Result<Self, Error> {
        let (id, path) = (named(id), path.as_ref().to_owned());
        let failed = |source| Error::SshAgent {
            id: id.to_owned(),
            path: path.clone(),
            source,
        };
        if !files::is_socket(&path) {
            path.metadata().map_err(failed)?;
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a socket",
            )));
        }
        self.agents.insert(id.to_owned(), Agent::Socket(path));
        Ok(self)
    }

    /// Adds an agent with the private keys in these files and replaces an earlier one with the id.
    /// An empty id means `default`. The files are read now. Supported are OpenSSH's format without
    /// a passphrase, Ed25519, ECDSA (P-256, P-384) and RSA.
    ///
    /// # Errors
    ///
    /// The first unusable file, with the reason.
    pub fn with_keys(mut self, id: &str, paths: &[PathBuf]) -> Result<Self, Error> {
        let id = named(id).to_owned();
        let keys = Keys::read(paths).map_err(|(path, source)| Error::SshKey {
            id: id.clone(),
            path,
            source,
        })?;
        self.agents.insert(id, Agent::Keys(Arc::new(keys)));
        Ok(self)
    }

    fn agent(&self, id: &str) -> Result<&Agent, Status> {
        let id = named(id);
        self.agents
            .get(id)
            .ok_or_else(|| Status::not_found(format!("SSH agent {id} was not given to this build")))
    }

    pub(super) fn into_service(self) -> SshServer<Self> {
        SshServer::new(self).max_decoding_message_size(MESSAGE_LIMIT)
    }
}

fn named(id: &str) -> &str {
    if id.is_empty() { DEFAULT } else { id }
}

#[tonic::async_trait]
impl ssh_server::Ssh for SshAgents {
    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.agent(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    type ForwardAgentStream = BoxStream<'static, Result<BytesMessage, Status>>;

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request
            .metadata()
            .get("buildkit.ssh.id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        let agent = self.agent(id)?.clone();
        let tasks = request
            .extensions()
            .get::<Tasks>()
            .ok_or_else(|| Status::internal("no session"))?
            .clone();
        let mut peer = Peer::open(&agent)
            .await
            .map_err(|error| failed(&agent, &error))?;
        let (answers, receiver) = mpsc::channel(4);
        tasks.spawn(async move {
            let forwarded = forward(request.into_inner(), &mut peer, &answers).await;
            if let Err(error) = forwarded {
                // If this fails, the caller has gone.
                let _ = answers.send(Err(failed(&agent, &error))).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn failed(agent: &Agent, error: &io::Error) -> Status {
    let error = crate::causes::in_one_line(error);
    match agent {
        Agent::Socket(path) => Status::unknown(format!("SSH agent {}: {error}", path.display())),
        Agent::Keys(_) => Status::unknown(format!("SSH keys: {error}")),
    }
}

/// The agent's implementation.
enum Peer {
    Socket(sockets::Stream),
    Keys(Arc<Keys>),
}

impl Peer {
    async fn open(agent: &Agent) -> io::Result<Self> {
        Ok(match agent {
            Agent::Socket(path) => Self::Socket(sockets::connect(path, CONNECT_TIMEOUT).await?),
            Agent::Keys(keys) => Self::Keys(keys.clone()),
        })
    }

    async fn ask(&mut self, request: &[u8]) -> io::Result<Bytes> {
        match self {
            Self::Socket(agent) => ask(agent, request).await,
            Self::Keys(keys) => Ok(keys.answer(request)),
        }
    }
}

type Answers = mpsc::Sender<Result<BytesMessage, Status>>;

/// Forwards requests to the agent and answers back, one at a time as the protocol demands, until
/// one side ends.
async fn forward(
    mut requests: Streaming<BytesMessage>,
    agent: &mut Peer,
    answers: &Answers,
) -> io::Result<()> {
    let mut unread = BytesMut::new();
    while let Some(Ok(message)) = requests.next().await {
        unread.extend_from_slice(&message.data);
        while let Some(frame) = take_frame(&mut unread)? {
            let answer = match frame.get(4) {
                Some(&(message::REQUEST_IDENTITIES | message::SIGN_REQUEST)) => {
                    agent.ask(&frame).await?
                }
                _ => Bytes::from_static(&[0, 0, 0, 1, message::FAILURE]),
            };
            if answers
                .send(Ok(BytesMessage { data: answer }))
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Takes the next complete message, with its four-byte length prefix.
fn take_frame(unread: &mut BytesMut) -> io::Result<Option<Bytes>> {
    let Some(mut header) = unread.get(..4) else {
        return Ok(None);
    };
    let length = check(header.get_u32())?;
    Ok((unread.len() >= 4 + length).then(|| unread.split_to(4 + length).freeze()))
}

/// Answers frames that arrive in pieces with the key in a file, for the fuzzer.
#[cfg(fuzzing)]
pub fn answer_agent(key: &Path, frames: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, String> {
    let keys = Keys::read(&[key.to_owned()]).map_err(|(_, error)| error.to_string())?;
    let (mut unread, mut answers) = (BytesMut::new(), Vec::new());
    for piece in frames.chunks(piece.max(1)) {
        unread.extend_from_slice(piece);
        while let Some(frame) = take_frame(&mut unread).map_err(|error| error.to_string())? {
            answers.push(keys.answer(&frame).to_vec());
        }
    }
    Ok(answers)
}

async fn ask(agent: &mut sockets::Stream, request: &[u8]) -> io::Result<Bytes> {
    agent.write_all(request).await?;
    let header = agent.read_u32().await?;
    let length = check(header)?;
    let mut answer = BytesMut::with_capacity(4 + length);
    answer.extend_from_slice(&header.to_be_bytes());
    answer.resize(4 + length, 0);
    agent.read_exact(&mut answer[4..]).await?;
    Ok(answer.freeze())
}

fn check(length: u32) -> io::Result<usize> {
    usize::try_from(length)
        .ok()
        .filter(|&length| length <= FRAME_LIMIT)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a message is too long"))
}

#[cfg(test)]
mod tests;
