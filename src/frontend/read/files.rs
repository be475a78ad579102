//! Reads files of a git repository, an archive or a download before the build.

use std::collections::BTreeMap;

use super::super::{Asked, Error};
use super::contexts::Contexts;
use crate::gateway::Bridge;
use crate::translate::Context;

/// The files of a remote context.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteFiles {
    /// Files of a git repository with their names.
    Git(Vec<(String, Vec<u8>)>),
    /// Files of an archive with their names.
    Archive(Vec<(String, Vec<u8>)>),
    /// The download itself.
    File(Vec<u8>),
}

impl RemoteFiles {
    /// Reads the files through the daemon, each up to `limit` bytes and one more. If they are
    /// `optional`, missing ones are omitted.
    pub(crate) async fn read(
        bridge: &Bridge,
        url: &str,
        session_id: &str,
        names: &[String],
        optional: bool,
        limit: u64,
    ) -> Result<Self, Error> {
        let attributes = BTreeMap::from([("context".to_owned(), url.to_owned())]);
        let asked = Asked::from(attributes);
        let contexts = Contexts::find(bridge, &asked, session_id, BTreeMap::new()).await?;
        let place = contexts.dockerfile.clone().unwrap_or_default();
        let (_, solved) = contexts.fetch(bridge, &place).await?;
        let range = || Some(0..limit.saturating_add(1));
        if matches!(contexts.main, Context::Http { archive: false, .. }) {
            let bytes = bridge.read_file(&solved, &contexts.filename, range()).await;
            return Ok(Self::File(bytes?.to_vec()));
        }
        let mut files = Vec::new();
        for name in names {
            match bridge.read_file(&solved, name, range()).await {
                Ok(bytes) => files.push((name.clone(), bytes.to_vec())),
                // The source was fetched, so the file does not exist.
                Err(_) if optional => {}
                Err(source) => {
                    return Err(Error::Dockerfile {
                        filename: name.clone(),
                        source,
                    });
                }
            }
        }
        Ok(match contexts.main {
            Context::Git { .. } => Self::Git(files),
            _ => Self::Archive(files),
        })
    }
}
