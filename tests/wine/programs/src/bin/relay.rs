//! A named pipe in front of a TCP port, as Docker Desktop's is in front of its engine:
//! `relay PIPE HOST:PORT`. Without a port, all instances of the pipe stay taken: `relay PIPE`.
//! Prints `ready` once the pipe exists.

use std::env;
use std::io;
use std::mem;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [pipe, address] => relay(pipe, address).await,
        [pipe] => keep_busy(pipe).await,
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

async fn relay(pipe: &str, address: &str) -> io::Result<()> {
    let mut next = ServerOptions::new().create(pipe)?;
    println!("ready");
    loop {
        next.connect().await?;
        let client = mem::replace(&mut next, ServerOptions::new().create(pipe)?);
        tokio::spawn(serve(client, address.to_owned()));
    }
}

async fn serve(mut client: NamedPipeServer, address: String) {
    let connected = TcpStream::connect(address).await;
    let relayed = match connected {
        Ok(mut daemon) => copy_bidirectional(&mut client, &mut daemon).await.map(drop),
        Err(error) => Err(error),
    };
    // A client that has ended is no error of the relay.
    if let Err(error) = relayed {
        eprintln!("relay: {error}");
    }
}

async fn keep_busy(pipe: &str) -> io::Result<()> {
    let server = ServerOptions::new().max_instances(1).create(pipe)?;
    let _client = ClientOptions::new().open(pipe)?;
    server.connect().await?;
    println!("ready");
    std::future::pending().await
}
