//! A fake cluster: a `kubectl` that stores objects in a folder, makes pods from them that become
//! ready on request, and leads `exec … buildctl dial-stdio` to the real BuildKit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::{BuilderHome, Finished, Relay};

/// The state is in files: `objects/KIND.NAME` and `claims/NAME` are the objects; `refusal` is the
/// answer to every call but `config view`, which prints `config`; `pod` is the status of pods that
/// are not ready, and `pending` how often they are queried until they are. With `refused` there are
/// no pods, and its text is the status of their owner. A pod with `deleted.NAME` is being deleted,
/// and `status.NAME` is its own status; `events.NAME` are the events about an object;
/// `forbid-watch` forbids watching.
const KUBECTL: &str = r#"
here=$(dirname "$0")
echo "$KUBECONFIG: $*" >> "$here/calls"
case "$*" in *"config view"*) cat "$here/config" 2>/dev/null; exit ;; esac
[ -f "$here/refusal" ] && { cat "$here/refusal" >&2; exit 1; }
words= selector= watch= field=
for word; do
  case $word in
    --selector=*) selector=${word#*=} ;;
    --watch) watch=1 ;;
    --field-selector=*) field=${word#*name=} ;;
    -*) ;;
    *) words="$words $word" ;;
  esac
done
set -- $words
kind_of() { case $1 in deployments.apps) echo Deployment ;; statefulsets.apps) echo StatefulSet ;; configmaps) echo ConfigMap ;; esac; }
put() {
  object=$(cat)
  kind=$(printf '%s' "$object" | grep -o '"kind":"[A-Za-z]*"' | head -1 | cut -d'"' -f4)
  name=$(printf '%s' "$object" | grep -o '"metadata":{"name":"[^"]*"' | head -1 | cut -d'"' -f6)
  file=$here/objects/$kind.$name
}
replicas() { grep -o '"replicas":[0-9]*' "$1" | head -1 | cut -d: -f2; }
pending() { cat "$here/pending" 2>/dev/null || echo 0; }
case $1 in
create)
  put
  [ -f "$file" ] && { echo "Error from server (AlreadyExists): error when creating \"STDIN\": \"$name\" already exists" >&2; exit 1; }
  printf '%s\n' "$object" > "$file"
  if [ "$kind" = StatefulSet ]; then
    for number in $(seq 0 $(($(replicas "$file") - 1))); do touch "$here/claims/buildkitd-$name-$number"; done
  fi ;;
replace) put; printf '%s\n' "$object" > "$file" ;;
get)
  case $2 in
  pods)
    name=$(echo "$selector" | tr , '\n' | sed -n 's/^app=//p')
    [ -f "$here/forbid-watch" ] && [ "$watch" ] && { echo 'Error from server (Forbidden)' >&2; exit 1; }
    list() {
      status='{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}'
      left=$(pending)
      if [ "$left" -gt 0 ]; then status=$(cat "$here/pod"); echo $((left - 1)) > "$here/pending"; fi
      for file in "$here/objects/Deployment.$name" "$here/objects/StatefulSet.$name"; do
        [ -f "$file" ] || continue
        [ -f "$here/refused" ] && continue
        for number in $(seq 0 $(($(replicas "$file") - 1))); do
          deleted=
          [ -f "$here/deleted.$name-$number" ] && deleted=',"deletionTimestamp":"2030-01-01T00:00:00Z"'
          own=$(cat "$here/status.$name-$number" 2>/dev/null) || own=$status
          echo "{\"metadata\":{\"name\":\"$name-$number\",\"namespace\":\"space\"$deleted},\"status\":$own}"
        done
      done
    }
    if [ "$watch" ]; then
      while :; do
        left=$(pending)
        list | sed 's/^/{"type":"MODIFIED","object":/; s/$/}/'
        [ "$left" = 0 ] && exec sleep 600
        sleep 0.3
      done
    fi
    echo "{\"kind\":\"List\",\"items\":[$(list | paste -sd, -)]}" ;;
  pod)
    deleted=
    until [ -f "$here/deleted.$3" ]; do
      [ "$watch" ] && { [ "$deleted" ] || echo "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"$3\"}}}"; deleted=1; }
      sleep 0.2
    done
    echo "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"$3\",\"deletionTimestamp\":\"2030-01-01T00:00:00Z\"}}}"
    exec sleep 600 ;;
  events) cat "$here/events.$field" 2>/dev/null || cat "$here/events" 2>/dev/null ;;
  persistentvolumeclaims)
    claims=
    for claim in $(ls "$here/claims"); do claims="$claims,{\"metadata\":{\"name\":\"$claim\"}}"; done
    echo "{\"kind\":\"List\",\"items\":[${claims#,}]}" ;;
  *)
    file=$here/objects/$(kind_of "$2").$3
    [ -f "$file" ] || exit 0
    ready=0
    [ "$(pending)" = 0 ] && ready=$(replicas "$file")
    status="{\"readyReplicas\":$ready}"
    [ -f "$here/refused" ] && status=$(cat "$here/refused")
    printf '%s,"status":%s}\n' "$(sed 's/}$//' "$file")" "$status" ;;
  esac ;;
delete)
  kind=$2; shift 2
  for name; do
    case $kind in
    persistentvolumeclaims) rm -f "$here/claims/$name" ;;
    *) rm -f "$here/objects/$(kind_of "$kind").$name" ;;
    esac
  done ;;
exec) exec SOLVEKIT --addr ADDRESS dial-stdio --progress none ;;
*) echo "error: unknown command \"$1\"" >&2; exit 1 ;;
esac
"#;

/// The cluster, and the home of a user with builders in it.
pub struct Cluster {
    folder: TempDir,
    home: BuilderHome,
    /// The relay that its pods lead to.
    pub relay: Relay,
}

impl Cluster {
    /// An empty cluster.
    pub fn new() -> Self {
        let relay = Relay::unix();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = KUBECTL
            .replace("SOLVEKIT", env!("CARGO_BIN_EXE_solvekit"))
            .replace("ADDRESS", relay.address());
        let kubectl = folder.path().join("kubectl");
        fs::write(&kubectl, format!("#!/bin/sh{script}")).expect("it can be written");
        fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).expect("it is ours");
        for name in ["objects", "claims"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self {
            folder,
            home: BuilderHome::new(),
            relay,
        }
    }

    /// The command under test, with the fake `kubectl` first on PATH.
    pub fn solvekit(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.solvekit(arguments);
        let path = std::env::var("PATH").expect("PATH is set");
        command.env("PATH", format!("{}:{path}", self.folder.path().display()));
        command.env_remove("KUBECONFIG");
        command
    }

    /// Runs the command under test.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.solvekit(arguments))
    }

    /// The user's home.
    pub fn home(&self) -> &BuilderHome {
        &self.home
    }

    /// Writes a file of the cluster's state, see above.
    pub fn set(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it can be written");
    }

    /// All calls so far: the value of KUBECONFIG, followed by the arguments.
    pub fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// The names of the objects as `KIND.NAME`, and of the volume claims.
    pub fn names(&self) -> Vec<String> {
        let names = ["objects", "claims"].into_iter().flat_map(|folder| {
            let entries = fs::read_dir(self.path(folder)).expect("a folder");
            entries.map(|entry| entry.expect("an entry").file_name())
        });
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// An object by its kind and name.
    pub fn object(&self, name: &str) -> Value {
        let bytes = fs::read(self.path("objects").join(name)).expect("it is there");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The path of a file of the cluster's state.
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
