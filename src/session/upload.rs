//! A stream that the daemon fetches once, like a download: `moby.upload.v1.Upload`.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;

use super::stream::{self, Outbound, OutboundBody, Streaming};
use super::tasks::Tasks;
use super::{Error, new_id};
use crate::causes::in_one_line;

/// The methods of the service.
pub(super) const METHODS: [&str; 1] = ["/moby.upload.v1.Upload/Pull"];
/// The size of one read, and of one message's data, in bytes.
const CHUNK: usize = 128 * 1024;
/// The tag of the field `data` of `BytesMessage`: field 1, type bytes.
const FIELD: u8 = 0x0a;

/// A stream under a URL that only this session's daemon can fetch. Clones share it.
#[derive(Clone)]
pub struct Upload {
    id: String,
    reader: Arc<Mutex<Option<Box<dyn Read + Send>>>>,
}

impl Upload {
    /// Offers the reader's content. It is read when the daemon asks, and never held in memory as a
    /// whole.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn new(reader: impl Read + Send + 'static) -> Result<Self, Error> {
        Ok(Self {
            id: new_id()?,
            reader: Arc::new(Mutex::new(Some(Box::new(reader)))),
        })
    }

    /// Takes the stream away from the daemon; `None` if it was taken before.
    pub(crate) fn take(&self) -> Option<Box<dyn Read + Send>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.take()
    }

    /// Returns the URL for LLB's http sources and the frontend attribute `context`.
    pub fn url(&self) -> String {
        format!("http://buildkit-session/{}", self.id)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upload").field(&self.id).finish()
    }
}

impl Streaming for Upload {
    const SERVICE: &'static str = "moby.upload.v1.Upload";
    const METHOD: &'static str = METHODS[0];

    fn start(
        &self,
        headers: &HeaderMap,
        inbound: Body,
        tasks: Tasks,
    ) -> Result<OutboundBody, Status> {
        let path = headers.get("urlpath").and_then(|path| path.to_str().ok());
        let id = path.and_then(|path| path.rsplit('/').next());
        if id != Some(self.id.as_str()) {
            return Err(Status::not_found("this build offers no such stream"));
        }
        let reader = self.take().ok_or_else(|| {
            Status::failed_precondition("the stream can be read only once, and has been")
        })?;
        let (outbound, body) = stream::outbound();
        // A thread of its own: a terminal or a silent pipe must not delay the end of the session.
        std::thread::Builder::new()
            .name("upload".to_owned())
            .spawn(move || send(reader, outbound))
            .map_err(|error| {
                Status::internal(format!("cannot start a thread: {}", in_one_line(&error)))
            })?;
        // The daemon sends nothing, but dropping the body would end the call.
        tasks.spawn(drain(inbound));
        Ok(body)
    }
}

async fn drain(mut inbound: Body) {
    while let Some(Ok(_)) = inbound.frame().await {}
}

fn send(mut reader: Box<dyn Read + Send>, outbound: Outbound) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return outbound.blocking_end(Status::ok("")),
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let status =
                    Status::unknown(format!("cannot read the stream: {}", in_one_line(&error)));
                return outbound.blocking_end(status);
            }
        };
        if outbound.blocking_send(message(&buffer[..length])).is_err() {
            return;
        }
    }
}

/// Encodes a complete gRPC message.
fn message(data: &[u8]) -> Vec<u8> {
    let mut field = vec![FIELD];
    let mut length = data.len();
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    let mut message = Vec::with_capacity(field.len() + data.len() + 5);
    stream::put_header(&mut message, field.len() + data.len());
    message.extend_from_slice(&field);
    message.extend_from_slice(data);
    message
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;
    use tonic::Code;

    use super::*;
    use crate::proto::moby::upload::v1::BytesMessage;
    use crate::proto::moby::upload::v1::upload_client::UploadClient;
    use crate::session::Session;
    use crate::session::tests::connect;

    async fn pull(
        client: &mut UploadClient<tonic::transport::Channel>,
        path: &str,
    ) -> Result<Vec<u8>, Status> {
        let mut request = tonic::Request::new(tokio_stream::empty::<BytesMessage>());
        let path = path.parse().expect("ASCII");
        request.metadata_mut().insert("urlpath", path);
        let mut answer = client.pull(request).await?.into_inner();
        let mut received = Vec::new();
        while let Some(message) = answer.message().await? {
            received.extend_from_slice(&message.data);
        }
        Ok(received)
    }

    #[tokio::test]
    async fn a_stream_is_given_once_and_whole() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
        let upload = Upload::new(std::io::Cursor::new(bytes.clone())).unwrap();
        let url = upload.url();
        let path = url.strip_prefix("http://buildkit-session").unwrap();
        let session = Session::builder().upload(upload).build().unwrap();
        let mut client = UploadClient::new(connect(session, CancellationToken::new()).await.0);
        let unknown = pull(&mut client, "/other").await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        assert!(pull(&mut client, path).await.unwrap() == bytes);
        let again = pull(&mut client, path).await.unwrap_err();
        assert_eq!(again.code(), Code::FailedPrecondition);
    }

    #[tokio::test]
    async fn a_stream_that_breaks_fails_the_call() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("torn"))
            }
        }
        let upload = Upload::new(Broken).unwrap();
        let path = format!("/{}", upload.id);
        let session = Session::builder().upload(upload).build().unwrap();
        let mut client = UploadClient::new(connect(session, CancellationToken::new()).await.0);
        let error = pull(&mut client, &path).await.unwrap_err();
        assert!(error.message().contains("torn"), "{error}");
    }
}
