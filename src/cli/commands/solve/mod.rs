//! `solvekit solve`, and `build` when called as buildctl: solves a graph from a file or stdin, or
//! runs a frontend of the daemon.

mod cache_metrics;
mod parse;
mod tls_context;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use solvekit::client::SourcePolicy;
use solvekit::files::{read_at_most, take_at_most};
use solvekit::gateway::Forward;
use solvekit::llb::Definition;
use solvekit::pipeline::{
    self, CacheDirection, Destination, Entitlement, Folders, GraphRequest, OutputKind, Solved, Work,
};
use solvekit::progress;

use super::build::{refuse_terminal, write_file};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::{caches, ignored, places, secrets};
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::display::ProgressArgs;
use crate::cli::report::terminal::print_text;
use crate::cli::report::usage::GraphUsage;
use crate::cli::report::{Failure, build_failure, display, hint};

/// The size limit of a graph, in bytes: that of a daemon's messages.
const GRAPH_LIMIT: u64 = 16 << 20;

/// The option that asks a frontend a question instead of starting a build.
const SUBREQUEST: &str = "requestid";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SolveArgs {
    /// A marshalled graph (pb.Definition); - is stdin, which is also read without --frontend
    #[arg(value_name = "FILE", conflicts_with = "frontend")]
    graph: Option<PathBuf>,

    /// Run this frontend of the daemon instead: dockerfile.v0, or gateway.v0 with
    /// --opt source=IMAGE
    #[arg(long, value_name = "FRONTEND")]
    frontend: Option<String>,

    /// Set an option of the frontend, for example target=app or build-arg:VERSION=2; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    opt: Vec<String>,

    /// Let the build read a folder under a name, for example context=.; repeatable
    #[arg(long, value_name = "NAME=DIR")]
    local: Vec<String>,

    /// Let the build read an OCI layout under a name; repeatable
    #[arg(long, value_name = "NAME=DIR")]
    oci_layout: Vec<String>,

    /// Write the result here: type=image|registry|local|tar|oci|docker[,dest=PATH][,key=value…];
    /// repeatable
    #[arg(short, long, value_name = "OUTPUT")]
    output: Vec<String>,

    /// Run every step, even if it is cached
    #[arg(long)]
    no_cache: bool,

    /// Import a cache: type=registry|local|gha|s3|azblob[,key=value…]; repeatable
    #[arg(long, value_name = "CACHE", visible_alias = "cache-from")]
    import_cache: Vec<String>,

    /// Export a cache: type=registry|local|inline|gha|s3|azblob[,mode=max][,key=value…];
    /// repeatable
    #[arg(long, value_name = "CACHE", visible_alias = "cache-to")]
    export_cache: Vec<String>,

    /// Provide a secret for steps: id=ID[,src=FILE|,env=NAME]; repeatable
    #[arg(long, value_name = "SECRET")]
    secret: Vec<String>,

    /// Provide an SSH agent or keys for steps: default, ID[=SOCKET] or ID=KEY[,KEY]; repeatable
    #[arg(long, value_name = "AGENT")]
    ssh: Vec<String>,

    /// Allow steps to do more: network.host, security.insecure, device[=NAME]; repeatable
    #[arg(long, value_name = "ENTITLEMENT")]
    allow: Vec<String>,

    /// Apply the rules of this file (JSON) to the sources of the build
    #[arg(long, value_name = "FILE")]
    source_policy_file: Option<PathBuf>,

    /// Let steps reach the network through the daemon's proxy only
    #[arg(long)]
    proxy_network: bool,

    /// Write what the exporters answered to this file (JSON)
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,

    /// Write the id of the build to this file, also if the build fails
    #[arg(long, value_name = "FILE")]
    ref_file: Option<PathBuf>,

    /// Ask a registry's token server with these certificates:
    /// host=HOST[:PORT][,ca=FILE][,cert=FILE,key=FILE][,insecure=BOOL]; repeatable
    #[arg(long, value_name = "CONTEXT")]
    registry_auth_tlscontext: Vec<String>,

    /// Write how many steps were cached to this file, or to stdout or stderr, as JSON
    #[arg(long, value_name = "FILE", default_value = "")]
    debug_json_cache_metrics: String,

    #[command(flatten)]
    registries: RegistryArgs,

    #[command(flatten)]
    progress: ProgressArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit llb --format pb . | solvekit solve --local context=. -o out
      solve a graph from stdin and write the files of its result
  solvekit solve --frontend dockerfile.v0 --local context=. --local dockerfile=. \\
      --opt target=app -o type=image,name=registry.example.com/app:1.0,push=true
      run the daemon's own Dockerfile frontend";

/// Solves the graph, shows the progress, and writes the requested results.
pub(crate) async fn cmd_solve(
    args: SolveArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let mode = display::mode(&args.progress.mode, false, environment)?;
    let mut sink = args.progress.open(mode)?;
    for (flag, path) in [
        ("--metadata-file", &args.metadata_file),
        ("--ref-file", &args.ref_file),
    ] {
        if let Some(path) = path {
            places::ready(flag, path)?;
        }
    }
    let metrics = cache_metrics::Place::of(&args.debug_json_cache_metrics);
    if let Some(cache_metrics::Place::File(path)) = &metrics {
        places::ready("--debug-json-cache-metrics", path)?;
    }
    let mut run = pipeline::Environment::default();
    run.registries = args.registries.options(environment);
    tls_context::add(&args.registry_auth_tlscontext, &mut run.registries)?;
    let began = Instant::now();
    let request = request(&args, environment)?;
    let is_question = is_question(&request);
    let cancelled = interrupt::token()?;
    let say = |line: &str| display::boot(mode, line);
    let (client, used) = tokio::select! {
        connected = connection.connect_for(environment, &[], &say) => connected?,
        () = cancelled.cancelled() => {
            let interrupted = pipeline::Error::Interrupted;
            return Err(build_failure::explain(&interrupted, &Default::default(), mode));
        }
    };
    let (writer, updates) = progress::channel();
    let shown = display::start(mode, sink.clone(), None, &used, environment, updates);
    run.credentials = Arc::new(environment.credentials()?);
    run.progress = Some(writer);
    run.cancelled = cancelled;
    run.standard_output = Some(Arc::new(|| Ok(Box::new(std::io::stdout()))));
    let broken = run.broken.clone();
    interrupt::exports_to(broken.clone());
    let build_ref = request.build_ref.clone();
    let solved = pipeline::solve(&client, request, run).await;
    let summary = shown.end().await;
    if let (Some(path), Some(build_ref)) = (&args.ref_file, &build_ref) {
        write_file(path, build_ref.as_bytes())?;
    }
    let ended = match solved {
        Ok(solved) => written(&args, &solved, is_question),
        Err(error) => {
            Err(build_failure::explain(&error, &summary, mode).incomplete(&broken.paths()))
        }
    };
    display::warnings(&summary, mode, environment);
    if let (Some(place), Some(build_ref)) = (&metrics, &build_ref) {
        cache_metrics::write(place, &client, build_ref, began.elapsed()).await?;
    }
    sink.end_without_image(ended)
}

fn request(args: &SolveArgs, environment: &Environment) -> Result<GraphRequest, Failure> {
    let work = match args.frontend.as_deref().filter(|name| !name.is_empty()) {
        Some(frontend) => Work::Frontend(forward(frontend, args, environment)?),
        None => Work::Graph(graph(args)?),
    };
    let mut request = GraphRequest::new(work);
    request.machine = Folders::from_environment();
    request.build_ref = Some(solvekit::session::new_id().map_err(|it| Failure::from_error(&it))?);
    request.folders = parse::folders(&args.local)?;
    request.layouts = parse::layouts(&args.oci_layout)?;
    request.outputs = outputs(args, environment)?;
    request.cache_from = caches::of_flags(&args.import_cache, CacheDirection::From)?;
    request.cache_to = caches::of_flags(&args.export_cache, CacheDirection::To)?;
    request.secrets = secrets::secrets(&args.secret, environment.identity)?;
    request.ssh_agents = secrets::agents(&args.ssh)?;
    let allowed = args.allow.iter().map(|text| text.parse::<Entitlement>());
    let allowed: Result<Vec<_>, _> = allowed.collect();
    request.entitlements = allowed.map_err(|error| hint::for_value(&error))?;
    if let Some(path) = &args.source_policy_file {
        request.source_policy = Some(policy(path)?);
    }
    ignored::warn(&request.ignored_values(), None);
    request.proxy_network = args.proxy_network;
    request.node_id = environment.node_id();
    Ok(request)
}

fn forward(
    frontend: &str,
    args: &SolveArgs,
    environment: &Environment,
) -> Result<Forward, Failure> {
    let mut options = BTreeMap::new();
    if let Some(epoch) = &environment.source_date_epoch {
        options.insert("build-arg:SOURCE_DATE_EPOCH".to_owned(), epoch.clone());
    }
    options.extend(parse::pairs("--opt", &args.opt)?);
    if args.no_cache {
        options.insert("no-cache".to_owned(), String::new());
    }
    if options.contains_key(SUBREQUEST) {
        options
            .entry("frontend.caps".to_owned())
            .or_insert_with(|| "moby.buildkit.frontend.subrequests".to_owned());
    }
    Ok(Forward {
        frontend: frontend.to_owned(),
        options,
        inputs: BTreeMap::new(),
    })
}

fn is_question(request: &GraphRequest) -> bool {
    matches!(&request.work, Work::Frontend(it) if it.options.contains_key(SUBREQUEST))
}

fn graph(args: &SolveArgs) -> Result<Definition, Failure> {
    let bytes = read_graph(args.graph.as_deref())?;
    let graph = Definition::decode(&bytes)
        .map_err(|error| GraphUsage::NotAGraph(Failure::from_error(&error).into_message()))?;
    if graph.is_empty() {
        return Err(GraphUsage::Empty.into());
    }
    Ok(match args.no_cache {
        true => graph.ignoring_cache(),
        false => graph,
    })
}

/// Reads a marshalled graph from a file, or else from stdin.
pub(crate) fn read_graph(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match path.filter(|it| *it != Path::new("-")) {
        Some(path) => read(path),
        None if std::io::stdin().is_terminal() => Err(GraphUsage::Terminal.into()),
        None => take_at_most(std::io::stdin().lock(), GRAPH_LIMIT)
            .map_err(|error| Failure::new(format!("cannot read stdin: {error}"))),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = read_at_most(path, GRAPH_LIMIT);
    read.map_err(|error| {
        let path = path.display();
        let failure = Failure::new(format!("cannot read {path}: {error}"));
        failure.of_missing_file("", path, &error)
    })
}

fn policy(path: &Path) -> Result<SourcePolicy, Failure> {
    let parsed = SourcePolicy::parse(&read(path)?);
    Ok(parsed.map_err(|error| GraphUsage::Rules {
        path: path.to_owned(),
        reason: Failure::from_error(&error).into_message(),
    })?)
}

/// buildctl writes archives without a destination to stdout, but solvekit loads images into the
/// engine.
fn outputs(args: &SolveArgs, environment: &Environment) -> Result<Vec<pipeline::Output>, Failure> {
    let of_buildctl = environment.identity == Identity::Buildctl;
    // buildctl has no short form for a path.
    if let Some(text) = args.output.iter().find(|text| !text.contains("type="))
        && of_buildctl
    {
        return Err(GraphUsage::OutputWithoutType(text.clone()).into());
    }
    let parsed = args
        .output
        .iter()
        .map(|text| text.parse::<pipeline::Output>());
    let parsed: Result<Vec<_>, _> = parsed.collect();
    let mut outputs = parsed.map_err(|error| hint::for_value(&error))?;
    if of_buildctl {
        for output in outputs.iter_mut().filter(|it| it.destination.is_none()) {
            if matches!(
                output.kind,
                OutputKind::Docker | OutputKind::Oci | OutputKind::Tar
            ) {
                output.destination = Some(Destination::StandardOutput);
            }
        }
    }
    refuse_terminal(&outputs)?;
    Ok(outputs)
}

/// Writes the metadata file, and the answer to a question.
fn written(args: &SolveArgs, solved: &Solved, is_question: bool) -> Result<(), Failure> {
    if let Some(path) = &args.metadata_file {
        let metadata = Value::Object(solved.metadata_fields());
        // Plain data: it always serializes to JSON.
        let text = serde_json::to_string_pretty(&metadata).unwrap_or_default();
        write_file(path, text.as_bytes())?;
    }
    if !is_question {
        return Ok(());
    }
    if let Some(text) = solved.metadata.get("result.txt") {
        return print_text(&String::from_utf8_lossy(text));
    }
    for (key, value) in &solved.metadata {
        if key.starts_with("result.") {
            print_text(&format!("{key}\n{}\n", String::from_utf8_lossy(value)))?;
        }
    }
    Ok(())
}
