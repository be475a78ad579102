//! Twice the input takes about twice the work, and hostile input fails before it exhausts the
//! machine's memory. The tests count allocations and their bytes, not time.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;

use allocation_counter::{AllocationInfo, measure};
use solvekit_bake::files::ReadError;
use solvekit_bake::print::{plan_json, targets_table};
use solvekit_bake::{
    Diagnostic, Environment, FileReader, InputFile, Isolated, Kind, Options, evaluate,
};

/// Twice, with a margin for tables that grow by doubling.
const MOST: f64 = 2.6;
/// The most bytes allocated at once for any input, including the input itself.
const MOST_BYTES: u64 = 256 << 20;

/// A folder in which every file is the same compose file.
struct Machine;

impl FileReader for Machine {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        match path.ends_with("base.yaml") {
            true => Ok(b"services:\n  base:\n    build: .\n".to_vec()),
            false => Err(ReadError::NotFound),
        }
    }

    fn working_directory(&self) -> &str {
        "/work"
    }
}

/// A file, the requested targets, and the values of `--set`.
struct Input {
    name: &'static str,
    text: String,
    targets: Vec<String>,
    set: Vec<String>,
}

impl Input {
    fn hcl(text: String) -> Self {
        Self {
            name: "docker-bake.hcl",
            text,
            targets: vec!["*".to_owned()],
            set: Vec::new(),
        }
    }

    fn json(text: String) -> Self {
        let name = "docker-bake.json";
        Self {
            name,
            ..Self::hcl(text)
        }
    }

    fn compose(text: String) -> Self {
        let name = "compose.yaml";
        Self {
            name,
            ..Self::hcl(text)
        }
    }

    fn asking(mut self, target: &str) -> Self {
        self.targets = vec![target.to_owned()];
        self
    }

    /// Returns the length of the printed plan.
    fn answer(&self) -> Result<usize, Diagnostic> {
        let file = InputFile {
            name: self.name.to_owned(),
            bytes: self.text.clone().into_bytes(),
        };
        let environment = Environment::default();
        let options = Options::default();
        let evaluation = evaluate(&[file], &environment, &Machine, &Isolated, options)?;
        let plan = evaluation.plan(&self.targets, &self.set, &environment)?;
        let json = plan_json(&plan.groups, &plan.targets);
        Ok(json.len() + targets_table(&evaluation.definition).len())
    }
}

/// Returns the first text with a line for each number.
fn numbered(first: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(first.to_owned(), |text, number| text + &line(number))
}

/// Runs an input of a size and one of twice the size.
#[track_caller]
fn assert_linear(size: usize, input: impl Fn(usize) -> Input) {
    let counted = |size: usize| {
        let input = input(size);
        // Data that is created once does not count.
        let mut answer = Ok(0);
        let info = measure(|| answer = input.answer());
        answer.unwrap();
        info
    };
    counted(8);
    let (once, twice) = (counted(size), counted(2 * size));
    let growth = |of: fn(&AllocationInfo) -> u64| of(&twice) as f64 / (of(&once) as f64 + 1024.0);
    let (count, bytes) = (
        growth(|info| info.count_total),
        growth(|info| info.bytes_total),
    );
    assert!(
        count < MOST,
        "allocations grow by {count:.2}: {once:?} {twice:?}"
    );
    assert!(bytes < MOST, "bytes grow by {bytes:.2}: {once:?} {twice:?}");
}

/// Runs a hostile input, which must fail with an error about a limit.
#[track_caller]
fn assert_limited(input: &Input) -> String {
    let mut answer = Ok(0);
    let info = measure(|| answer = input.answer());
    let error = answer.unwrap_err();
    assert_eq!(error.kind, Kind::Limit, "{error}");
    assert!(info.bytes_max < MOST_BYTES, "{error}: {info:?}");
    error.to_string()
}

#[test]
fn targets() {
    let target = |at| format!("target \"t{at}\" {{\n  tags = [\"a:{at}\"]\n}}\n");
    assert_linear(300, |size| Input::hcl(numbered("", size, target)));
}

#[test]
fn targets_that_inherit_and_link() {
    let target = |at| {
        format!(
            "target \"t{at}\" {{\n  inherits = [\"base\"]\n  contexts = {{ b \
             = \"target:base\" }}\n}}\n"
        )
    };
    let base = "target \"base\" {\n  args = { A = \"1\" }\n  platforms = [\"linux/amd64\"]\n}\n";
    assert_linear(300, |size| Input::hcl(numbered(base, size, target)));
}

#[test]
fn a_matrix() {
    assert_linear(300, |size| {
        Input::hcl(
            numbered(
                "target \"t\" {\n  name = \"t-${v}\"\n  matrix = { v = [",
                size,
                |at| format!("\"{at}\","),
            ) + "] }\n  tags = [\"a:${v}\"]\n}\n",
        )
    });
}

#[test]
fn groups_of_groups() {
    let group = |at| format!("group \"g{at}\" {{\n  targets = [\"common\", \"t{at}\"]\n}}\n");
    let target = |at| format!("target \"t{at}\" {{\n}}\n");
    let common = "group \"common\" {\n  targets = [\"t0\", \"t1\"]\n}\n";
    assert_linear(300, |size| {
        Input::hcl(numbered(common, size, group) + &numbered("", size, target))
    });
}

#[test]
fn variables_functions_and_references() {
    let text = |at| {
        format!(
            "variable \"v{at}\" {{\n  default = \"x\"\n}}\n\
             function \"f{at}\" {{\n  params = [a]\n  result = \"${{a}}${{v{at}}}\"\n}}\n\
             target \"t{at}\" {{\n  tags = [f{at}(\"a:\")]\n  args = target.base.args\n}}\n"
        )
    };
    let base = "target \"base\" {\n  args = { A = \"1\" }\n}\n";
    assert_linear(200, |size| Input::hcl(numbered(base, size, text)));
}

#[test]
fn entries_of_attributes() {
    for (start, entry, end) in [
        ("cache-from = [", "\"type=gha,scope=%\",", "]"),
        ("cache-to = [", "\"type=gha,scope=%\",", "]"),
        ("output = [", "\"type=image,name=%\",", "]"),
        ("attest = [", "\"type=%\",", "]"),
        ("secret = [", "\"id=%,src=x\",", "]"),
        ("ssh = [", "\"%=x\",", "]"),
        ("entitlements = [", "\"%\",", "]"),
        ("annotations = [", "\"a=%\",", "]"),
        ("args = {", "A% = \"1\",", "}"),
    ] {
        assert_linear(400, |size| {
            let entries = numbered("", size, |at| entry.replace('%', &at.to_string()));
            Input::hcl(format!("target \"t\" {{\n  {start}{entries}{end}\n}}\n"))
        });
    }
}

#[test]
fn overrides() {
    let target = |at| format!("target \"t{at}\" {{\n}}\n");
    assert_linear(300, |size| {
        let mut input = Input::hcl(numbered("", size, target));
        input.set = (0..size).map(|at| format!("t{at}.args.A{at}=1")).collect();
        input
    });
    assert_linear(300, |size| {
        let mut input = Input::hcl(numbered("", 5, target));
        input.set = (0..size).map(|at| format!("*.args.A{at}=1")).collect();
        input
    });
}

#[test]
fn json() {
    assert_linear(300, |size| {
        let targets = numbered("", size, |at| {
            format!("\"t{at}\": {{\"tags\": [\"a:${{1 + 1}}\"]}},")
        });
        Input::json(format!("{{\"target\": {{{targets} \"last\": {{}}}}}}"))
    });
}

#[test]
fn compose() {
    assert_linear(200, |size| {
        Input::compose(numbered("services:\n", size, |at| {
            format!(
                "  s{at}:\n    build:\n      context: .\n      args:\n        A: \
                 ${{B:-1}}\n    depends_on: [s0]\n"
            )
        }))
    });
    assert_linear(100, |size| {
        Input::compose(numbered("services:\n", size, |at| {
            format!("  s{at}:\n    extends:\n      file: base.yaml\n      service: base\n")
        }))
    });
}

#[test]
fn too_many_words() {
    let list = numbered("v = [", 300_000, |_| "1,".to_owned()) + "]\n";
    assert!(assert_limited(&Input::hcl(list)).contains("500000 words"));
    let text = numbered("{\"a\": [", 300_000, |_| "1,".to_owned()) + "1]}";
    assert!(assert_limited(&Input::json(text)).contains("500000 words"));
    let dollars = format!("v = \"{}\"\n", "$".repeat(600_000));
    assert!(assert_limited(&Input::hcl(dollars)).contains("500000 words"));
    let text = format!("{{\"a\": \"{}\"}}", "${1}".repeat(100_001));
    assert!(assert_limited(&Input::json(text)).contains("100000 ${"));
    let comment = format!("#{}\n", "x".repeat(17 << 20));
    assert!(assert_limited(&Input::hcl(comment)).contains("16 MiB"));
}

#[test]
fn too_many_targets() {
    let target = |at| format!("target \"t{at}\" {{}}\n");
    let targets = Input::hcl(numbered("", 20_001, target));
    assert!(assert_limited(&targets).contains("20000 groups and targets"));
    let matrix = |at| {
        format!(
            "target \"t{at}\" {{\n  name = \"t{at}-${{a}}-${{b}}\"\n  matrix = {{\n    \
             a = [for i in range(100): \"${{i}}\"]\n    b = [for i in \
             range(100): \"${{i}}\"]\n  }}\n}}\n"
        )
    };
    let matrices = Input::hcl(numbered("", 3, matrix));
    assert!(assert_limited(&matrices).contains("20000 groups and targets"));
    let axes = numbered("", 1000, |at| format!("a{at} = [\"1\"], "));
    let wide = format!("target \"t\" {{\n  matrix = {{ {axes} z = range(0, 1000) }}\n}}\n");
    assert!(assert_limited(&Input::hcl(wide)).contains("more than 200000 values"));
}

#[test]
fn large_attributes_of_many_targets() {
    let args = numbered("", 5000, |at| format!("A{at} = \"{at}\", "));
    let base = format!("target \"base\" {{\n  args = {{ {args} }}\n}}\n");
    for line in ["inherits = [\"base\"]", "args = target.base.args"] {
        let text = numbered(&base, 2000, |at| {
            format!("target \"t{at}\" {{\n  {line}\n}}\n")
        });
        assert_limited(&Input::hcl(text));
    }
    let entitlements = |at: usize| {
        let entries = numbered("", 200, |entry| format!("\"e{at}-{entry}\","));
        format!(
            "target \"t{at}\" {{\n  entitlements = [{entries}]\n  contexts = {{ a \
             = \"target:t{}\" }}\n}}\n",
            at + 1
        )
    };
    let chain = numbered("target \"t199\" {\n}\n", 199, entitlements);
    assert_limited(&Input::hcl(chain).asking("t0"));
}

#[test]
fn groups_with_many_members() {
    let members = numbered("", 2000, |at| format!("\"t{at}\","));
    let mut text = numbered("", 2000, |at| format!("target \"t{at}\" {{}}\n"));
    let _ = write!(text, "group \"big\" {{\n  targets = [{members}]\n}}\n");
    let text = numbered(&text, 3000, |at| {
        format!("group \"g{at}\" {{\n  targets = [\"big\"]\n}}\n")
    });
    assert_limited(&Input::hcl(text));
}

#[test]
fn overrides_of_all_targets() {
    let target = |at| format!("target \"t{at}\" {{}}\n");
    let mut input = Input::hcl(numbered("", 3000, target));
    input.set = (0..3000).map(|at| format!("*.args.A{at}=1")).collect();
    assert_limited(&input);
}

#[test]
fn long_names_are_not_compared() {
    let name = "a".repeat(1_000_000);
    let text = format!("{name}b = 1\ntarget \"t\" {{\n  tags = [{name}]\n}}\n");
    let error = Input::hcl(text).answer().unwrap_err();
    assert_eq!(error.kind, Kind::Undefined);
    assert!(error.to_string().len() < 5000);
}

/// Returns inputs with the deepest nesting that the parser or the evaluation allows.
fn deep_inputs() -> Vec<Input> {
    let function = |at: usize, result: String| {
        format!("function \"f{at}\" {{\n  params = [a]\n  result = {result}\n}}\n")
    };
    let call = |at| format!("target \"t\" {{\n  tags = [f{at}(\"x\")]\n}}\n");
    let brackets = |open: &str, close: &str, count: usize, inner: &str| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    let tags = |value: String| Input::hcl(format!("target \"t\" {{\n  tags = {value}\n}}\n"));
    let chain = numbered(&function(0, "a".into()), 3000, |at| {
        function(at + 1, format!("f{at}(a)"))
    });
    let waiting = (0..190).rev().fold(String::new(), |text, at| {
        text + &function(at + 1, brackets("(", ")", 90, &format!("f{at}(a)")))
    });
    let variables = numbered("", 5000, |at| format!("v{at} = v{}\n", at + 1));
    let lists = (0..190).rev().fold("v190 = 1\n".to_owned(), |text, at| {
        format!(
            "v{at} = {}\n",
            brackets("[", "]", 95, &format!("v{}", at + 1))
        ) + &text
    });
    let targets = numbered("", 5000, |at| {
        format!(
            "target \"t{at}\" {{\n  tags = target.t{}.tags\n}}\n",
            at + 1
        )
    });
    let links = numbered("target \"t5000\" {}\n", 5000, |at| {
        let next = at + 1;
        format!(
            "target \"t{at}\" {{\n  inherits = [\"t{next}\"]\n  contexts = {{ a \
             = \"target:t{next}\" }}\n}}\n"
        )
    });
    let groups = numbered("target \"g5000\" {}\n", 5000, |at| {
        format!("group \"g{at}\" {{\n  targets = [\"g{}\"]\n}}\n", at + 1)
    });
    // The forms that use the most stack per level, with functions for more levels than a file may
    // have.
    let forms = [
        ("[", "]"),
        ("{ a = ", " }"),
        ("[for x in [1] : ", "]"),
        ("{ for x in [1] : x => ", "}"),
        ("true ? ", " : null"),
        ("\"x${", "}\""),
        ("\"%{for x in [1]}${", "}%{endfor}\""),
        ("try(", ")"),
        ("upper(", ")"),
        ("!", ""),
        ("1 + ", ""),
        ("(", ").a"),
        ("[1][", "]"),
        ("[1][*][", "]"),
    ];
    let forms = forms.into_iter().map(|(open, close)| {
        let first = function(0, "a".into());
        let nested = numbered(&first, 100, |at| {
            function(at + 1, brackets(open, close, 40, &format!("f{at}(a)")))
        });
        Input::hcl(nested + &call(100))
    });
    let others = vec![
        Input::hcl(chain + &call(3000)),
        Input::hcl(waiting + &function(0, "a".into()) + &call(190)),
        Input::hcl(variables),
        Input::hcl(lists + "target \"t\" {\n  tags = [jsonencode(v0)]\n}\n"),
        Input::hcl(targets),
        Input::hcl(links).asking("t0"),
        Input::hcl(groups).asking("g0"),
        tags(brackets("(", ")", 100_000, "1")),
        tags(brackets("[", "]", 100_000, "1")),
        tags("-".repeat(100_000) + "1"),
        tags("1 + ".repeat(100_000) + "1"),
        tags("true ? 1 : ".repeat(100_000) + "1"),
        tags("[1]".to_owned() + &"[*]".repeat(100_000)),
        Input::hcl(format!("v = \"{}\"\n", "%{if true}".repeat(100_000))),
        Input::hcl(format!(
            "variable \"v\" {{\n  type = {}\n}}\n",
            "list(".repeat(100_000)
        )),
        Input::hcl("a {\n".repeat(100_000)),
        Input::json("[".repeat(100_000)),
        Input::json("{\"a\":".repeat(100_000)),
        Input::compose("a: ".to_owned() + &"[".repeat(100_000)),
        Input::compose((0..5000).fold(String::new(), |text, at| text + &" ".repeat(at) + "a:\n")),
        Input::compose(format!(
            "services:\n  a:\n    command: \"{}\"\n",
            "${A:-".repeat(100_000)
        )),
    ];
    forms.chain(others).collect()
}

#[test]
fn deep_nesting_fits_on_a_small_stack() {
    // Threads of tests and runtimes have 2 MiB. Frames of other processors can be larger.
    let thread = std::thread::Builder::new().stack_size(3 << 19);
    let run = || {
        for (at, input) in deep_inputs().into_iter().enumerate() {
            let answer = input.answer();
            assert!(answer.is_err(), "{at}: {}", input.text);
        }
    };
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn nesting_that_people_write_is_allowed() {
    let functions = numbered(
        "function \"f0\" {\n  params = [a]\n  result = a\n}\n",
        20,
        |at| {
            format!(
                "function \"f{}\" {{\n  params = [a]\n  result = upper(true ? f{at}(\"${{a}}\") \
                 : \"\")\n}}\n",
                at + 1
            )
        },
    );
    let text = functions + "target \"t\" {\n  tags = [f20(\"x\")]\n}\n";
    Input::hcl(text).answer().unwrap();
}
