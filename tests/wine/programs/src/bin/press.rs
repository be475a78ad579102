//! Presses Ctrl-C on the console of a program: `press COUNT TEXT PROGRAM ARGUMENT…`. It is pressed
//! COUNT times, a second after the program has printed TEXT to stderr and a second apart. The last
//! line tells the exit code, and the time since the last key.

use std::env;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The event of a console.
const CTRL_C: u32 = 0;
/// The longest time that the program may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
    fn SetConsoleCtrlHandler(handler: extern "system" fn(u32) -> i32, add: i32) -> i32;
}

/// All processes of the console get a key; this one ignores it.
extern "system" fn ignore(_event: u32) -> i32 {
    1
}

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [count, text, program, rest @ ..] = arguments.as_slice() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let count: u32 = count.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the handler is a function without a state.
    check(unsafe { SetConsoleCtrlHandler(ignore, 1) })?;
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    wait_for(&mut child, text)?;
    for pressed in 0..count {
        thread::sleep(Duration::from_secs(1));
        if let Some(status) = child.try_wait()? {
            println!("ended before key {}: {:?}", pressed + 1, status.code());
            return Ok(ExitCode::FAILURE);
        }
        // SAFETY: the arguments are numbers.
        check(unsafe { GenerateConsoleCtrlEvent(CTRL_C, 0) })?;
    }
    report(&mut child, Instant::now())
}

/// Copies stderr, and returns once a line has the text. A thread copies the rest.
fn wait_for(child: &mut Child, text: &str) -> io::Result<()> {
    let stderr = child.stderr.take().expect("it is piped");
    let mut lines = BufReader::new(stderr).lines();
    for line in lines.by_ref() {
        let line = line?;
        eprintln!("{line}");
        if line.contains(text) {
            thread::spawn(move || {
                lines
                    .map_while(Result::ok)
                    .for_each(|line| eprintln!("{line}"))
            });
            return Ok(());
        }
    }
    Err(io::Error::other(
        "the program ended before it printed the text",
    ))
}

fn check(succeeded: i32) -> io::Result<()> {
    match succeeded {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn report(child: &mut Child, pressed: Instant) -> io::Result<ExitCode> {
    while pressed.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            let code = status.code().unwrap_or(-1);
            println!(
                "exit code {code} after {} ms",
                pressed.elapsed().as_millis()
            );
            return Ok(ExitCode::SUCCESS);
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill()?;
    println!("it did not end");
    Ok(ExitCode::FAILURE)
}
