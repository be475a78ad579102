//! `solvekit login`: tries a name and a password at the registry, and stores them as docker does.

use std::io::Read as _;

use solvekit::registry::{
    Client, Credential, Credentials, Error, Secret, Stored, login_key, registry_of_key,
};

use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt::{self, EXIT_INTERRUPTED};
use crate::cli::report::Advised as _;
use crate::cli::report::terminal::{print, talk, warn};
use crate::cli::report::usage::ImageUsage;
use crate::cli::report::{Failure, prompt};

/// The size limit of a password or token, in bytes.
const PASSWORD: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginArgs {
    /// The registry, or a part of it: HOST[:PORT][/PATH] [default: Docker Hub]
    #[arg(value_name = "SERVER")]
    server: Option<String>,

    /// Log in with this name [default: ask for it]
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,

    /// Use this password or token. Other users of this machine can see it: prefer --password-stdin
    #[arg(
        short,
        long,
        value_name = "PASSWORD",
        conflicts_with = "password_stdin"
    )]
    password: Option<String>,

    /// Read the password or token from stdin
    #[arg(long, requires = "username")]
    password_stdin: bool,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit login
      Docker Hub, asking for name and password
  solvekit login -u me --password-stdin registry.example.com < token
  solvekit login -u bot registry.example.com/team             for the repositories below team only";

pub(crate) async fn cmd_login(args: LoginArgs, environment: &Environment) -> Result<(), Failure> {
    let interrupted = interrupt::token()?;
    tokio::select! {
        done = login(args, environment) => done,
        () = interrupted.cancelled() => Err(Failure::silent(EXIT_INTERRUPTED)),
    }
}

async fn login(args: LoginArgs, environment: &Environment) -> Result<(), Failure> {
    let key = login_key(args.server.as_deref().unwrap_or_default());
    let login = Login::new(&key, &args.registries, environment)?;
    if let Some(username) = login.existing(&args).await? {
        talk(&format!(
            "{} already has the credentials of {username} stored; they are good\n",
            login.registry
        ));
        return print("Login Succeeded");
    }
    let credential = ask(&args, login.registry).await?;
    login.verify(&credential).await?;
    login.store(&credential).await?;
    print("Login Succeeded")
}

/// A login in progress.
struct Login<'a> {
    key: &'a str,
    registry: &'a str,
    credentials: Credentials,
    client: Client,
    overridden: bool,
}

impl<'a> Login<'a> {
    fn new(
        key: &'a str,
        registries: &RegistryArgs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let credentials = environment.credentials()?;
        let credentials = match default_helper(environment) {
            Some(helper) => credentials.with_default_helper(helper),
            None => credentials,
        };
        // No stored credentials: only those that are passed to `authenticate` are tried.
        Ok(Self {
            key,
            registry: registry_of_key(key),
            credentials,
            client: registries.client_with(Credentials::none(), environment),
            overridden: environment.docker_auth_config.is_some(),
        })
    }

    /// The user name of stored, valid credentials, if no others are given.
    async fn existing(&self, args: &LoginArgs) -> Result<Option<String>, Failure> {
        if args.username.is_some() || args.password.is_some() {
            return Ok(None);
        }
        let stored = match self.key.split_once('/') {
            Some((registry, path)) if registry == self.registry => {
                self.credentials.get_for(registry, path).await
            }
            _ => self.credentials.get(self.registry).await,
        };
        let stored = stored.map_err(|error| failed(&error))?;
        if stored.is_anonymous() {
            return Ok(None);
        }
        match self.client.authenticate(self.registry, &stored).await {
            Ok(_) if stored.username.is_empty() => Ok(Some("a token".to_owned())),
            Ok(_) => Ok(Some(stored.username)),
            Err(Error::LoginRefused { .. } | Error::TokenRefused { .. }) => {
                talk(&format!(
                    "{} does not take the stored credentials any more\n",
                    self.registry
                ));
                Ok(None)
            }
            Err(error) => Err(failed(&error)),
        }
    }

    async fn verify(&self, credential: &Credential) -> Result<(), Failure> {
        let answer = self.client.authenticate(self.registry, credential).await;
        let checked = answer.map_err(|error| match &error {
            Error::LoginRefused { .. } | Error::TokenRefused { .. } => {
                ImageUsage::LoginRefused(error).into()
            }
            _ => Failure::from(error),
        })?;
        if !checked {
            talk(&format!(
                "note: {} lets everybody in, so the password was not checked\n",
                self.registry
            ));
        }
        Ok(())
    }

    async fn store(&self, credential: &Credential) -> Result<(), Failure> {
        let stored = self.credentials.store(self.key, credential).await;
        if let Stored::InFile(path) = stored.map_err(|error| failed(&error))? {
            warn(&format!(
                "the password is stored unencrypted in {}. A credential helper keeps it safe:\n  \
                 https://docs.docker.com/go/credential-store/",
                path.display()
            ));
        }
        if self.overridden {
            talk("note: DOCKER_AUTH_CONFIG is set, and what it has goes before what is stored\n");
        }
        Ok(())
    }
}

/// The name and password from the flags, from stdin, or from the terminal.
async fn ask(args: &LoginArgs, registry: &str) -> Result<Credential, Failure> {
    if args.password.is_some() {
        warn(
            "a password on the command line can be seen by others on this machine; use \
             --password-stdin",
        );
    }
    let username = match &args.username {
        Some(name) => name.trim().to_owned(),
        None => {
            talk(&format!("Log in to {registry}\n"));
            prompt::line("Username: ").await.map_err(no_terminal)?
        }
    };
    if username.is_empty() {
        return Err(Failure::new("the name is empty"));
    }
    let password = match &args.password {
        Some(password) => Secret::new(password.as_str()),
        None if args.password_stdin => from_stdin().await?,
        None => Secret::new(prompt::secret("Password: ").await.map_err(no_terminal)?),
    };
    if password.is_empty() {
        return Err(Failure::new("the password is empty"));
    }
    Ok(Credential::of_user(username, password))
}

/// All of stdin, without the last newline. Read on another thread: an interrupt must end it.
async fn from_stdin() -> Result<Secret, Failure> {
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        let read = std::io::stdin().take(PASSWORD).read_to_string(&mut text);
        read.map(|_| text)
    });
    let read = read.await.map_err(std::io::Error::from).flatten();
    let text = read
        .map_err(|error| Failure::new(format!("cannot read the password from stdin: {error}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

fn no_terminal(failure: prompt::NotAsked) -> Failure {
    match failure {
        prompt::NotAsked::NoTerminal => ImageUsage::NoTerminal.into(),
        prompt::NotAsked::Failed(failure) => failure,
    }
}

/// The credential helper that docker selects for the first login: on Linux `pass` if it is
/// installed, or else the desktop's secret service.
fn default_helper(environment: &Environment) -> Option<&'static str> {
    let on_path = |program: &str| environment.has_program(program).then_some(());
    let helper = match (std::env::consts::OS, on_path("pass")) {
        ("macos", _) => "osxkeychain",
        ("windows", _) => "wincred",
        (_, Some(())) => "pass",
        (_, None) => "secretservice",
    };
    on_path(&format!("docker-credential-{helper}")).map(|()| helper)
}

/// The failure with a hint.
pub(crate) fn failed(error: &Error) -> Failure {
    let failure = Failure::from_error(error);
    failure.advised(error.advice())
}
